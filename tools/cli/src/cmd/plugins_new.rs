//! `plugins new`: a crate to begin a plugin with, which builds and passes its own tests.
//!
//! The files that it is made of are real ones, in `templates/`: the sources are compiled and tested with this program
//! (`tests/plugins_new.rs`), and the tutorial shows them. They are written for a plugin called [`MODEL`].

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_protocol::task::whole_directory;
use std::path::{Path, PathBuf};

/// Make a crate to begin a plugin with: a small one that works, and its tests
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Name of the crate, and end of the plugin's id: lower-case letters, digits and `_`
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// What kind of plugin it is
    #[arg(long, value_name = "KIND", default_value = "coordination-method")]
    kind: Kind,
    /// How it gets to the program
    #[arg(long, value_name = "CARRIER", default_value = "wasm")]
    carrier: Carrier,
    /// Directory of the crate, which must not be there or be empty; NAME when it is not given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Checkout of LabTrust to build against, instead of released crates
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

/// Kinds that there are templates of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Directs many agents of a laboratory.
    CoordinationMethod,
    /// Directs one agent of a laboratory; each has an instance of its own.
    AgentPolicy,
    /// Sends the trucks of a mine to loaders.
    MineDispatch,
}

/// How a plugin gets to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Carrier {
    /// Part of a program of one's own.
    CompiledIn,
    /// A shared library, for people who trust it.
    Native,
    /// A WebAssembly module, for everybody.
    Wasm,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "plugins new",
        notes: "Read with [Your first coordination method](../tutorial/first_method.md); what kinds there are is told in \
                [kinds of plugins](plugin_kinds.md). The crate depends on the released `labtrust-plugin` of this program's \
                version, or with `--sdk` on that of a checkout. A native library and a WebAssembly module need nothing else; \
                with `compiled-in` the crate has a program of its own, which is `labtrust` with the plugin in it.",
        writes: &[
            output("--dir/Cargo.toml", "the crate; `--dir` is NAME when it is not given"),
            output("--dir/src/", "the plugin and its tests"),
            output("--dir/README.md", "the next three commands"),
        ],
        usage: "a NAME that cannot be a crate's, or that hides what the plugin is written with",
        fails: "the directory is there already; `--sdk` is no checkout",
        json: Json::product(&[
            ("id", "the plugin's id"),
            ("plugin_kind", "what kind of plugin it is"),
            ("carrier", "how it gets to the program"),
            ("files", "files of the crate"),
        ]),
        examples: &[
            Example::new("first_method --kind coordination-method --carrier wasm").leaves(&["first_method/src/lib.rs"]),
            Example::tried("night_shift --carrier native --dir deep/er").leaves(&["deep/er/Cargo.toml"]),
            Example::tried("runner --kind agent-policy").leaves(&["runner/build.rs"]),
            Example::tried("shortest_wait --kind mine-dispatch").leaves(&["shortest_wait/build.rs"]),
            Example::tried("own_program --carrier compiled-in").leaves(&["own_program/src/main.rs"]),
        ],
        refusals: &[
            Refusal::new("", 2, "NAME"),
            Refusal::new("first_method", 1, "exists already").needs(&["first_method/src/lib.rs"]),
            Refusal::new("2nd_method", 2, "begins with a lower-case letter"),
            Refusal::new("First-Method", 2, "first_method"),
            Refusal::new("methods/first", 2, "--dir"),
            Refusal::new("loop", 2, "word of Rust"),
            Refusal::new("observation", 2, "`Observation`"),
            Refusal::new("labtrust_plugin", 2, "depends on"),
            Refusal::new("other --sdk nowhere", 1, "nowhere"),
            Refusal::new("other --carrier carrier-pigeon", 2, "carrier-pigeon"),
            Refusal::new("other --kind metric", 2, "metric"),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

/// The name that the templates are written with.
const MODEL: &str = "first_method";
/// Its type.
const MODEL_TYPE: &str = "FirstMethod";
/// What it is called in a sentence, how it is run, and how it is named then.
const MODEL_WORDS: [&str; 3] = [
    "A coordination method",
    "run-benchmark --task coord_scale",
    "--coord-method org.example.first_method --out results.json --log log.jsonl",
];
/// The line of its source that says how it is carried.
const MODEL_EXPORT: &str = "export_wasm!";

/// Words that cannot be a crate's name: those that Rust keeps, and those that cargo refuses.
const RESERVED: [&str; 66] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "main",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "work",
    "yield",
    "con",
    "nul",
    "aux",
];
/// Types that the templates are written with: one of the author's own by this name would hide it.
const TAKEN_TYPES: [&str; 28] = [
    "Act",
    "Agent",
    "Box",
    "Choice",
    "Decision",
    "DeviceStatus",
    "Dispatch",
    "DispatchRequest",
    "Err",
    "Job",
    "LoaderId",
    "LoaderOption",
    "Method",
    "MineSite",
    "NoParams",
    "None",
    "Observation",
    "Ok",
    "Option",
    "Params",
    "Priority",
    "Problem",
    "ProblemKind",
    "Result",
    "Site",
    "Some",
    "Specimen",
    "Stage",
];
/// Longest name [bytes]; that of a registry.
const NAME_MAX: usize = 64;

/// A name that a crate can have.
fn name(given: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if given.contains(['/', '\\']) {
        return Err("it is the crate's name; where the crate lies is said with --dir".to_owned());
    }
    if given.is_empty() {
        return Err("it is empty".to_owned());
    }
    if !given.chars().all(plain) {
        // Of plain characters only, so this does not go on and on.
        let better: String = given.to_lowercase().chars().map(|c| if plain(c) { c } else { '_' }).collect();
        let hint = if name(&better).is_ok() { format!("; did you mean `{better}`?") } else { String::new() };
        return Err(format!("a name has lower-case letters, digits and `_`{hint}"));
    }
    if !given.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(format!(
            "a name begins with a lower-case letter; did you mean `method_{}`?",
            given.trim_start_matches('_')
        ));
    }
    if given.len() > NAME_MAX {
        return Err(format!("a name has at most {NAME_MAX} characters, and this one {}", given.len()));
    }
    if RESERVED.contains(&given) {
        return Err(format!("`{given}` is a word of Rust or of its tools; did you mean `{given}_method`?"));
    }
    if given.starts_with("labtrust") {
        return Err("names with `labtrust` are those of the crates that it depends on".to_owned());
    }
    let type_name = type_name(given);
    if TAKEN_TYPES.contains(&type_name.as_str()) {
        return Err(format!(
            "its type would hide `{type_name}`, with which it is written; did you mean `{given}_method`?"
        ));
    }
    Ok(given.to_owned())
}

/// The name of the plugin's type: `EarliestDue` for `earliest_due`.
fn type_name(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('_').map(capital).collect()
}

/// A file of the templates: its path in the crate, and its text.
type Template = (&'static str, &'static str);

macro_rules! template {
    ($path:literal from $file:literal) => {
        ($path, include_str!(concat!("../../templates/", $file)))
    };
}

const OF_ALL: [Template; 1] = [template!(".gitignore" from "gitignore")];

impl Kind {
    const fn templates(self) -> &'static [Template] {
        match self {
            Self::CoordinationMethod => &[
                template!("src/lib.rs" from "coordination-method/lib.rs"),
                template!("src/work.rs" from "coordination-method/work.rs"),
            ],
            Self::AgentPolicy => &[
                template!("src/lib.rs" from "agent-policy/lib.rs"),
                template!("src/work.rs" from "agent-policy/work.rs"),
            ],
            Self::MineDispatch => &[template!("src/lib.rs" from "mine-dispatch/lib.rs")],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::CoordinationMethod => labtrust_plugin::method::KIND,
            Self::AgentPolicy => labtrust_plugin::agent::KIND,
            Self::MineDispatch => labtrust_plugin::mine::KIND,
        }
    }

    /// The macro that puts a plugin of this kind into the registry.
    const fn register(self) -> &'static str {
        match self {
            Self::CoordinationMethod => "register_method!",
            Self::AgentPolicy => "register_agent!",
            Self::MineDispatch => "register_dispatch!",
        }
    }

    /// What a plugin of this kind is called in a sentence, how it is run, and how it is named then.
    const fn words(self) -> [&'static str; 3] {
        match self {
            Self::CoordinationMethod => MODEL_WORDS,
            Self::AgentPolicy => [
                "An agent policy",
                "run-benchmark --task coord_scale",
                "--agents org.example.first_method --out results.json --log log.jsonl",
            ],
            Self::MineDispatch => [
                "A dispatch policy for mines",
                "run-mine --scenario baseline --replications 5",
                "--dispatch org.example.first_method --out study",
            ],
        }
    }
}

impl Carrier {
    const fn templates(self) -> &'static [Template] {
        match self {
            Self::CompiledIn => &[
                template!("Cargo.toml" from "compiled-in/manifest.toml"),
                template!("README.md" from "compiled-in/README.md"),
                template!("src/main.rs" from "compiled-in/main.rs"),
            ],
            Self::Native => {
                &[template!("Cargo.toml" from "native/manifest.toml"), template!("README.md" from "native/README.md")]
            }
            Self::Wasm => &[
                template!("Cargo.toml" from "wasm/manifest.toml"),
                template!("README.md" from "wasm/README.md"),
                template!("build.rs" from "wasm/build.rs"),
            ],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::CompiledIn => "compiled-in",
            Self::Native => "native",
            Self::Wasm => "wasm",
        }
    }

    /// The macro that makes a plugin of this kind be carried so.
    const fn export(self, kind: Kind) -> &'static str {
        match self {
            Self::CompiledIn => kind.register(),
            Self::Native => "export_native!",
            Self::Wasm => MODEL_EXPORT,
        }
    }
}

fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let Options { name, kind, carrier, .. } = options;
    let sdk = options.sdk.as_deref().map(Sdk::checkout).transpose()?.unwrap_or(Sdk::released());
    let made = |(path, text): &Template| {
        let text = text.replace("SDK", &sdk.plugin).replace("CLI", &sdk.program);
        let words = MODEL_WORDS.into_iter().zip(kind.words());
        let text = words.fold(text, |text, (model, ours)| text.replace(model, ours));
        let text = text.replace(MODEL_EXPORT, carrier.export(*kind));
        (*path, text.replace(MODEL_TYPE, &type_name(name)).replace(MODEL, name))
    };
    let mut files: Vec<(&str, String)> =
        OF_ALL.iter().chain(carrier.templates()).chain(kind.templates()).map(made).collect();
    files.sort_unstable();
    let dir = options.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    let bytes: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    whole_directory(&dir, &bytes, false)?;
    let mut answer = Answer::new(options.format, talk);
    answer.wrote(&dir);
    talk.say(&format!("what to do next is in {}", dir.join("README.md").display()));
    answer.figure("id", format!("org.example.{name}"));
    answer.figure("plugin_kind", kind.name());
    answer.figure("carrier", carrier.name());
    answer.figure("files", files.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    answer.finish::<Options>(true, "")
}

/// Where the crates come from that a plugin depends on, as a manifest says it.
struct Sdk {
    /// `labtrust-plugin`.
    plugin: String,
    /// `labtrust`, for a program with the plugin in it.
    program: String,
}

impl Sdk {
    /// The released crates that belong to this program.
    fn released() -> Self {
        let version =
            concat!("version = \"", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"), "\"");
        Self { plugin: version.to_owned(), program: version.to_owned() }
    }

    /// The crates of a checkout.
    fn checkout(dir: &Path) -> Result<Self, CliError> {
        let no_checkout = |reason: &str| CliError::NoCheckout { path: dir.to_owned(), reason: reason.to_owned() };
        // The crate may lie anywhere, and be moved.
        let dir = dir.canonicalize().map_err(|error| no_checkout(&error.to_string()))?;
        let path = |crate_dir: &str| {
            let path = dir.join(crate_dir);
            if !path.join("Cargo.toml").is_file() {
                return Err(no_checkout(&format!("there is no {crate_dir}/Cargo.toml in it")));
            }
            let text = path.to_str().ok_or_else(|| no_checkout("a manifest holds only paths that are text"))?;
            Ok(format!("path = {}", toml_string(text)))
        };
        Ok(Self { plugin: path("plugins/api")?, program: path("tools/cli")? })
    }
}

/// A string of a manifest.
fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_after_the_crate() {
        assert_eq!(type_name("earliest_due"), "EarliestDue");
        assert_eq!(type_name("a__2nd_try_"), "A2ndTry");
    }

    #[test]
    fn what_is_wrong_with_a_name_is_told_with_a_better_one() {
        let cases = [
            ("", "it is empty"),
            ("é", "a name has lower-case letters, digits and `_`"),
            ("nächste", "a name has lower-case letters, digits and `_`; did you mean `n_chste`?"),
            ("Next Due", "a name has lower-case letters, digits and `_`; did you mean `next_due`?"),
            ("_due", "a name begins with a lower-case letter; did you mean `method_due`?"),
            ("../due", "it is the crate's name; where the crate lies is said with --dir"),
            ("fn", "`fn` is a word of Rust or of its tools; did you mean `fn_method`?"),
            ("site", "its type would hide `Site`, with which it is written; did you mean `site_method`?"),
            ("labtrust", "names with `labtrust` are those of the crates that it depends on"),
        ];
        for (given, message) in cases {
            assert_eq!(name(given), Err(message.to_owned()));
        }
        assert!(name(&"a".repeat(NAME_MAX)).is_ok());
        assert!(name(&"a".repeat(NAME_MAX + 1)).unwrap_err().contains("at most 64"));
    }

    #[test]
    fn every_path_can_be_written_in_a_manifest() {
        assert_eq!(toml_string("C:\\a \"b\"\n"), "\"C:\\\\a \\\"b\\\"\\u000A\"");
    }
}
