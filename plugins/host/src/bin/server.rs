//! `labtrust-plugin-server FILE`: serves a native plugin to the program that started this, over its standard streams.
//!
//! The command line serves its plugins itself. This is for programs in which the host is a library, and which are
//! nothing that could be started once more: a Python interpreter, a test.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: labtrust-plugin-server FILE");
        return ExitCode::from(2);
    };
    match labtrust_plugin_host::isolated::serve(path.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("native plugins cannot be served on this system");
    ExitCode::FAILURE
}
