//! The `labtrust` program.

/// Much of a run is small things that live for a step: this allocator is a fifth faster there than the system's (ADR 0026).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    labtrust_cli::run()
}
