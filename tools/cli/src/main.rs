//! The `labtrust` program.
fn main() -> std::process::ExitCode {
    labtrust_cli::run()
}
