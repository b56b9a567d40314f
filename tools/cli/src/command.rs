//! What a command says about itself, once: help, manual page, reference page and the tests of all commands are made of it.
//!
//! The options are said by clap: a command is an options struct whose doc comment is its summary. What clap does not
//! know (files, exit codes, JSON, examples that are run) is its [`Spec`]. Which commands there are is in
//! [`crate::commands`].

use crate::Global;
use crate::error::CliError;
use crate::talk::Talk;

/// A command: options that can be read from the command line, a description, and what it does.
pub(crate) trait CliCommand: clap::Args {
    /// What there is to know about it besides its options.
    const SPEC: Spec;

    /// Does its work. Data goes to stdout, talk to stderr.
    ///
    /// # Errors
    /// Whatever keeps it from its work, and a finding that has to be noticed (exit 1).
    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError>;
}

/// Everything about a command but its options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// Its name; `plugins list` for one in a group.
    pub(crate) name: &'static str,
    /// What a reader of the reference page should know beyond the summary, in Markdown. May be empty.
    pub(crate) notes: &'static str,
    /// Files it leaves.
    pub(crate) writes: &'static [Output],
    /// What exit 0 means.
    pub(crate) done: &'static str,
    /// What exit 1 means, besides an input or an output that cannot be used.
    pub(crate) fails: &'static str,
    /// What exit 75 means, of a command whose call may do later; empty of others.
    pub(crate) again: &'static str,
    /// What exit 2 means, besides unknown options and values of the wrong kind.
    pub(crate) usage: &'static str,
    /// What `--format json` prints.
    pub(crate) json: Json,
    /// How it is called. At least one is shown in the help, and at least one is run by the tests.
    pub(crate) examples: &'static [Example],
    /// How it should not be called, and what then happens.
    pub(crate) refusals: &'static [Refusal],
}

impl Spec {
    /// A description to begin with: `Spec { name: .., examples: .., refusals: .., ..Spec::NEW }`.
    pub(crate) const NEW: Self = Self {
        name: "",
        notes: "",
        writes: &[],
        done: "done",
        fails: "",
        usage: "",
        again: "",
        json: Json::product(&[]),
        examples: &[],
        refusals: &[],
    };

    /// Every exit code with its meaning for this command.
    pub(crate) fn exits(&self) -> Vec<(u8, String)> {
        let with = |common: &str, own: &str| match own {
            "" => common.to_owned(),
            own => format!("{own}; {common}"),
        };
        let again = (!self.again.is_empty()).then(|| (75, self.again.to_owned()));
        let exits = [
            (0, self.done.to_owned()),
            (1, with("an input or an output that cannot be used", self.fails)),
            (2, with("wrong usage", self.usage)),
            (70, "a bug in labtrust".to_owned()),
        ];
        exits.into_iter().chain(again).collect()
    }

    /// Which document its JSON is.
    pub(crate) fn kind(&self) -> String {
        format!("labtrust.{}", self.name.replace(' ', "-"))
    }

    /// The group and the last word of the name.
    pub(crate) fn path(&self) -> (Option<&'static str>, &'static str) {
        match self.name.split_once(' ') {
            Some((group, name)) => (Some(group), name),
            None => (None, self.name),
        }
    }

    /// The examples that are shown, as one types them.
    pub(crate) fn calls(&self) -> impl Iterator<Item = String> {
        let shown = self.examples.iter().filter(|example| example.shown);
        shown.map(|example| format!("labtrust {} {}", self.name, example.line).trim_end().to_owned())
    }

    /// What the help begins with.
    pub(crate) fn help_before(&self) -> String {
        let lines: String = self.calls().map(|call| format!("\n  {call}")).collect();
        format!("Example:{lines}")
    }

    /// What the help ends with.
    pub(crate) fn help_after(&self) -> String {
        let mut text = String::new();
        if !self.writes.is_empty() {
            let width = self.writes.iter().map(|output| output.path.len()).max().unwrap_or(0);
            let row = |output: &Output| format!("  {:<width$}  {}\n", output.path, output.what);
            text.push_str(&format!("Writes:\n{}\n", self.writes.iter().map(row).collect::<String>()));
        }
        let exits = self.exits().into_iter().map(|(code, meaning)| format!("  {code:<2}  {meaning}\n"));
        text + &format!("Exit codes:\n{}", exits.collect::<String>())
    }
}

/// A file, or several of one kind, that a command leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Its path; an option in it, such as `--out`, stands for what the option names.
    pub(crate) path: &'static str,
    /// What it holds, and when it is written if that is not always.
    pub(crate) what: &'static str,
}

/// One file of [`Spec::writes`].
pub(crate) const fn output(path: &'static str, what: &'static str) -> Output {
    Output { path, what }
}

/// The one JSON document that `--format json` prints ([`crate::answer`]).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json {
    pub(crate) form: JsonForm,
    /// Version of the document.
    pub(crate) version: &'static str,
    /// Its keys, or of a product those of its `summary`, and what they hold. One with `?` is not in every document.
    pub(crate) keys: &'static [(&'static str, &'static str)],
}

/// What kind of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonForm {
    /// `ok`, `written` and `summary` of a command whose work is files.
    Product,
    /// Data of a form of its own.
    Data,
    /// A form that is fixed elsewhere and has no `kind`.
    Foreign,
}

impl Json {
    /// Of a command whose work is files, with `keys` in its summary.
    pub(crate) const fn product(keys: &'static [(&'static str, &'static str)]) -> Self {
        Self { form: JsonForm::Product, version: "0.1", keys }
    }

    /// Of a command whose work is data.
    pub(crate) const fn data(keys: &'static [(&'static str, &'static str)]) -> Self {
        Self { form: JsonForm::Data, ..Self::product(keys) }
    }

    /// Of a form that is fixed elsewhere.
    pub(crate) const fn foreign(keys: &'static [(&'static str, &'static str)]) -> Self {
        Self { form: JsonForm::Foreign, ..Self::product(keys) }
    }
}

/// A call that ends with exit 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Example {
    /// Arguments as one types them. What follows `>` is for the shell.
    pub(crate) line: &'static str,
    /// Files that have to be there: of the project (`policy`, `scenarios`), of `tools/cli/tests/fixtures`, or of another
    /// example, which the tests then run first.
    pub(crate) needs: &'static [&'static str],
    /// Files that are there afterwards.
    pub(crate) leaves: &'static [&'static str],
    /// Whether the help shows it.
    pub(crate) shown: bool,
    /// Whether the tests run it.
    pub(crate) tried: bool,
}

impl Example {
    /// One that the help shows and the tests run.
    pub(crate) const fn new(line: &'static str) -> Self {
        Self { line, needs: &[], leaves: &[], shown: true, tried: true }
    }

    /// One that the help shows and the tests only read, because it takes minutes or a file that nobody has.
    pub(crate) const fn shown(line: &'static str) -> Self {
        Self { tried: false, ..Self::new(line) }
    }

    /// One that the tests run and the help does not show.
    pub(crate) const fn tried(line: &'static str) -> Self {
        Self { shown: false, ..Self::new(line) }
    }

    /// Names files that have to be there.
    pub(crate) const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    /// Names files that are there afterwards.
    pub(crate) const fn leaves(self, leaves: &'static [&'static str]) -> Self {
        Self { leaves, ..self }
    }
}

/// A call that is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    /// Arguments as one types them.
    pub(crate) line: &'static str,
    /// The exit code.
    pub(crate) code: u8,
    /// Part of what is said.
    pub(crate) says: &'static str,
    /// As in [`Example::needs`].
    pub(crate) needs: &'static [&'static str],
}

impl Refusal {
    /// `line` ends with exit `code`, and stderr or stdout has `says` in it.
    pub(crate) const fn new(line: &'static str, code: u8, says: &'static str) -> Self {
        Self { line, code, says, needs: &[] }
    }

    /// Names files that have to be there.
    pub(crate) const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }
}

/// The arguments of a line, as a shell would give them to the program.
pub(crate) fn arguments(line: &str) -> Vec<String> {
    let words = shlex::split(line).unwrap_or_default();
    words.into_iter().take_while(|word| word != ">").collect()
}
