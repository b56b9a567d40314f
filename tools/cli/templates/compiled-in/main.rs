//! The `labtrust` program with the method in it.

// Named, so that the linker keeps what it registers.
use first_method as _;

fn main() -> std::process::ExitCode {
    labtrust_cli::run()
}
