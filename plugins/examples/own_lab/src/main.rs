//! `labtrust` with a task and a coordination method of one's own.
//!
//! What is registered in a crate that this program names is there: in `plugins list`, and by its id in every command.
//! Nothing of the project has to be changed for it.

mod night_shift;
mod stat_first;

fn main() -> std::process::ExitCode {
    labtrust_cli::run()
}
