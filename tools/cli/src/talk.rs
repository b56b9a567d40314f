//! Words for people on stderr, data on stdout.

use crate::error::CliError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

/// How much the program says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    quiet: bool,
    verbose: bool,
    /// Nobody waits for a line about what was written.
    called: bool,
}

impl Talk {
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        Self { quiet, verbose, called: false }
    }

    /// The same for a caller in this process, who knows what was written when the call comes back.
    pub(crate) fn called(self) -> Self {
        Self { called: true, ..self }
    }

    /// Whether nothing is to be said that nobody waits for.
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Says something unless `-q` was given.
    pub(crate) fn say(self, text: &str) {
        if !self.quiet {
            to_stderr(text);
        }
    }

    /// Says something if `-v` was given.
    pub(crate) fn detail(self, text: &str) {
        if self.verbose {
            to_stderr(text);
        }
    }

    /// Says that a file was written; scripts wait for this line, so for them `-q` does not silence it.
    pub(crate) fn wrote(self, path: &Path) {
        if !(self.quiet && self.called) {
            to_stderr(&format!("Wrote {}", path.display()));
        }
    }

    /// A bar for `steps` steps; invisible unless a person is watching.
    pub(crate) fn progress(self, steps: u64, what: &str) -> ProgressBar {
        let watched = !self.quiet && std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{msg} {wide_bar:.cyan/dim} {pos}/{len} {per_sec} {eta}")
            .expect("the template is ours");
        ProgressBar::with_draw_target(Some(steps), target).with_style(style).with_message(what.to_owned())
    }
}

fn to_stderr(text: &str) {
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes data to stdout.
///
/// # Errors
/// [`CliError::Stdout`] when stdout cannot be written; a reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Stdout(error)),
        _ => Ok(()),
    }
}
