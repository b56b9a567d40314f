//! What a command prints on stdout at its end: text for people, or one JSON document for programs.
//!
//! Every command has `--format text|json` by [`FormatOption`]. A document says in `kind` and `version` what it is, and
//! in `command` who made it. Of a command whose work is files it is made by [`Answer`]; of one whose work is data, by
//! [`document`]. What goes wrong is told on stderr in either format.

use crate::command::{CliCommand, JsonForm};
use crate::error::CliError;
use crate::talk::{self, Talk};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The option.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct FormatOption {
    /// What is printed on stdout: text, or one JSON document
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// How something is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl FormatOption {
    /// Prints `text`, or the document of the command `C` with the keys of `json`.
    ///
    /// # Errors
    /// [`CliError::Stdout`].
    pub(crate) fn print<C: CliCommand>(
        self,
        text: impl FnOnce() -> String,
        json: impl FnOnce() -> Value,
    ) -> Result<(), CliError> {
        talk::print(&match self.format {
            Format::Text => text(),
            Format::Json => document::<C>(json()),
        })
    }
}

/// `keys` as the document of the command `C`, ready to print.
pub(crate) fn document<C: CliCommand>(keys: Value) -> String {
    let Value::Object(mut keys) = keys else { return format!("{keys:#}\n") };
    if !matches!(C::SPEC.json.form, JsonForm::Foreign) {
        keys.insert("kind".to_owned(), C::SPEC.kind().into());
        keys.insert("version".to_owned(), C::SPEC.json.version.into());
        keys.insert("command".to_owned(), C::SPEC.name.into());
    }
    format!("{:#}\n", Value::Object(keys))
}

/// What a command whose work is files has done: it tells of every file, and sums up at the end.
#[derive(Debug)]
pub(crate) struct Answer {
    format: Format,
    talk: Talk,
    written: Vec<String>,
    summary: Map<String, Value>,
}

impl Answer {
    pub(crate) fn new(format: FormatOption, talk: Talk) -> Self {
        Self { format: format.format, talk, written: Vec::new(), summary: Map::new() }
    }

    /// Tells that a file, or a whole directory, has been written.
    pub(crate) fn wrote(&mut self, path: &Path) {
        self.talk.wrote(path);
        self.written.push(path.display().to_string());
    }

    /// A figure, or a fact, of the document's `summary`.
    pub(crate) fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.summary.insert(name.to_owned(), value.into());
    }

    /// Several of them: the keys of a map.
    pub(crate) fn figures(&mut self, figures: Value) {
        if let Value::Object(figures) = figures {
            self.summary.extend(figures);
        }
    }

    /// Prints `text`, or the document of the command `C`: `ok`, `written` and `summary`.
    ///
    /// # Errors
    /// [`CliError::Stdout`].
    pub(crate) fn finish<C: CliCommand>(self, ok: bool, text: &str) -> Result<(), CliError> {
        talk::print(&match self.format {
            Format::Text => text.to_owned(),
            Format::Json => {
                document::<C>(json!({ "ok": ok, "written": self.written, "summary": Value::Object(self.summary) }))
            }
        })
    }
}
