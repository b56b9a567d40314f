//! `export-risk-register` and `build-risk-register-bundle`: risks, controls and evidence in one document.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{Session, partner};
use crate::talk::Talk;
use crate::version::GIT_SHA;
use labtrust_assurance::files::write_json;
use labtrust_assurance::register::{BundleOptions, RISK_BUNDLE, Register, build, crosswalk, schema_complaints};
use labtrust_bench::date::timestamp;
use labtrust_evidence::keyfile::read_verifiers;
use labtrust_evidence::note::Verifier;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const SUMMARY: Json = Json::product(&[
    ("evidence", "files that say something [count]"),
    ("inadmissible", "files that prove nothing [count]"),
    ("missing", "risks without evidence [count]"),
    ("risks", "[count]"),
]);

/// Whose signed statements count.
#[derive(Debug, clap::Args)]
pub(super) struct TrustOptions {
    /// File of public keys, or a rotation: signed statements about evidence have to be by one of them. Without it they are
    /// judged by the key that they name, and the document says so
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
}

impl TrustOptions {
    /// The keys, where any were asked for.
    ///
    /// # Errors
    /// [`CliError`] for a file that has no keys.
    pub(super) fn keys(&self) -> Result<Option<Vec<Verifier>>, CliError> {
        Ok(if self.trust.is_empty() { None } else { Some(read_verifiers(&self.trust)?) })
    }
}

/// How a bundle is made, whatever is done with it.
#[derive(Debug, clap::Args)]
struct Making {
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    #[command(flatten)]
    trust: TrustOptions,
    /// Put the time of making into it; two bundles are then not the same bytes
    #[arg(long)]
    include_generated_at: bool,
    /// Write it even where it does not have the shape of its schema
    #[arg(long)]
    no_validate: bool,
}

/// Collect risks, controls and evidence of several runs in one document
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// Directory for RISK_REGISTER_BUNDLE.v0.1.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Directory that a run left, or a pattern with * and ? for several; may be given several times
    #[arg(long, value_name = "DIR_OR_GLOB")]
    runs: Vec<String>,
    /// Directory of an official pack, as one more run
    #[arg(long, value_name = "DIR")]
    include_official_pack: Option<PathBuf>,
    /// Write the document into every run, too
    #[arg(long)]
    inject_ui_export: bool,
    #[command(flatten)]
    making: Making,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Export {
    const SPEC: Spec = Spec {
        name: "export-risk-register",
        notes: "Evidence is opened and judged: [risk register](risk_register.md).",
        writes: &[
            output("--out/RISK_REGISTER_BUNDLE.v0.1.json", "the document"),
            output("RISK_REGISTER_BUNDLE.v0.1.json", "with --inject-ui-export: in every run"),
        ],
        done: "the document is there",
        fails: "a run that is not there, a document that does not have the shape of its schema",
        json: SUMMARY,
        examples: &[
            Example::new("--out risk_register_out").leaves(&["risk_register_out/RISK_REGISTER_BUNDLE.v0.1.json"]),
            Example::shown("--out risk_register_out --runs 'required_bench/*' --runs runs/security_suite"),
        ],
        refusals: &[
            Refusal::new("--out a --runs nowhere", 1, "nowhere"),
            Refusal::new("--out a --partner nobody", 1, "hsl_like"),
            Refusal::new("--out a --trust nowhere.pub", 1, "nowhere.pub"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let mut runs = Vec::new();
        for pattern in &self.runs {
            runs.extend(matching(pattern)?);
        }
        runs.extend(self.include_official_pack.iter().map(|dir| there(dir)).collect::<Result<Vec<_>, _>>()?);
        let mut answer = Answer::new(self.format, talk);
        let bundle = make(global, &runs, &self.making)?;
        let injected = runs.iter().filter(|_| self.inject_ui_export);
        for dir in std::iter::once(&self.out).chain(injected) {
            let path = dir.join(RISK_BUNDLE);
            write_json(&path, &bundle)?;
            answer.wrote(&path);
        }
        finish::<Self>(answer, &bundle)
    }
}

/// Write the document of risks, controls and evidence to a file
#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// The file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Directory that a run left; may be given several times
    #[arg(long = "run", value_name = "DIR")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    making: Making,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Build {
    const SPEC: Spec = Spec {
        name: "build-risk-register-bundle",
        writes: &[output("--out", "the document, as of `export-risk-register`")],
        done: "the document is there",
        fails: "a run that is not there, a document that does not have the shape of its schema",
        json: SUMMARY,
        examples: &[Example::new("--out register.json").leaves(&["register.json"])],
        refusals: &[
            Refusal::new("--out a.json --run nowhere", 1, "nowhere"),
            Refusal::new("--out a.json --partner nobody", 1, "hsl_like"),
            Refusal::new("--out a.json --trust nowhere.pub", 1, "nowhere.pub"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let runs = self.runs.iter().map(|dir| there(dir)).collect::<Result<Vec<_>, _>>()?;
        let bundle = make(global, &runs, &self.making)?;
        write_json(&self.out, &bundle)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out);
        finish::<Self>(answer, &bundle)
    }
}

fn make(global: &Global, runs: &[PathBuf], making: &Making) -> Result<Value, CliError> {
    let policy = Session::open(global, partner(making.partner.as_deref()).as_deref())?.policy;
    let options = BundleOptions {
        base: None,
        runs: runs.to_vec(),
        trust: making.trust.keys()?,
        generated_at: making.include_generated_at.then(|| timestamp(SystemTime::now())),
        git_commit: GIT_SHA.map(str::to_owned),
    };
    let bundle = build(&policy, &Register::load(&policy)?, &options)?;
    let mut wrong = crosswalk(&bundle);
    if !making.no_validate {
        wrong.extend(schema_complaints(&bundle));
    }
    match wrong.first() {
        None => Ok(bundle),
        Some(first) => {
            Err(CliError::Content { path: RISK_BUNDLE.into(), problem: format!("{first} ({} in all)", wrong.len()) })
        }
    }
}

/// Counts what is in a bundle, and prints it.
fn finish<C: CliCommand>(mut answer: Answer, bundle: &Value) -> Result<(), CliError> {
    let evidence = bundle["evidence"].as_array().map_or(&[][..], Vec::as_slice);
    let count = |status: &str| evidence.iter().filter(|entry| entry["status"] == status).count();
    let (present, inadmissible, missing) = (count("present"), count("inadmissible"), count("missing"));
    let risks = bundle["risks"].as_array().map_or(0, Vec::len);
    answer.figures(json!({ "evidence": present, "inadmissible": inadmissible, "missing": missing, "risks": risks }));
    let text = format!(
        "{present} files of evidence, {inadmissible} that prove nothing, {missing} of {risks} risks without evidence\n"
    );
    answer.finish::<C>(true, &text)
}

/// A directory that is there.
///
/// # Errors
/// [`CliError::Unreadable`].
pub(crate) fn there(dir: &Path) -> Result<PathBuf, CliError> {
    match std::fs::read_dir(dir) {
        Ok(_) => Ok(dir.to_path_buf()),
        Err(source) => Err(CliError::Unreadable { path: dir.to_path_buf(), source }),
    }
}

/// The directories that a pattern stands for, sorted. Without `*` and `?` it is the directory itself.
///
/// # Errors
/// [`CliError::Unreadable`] where it stands for none.
pub(crate) fn matching(pattern: &str) -> Result<Vec<PathBuf>, CliError> {
    if !pattern.contains(['*', '?']) {
        return Ok(vec![there(Path::new(pattern))?]);
    }
    let start = if pattern.starts_with('/') { "/" } else { "" };
    let mut found = vec![PathBuf::from(start)];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for dir in found {
            if !part.contains(['*', '?']) {
                next.push(dir.join(part));
                continue;
            }
            let place = if dir.as_os_str().is_empty() { Path::new(".") } else { &dir };
            let entries = std::fs::read_dir(place)
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let mut names: Vec<String> = entries.filter(|name| fits(part.as_bytes(), name.as_bytes())).collect();
            names.sort_unstable();
            next.extend(names.into_iter().map(|name| dir.join(name)));
        }
        found = next;
    }
    found.retain(|dir| dir.is_dir());
    if found.is_empty() {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "no directory is called so");
        return Err(CliError::Unreadable { path: pattern.into(), source });
    }
    Ok(found)
}

/// Whether a name fits a pattern: `?` stands for one byte, `*` for any number. A leading dot has to be written.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    // What a star stands for grows only as far as it must: linear in pattern times name.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if p < pattern.len() && (pattern[p] == b'?' || (pattern[p] != b'*' && pattern[p] == name[n])) {
            (p, n) = (p + 1, n + 1);
        } else if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, n) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_number_of_letters_and_not_for_a_leading_dot() {
        for (pattern, name, wanted) in [
            ("*", "run", true),
            ("*", ".hidden", false),
            ("r?n", "run", true),
            ("r?n", "rn", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "acb", false),
            ("run*", "run", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), wanted, "{pattern} {name}");
        }
    }
}
