//! Verifying a bundle: everything in it that can be recomputed is recomputed, and the report says what that proves.
//!
//! A log and its digests alone detect accidents: whoever can write the files can compute all of them anew. So the
//! report has levels ([`Levels`]), each with what it rests on, and a caller who needs one names what it takes: a key
//! that is trusted, an older checkpoint, a witness. Problems are told in the words of the reference where it has some.

mod content;
mod files;
mod policy;
mod seal;

use crate::chain::EpisodeChain;
use crate::derive::{ChainFinding, Derived, Deriver};
use crate::export::{CORRECTED, LOG, MANIFEST, PACK, RUN_FACTS};
use crate::lines::{self, Form};
use crate::merkle::Hash;
use crate::note::Verifier;
use crate::receipts::Rules;
use crate::replay::{Replay, Unlike};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Starts a replay from the facts of a run (`run_facts.v0.2.json`); in words, why it cannot be run again.
pub type StartReplay<'a> = dyn Fn(&Value) -> Result<Box<dyn Replay>, String> + Sync + 'a;

/// How to verify.
#[derive(Default)]
pub struct Verify<'a> {
    /// The policy that fingerprints are recomputed with; without one they are not.
    pub policy: Option<&'a PolicyStore>,
    /// How the policy's directory is called in messages.
    pub policy_place: &'a str,
    /// Files that the manifest does not list are no error.
    pub allow_extra_files: bool,
    /// All four fingerprints have to be there.
    pub strict_fingerprints: bool,
    /// Keys that are trusted. With any, the bundle has to be authentic.
    pub trust: &'a [Verifier],
    /// Keys of witnesses. With any, the checkpoint has to be witnessed.
    pub witnesses: &'a [Verifier],
    /// An older checkpoint. With one, the log has to go on from it.
    pub since: Option<&'a [u8]>,
    /// How steps are played again.
    pub replay: Option<&'a StartReplay<'a>>,
    /// A log that cannot be replayed is an error.
    pub require_replay: bool,
}

/// Whether a level of proof is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// It is; and on what that rests.
    Held(String),
    /// Nothing speaks against it, and it was not proved; why not.
    NotProved(String),
    /// It is not; why.
    Failed(String),
}

impl Level {
    /// Whether it is held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }

    /// `held`, `not_proved` or `failed`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Held(_) => "held",
            Self::NotProved(_) => "not_proved",
            Self::Failed(_) => "failed",
        }
    }

    /// The sentence with it.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Held(why) | Self::NotProved(why) | Self::Failed(why) => why,
        }
    }
}

/// What a bundle proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    /// Digests, chain and everything that follows from the log.
    pub integrity: Level,
    /// Signed by a key that is trusted.
    pub authentic: Level,
    /// The log goes on from an older checkpoint.
    pub append_only: Level,
    /// The engine does every step again.
    pub replayed: Level,
    /// A witness has seen the checkpoint.
    pub witnessed: Level,
}

impl Levels {
    /// Names and levels, the weakest claim first.
    #[must_use]
    pub fn each(&self) -> [(&'static str, &Level); 5] {
        [
            ("integrity", &self.integrity),
            ("authentic", &self.authentic),
            ("append_only", &self.append_only),
            ("replayed", &self.replayed),
            ("witnessed", &self.witnessed),
        ]
    }
}

/// What verification came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Everything that is wrong, the first thing first.
    pub errors: Vec<String>,
    /// Files that the manifest lists [count].
    pub manifest_files: usize,
    /// Receipts [count].
    pub receipts: usize,
    /// Lines of the log [count].
    pub lines: u64,
    /// What is proved.
    pub levels: Levels,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.errors.is_empty()
    }

    /// The report for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let level =
            |(name, level): (&str, &Level)| (name.to_owned(), json!({ "state": level.name(), "why": level.why() }));
        json!({
            "passed": self.passed(),
            "manifest_files": self.manifest_files,
            "receipts": self.receipts,
            "log_lines": self.lines,
            "errors": self.errors,
            "levels": self.levels.each().map(level).into_iter().collect::<Map<_, _>>(),
        })
    }

    /// The report for people; `bundle` is what they call it.
    #[must_use]
    pub fn text(&self, bundle: &str) -> String {
        let mut text = format!("VERIFICATION REPORT\n  Bundle: {bundle}\n");
        let _ = writeln!(text, "  Manifest files: {}", self.manifest_files);
        let _ = writeln!(text, "  Receipts: {}", self.receipts);
        let _ = writeln!(text, "  Result: {}", if self.passed() { "PASS" } else { "FAIL" });
        for (name, level) in self.levels.each() {
            let _ = writeln!(
                text,
                "  {:<12} {:<11} {}",
                format!("{}:", name.replace('_', "-")),
                level.name().replace('_', " "),
                level.why()
            );
        }
        if let Some(first) = self.errors.first() {
            let _ = writeln!(text, "  First error: {first}\n  Total errors: {}", self.errors.len());
            text.extend(self.errors.iter().map(|error| format!("{error}\n")));
        }
        text
    }
}

/// A bundle while it is verified.
struct Bundle<'a> {
    dir: &'a Path,
    options: &'a Verify<'a>,
    manifest: Map<String, Value>,
    manifest_bytes: Vec<u8>,
    rules: Rules,
}

/// What the pass over the log found.
struct LogPass {
    derived: Derived,
    /// SHA-256 of the file.
    sha256: String,
    trace_sha256: String,
    enforcements_sha256: String,
    /// Root over the lines that the older checkpoint covers.
    root_since: Option<Hash>,
    replayed: Level,
}

impl Verify<'_> {
    /// Verifies the bundle in `dir`.
    #[must_use]
    pub fn run(&self, dir: &Path) -> Report {
        let bundle = match Bundle::open(dir, self) {
            Ok(bundle) => bundle,
            Err(error) => return unreadable(error),
        };
        let mut errors = bundle.strict_fingerprints();
        let files = bundle.files(&mut errors);
        let log = bundle.pass_over_log();
        if let (Ok(log), Some(listed)) = (&log, files.listed.get(LOG)) {
            errors.extend(files::other_digest(LOG, listed, &log.sha256));
        }
        bundle.schemas(&files, &mut errors);
        bundle.fhir(&mut errors);
        let (mut lines, mut chain) = (0, None);
        let mut replayed = Level::NotProved("the log could not be read".to_owned());
        match &log {
            Ok(log) => {
                lines = log.derived.lines;
                bundle.proof(&log.derived, &mut errors);
                bundle.audit_digest(&log.derived, &mut errors);
                bundle.trace(log, &files, &mut errors);
                chain = Some(&log.derived.chain);
                replayed = log.replayed.clone();
            }
            // A log that is not there is told with the files.
            Err(_) if !files.present.contains(LOG) => {}
            Err(error) => errors.push(error.clone()),
        }
        bundle.policy_pack(&files, &mut errors);
        bundle.fingerprints(&mut errors);
        bundle.prompt(&files, &mut errors);
        bundle.signatures_v1(&files, &mut errors);
        if let Ok(log) = &log {
            bundle.receipts(log, &files, &mut errors);
            if let ChainFinding::Broken(line, problem) = &log.derived.chain {
                errors.push(format!("{LOG} line {}: the hash chain does not hold: {problem}", line + 1));
            }
            if let Level::Failed(why) = &log.replayed {
                errors.push(format!("replay: {why}"));
            }
        }
        let log = log.as_ref().ok();
        let sealed = bundle.seal(log, &files, &mut errors);
        if let (true, Level::NotProved(why)) = (self.require_replay, &replayed) {
            errors.push(format!("replay: {why}"));
        }
        let integrity = match (errors.first(), chain) {
            (Some(first), _) => Level::Failed(first.clone()),
            (None, Some(ChainFinding::Recomputed(episodes))) => Level::Held(integrity(episodes)),
            (None, _) => Level::NotProved(
                "digests and receipts are right, and the log does not have the events that its hashes are of"
                    .to_owned(),
            ),
        };
        let receipts = files.listed.keys().filter(|name| files::is_receipt(name)).count();
        Report {
            errors,
            manifest_files: files.listed.len(),
            receipts,
            lines,
            levels: Levels {
                integrity,
                authentic: sealed.authentic,
                append_only: sealed.append_only,
                replayed,
                witnessed: sealed.witnessed,
            },
        }
    }
}

fn integrity(episodes: &[EpisodeChain]) -> String {
    let records: u64 = episodes.iter().map(|episode| episode.length).sum();
    let count = episodes.len();
    format!("{records} hashes of {count} episode{} and every digest recomputed", if count == 1 { "" } else { "s" })
}

/// The report of a bundle whose manifest says nothing.
fn unreadable(error: String) -> Report {
    let not = || Level::NotProved("there is no manifest".to_owned());
    let integrity = Level::Failed(error.clone());
    Report {
        errors: vec![error],
        manifest_files: 0,
        receipts: 0,
        lines: 0,
        levels: Levels { integrity, authentic: not(), append_only: not(), replayed: not(), witnessed: not() },
    }
}

impl<'a> Bundle<'a> {
    fn open(dir: &'a Path, options: &'a Verify<'a>) -> Result<Self, String> {
        let bytes = match files::read_plain(dir, MANIFEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(format!("{MANIFEST}: missing")),
            Err(problem) => return Err(format!("{MANIFEST}: {problem}")),
        };
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| format!("{MANIFEST}: invalid JSON: {error}"))?;
        let Value::Object(manifest) = value else { return Err(format!("{MANIFEST}: it should be a map")) };
        let corrected = manifest.get("receipt_rules").and_then(Value::as_str) == Some(CORRECTED);
        let rules = if corrected { Rules::Corrected } else { Rules::Reference };
        Ok(Self { dir, options, manifest, manifest_bytes: bytes, rules })
    }

    /// One pass over the log: everything that follows from it, and the replay.
    fn pass_over_log(&self) -> Result<LogPass, String> {
        use sha2::{Digest, Sha256};
        let path = self.dir.join(LOG);
        files::refuse_link(&path)?;
        let since = self.options.since.and_then(seal::size_of);
        let mut deriver = Deriver::new(self.rules);
        let mut replay = self.start_replay();
        let (mut trace, mut enforcements) = (Sha256::new(), Sha256::new());
        let (mut trace_rows, mut enforcement_rows) = (Vec::new(), Vec::new());
        let mut root_since = (since == Some(0)).then(crate::merkle::empty_root);
        let report = lines::read(&path, Form::Canonical, |line| {
            trace_rows.clear();
            enforcement_rows.clear();
            deriver.take(line, &mut trace_rows, &mut enforcement_rows);
            trace.update(&trace_rows);
            enforcements.update(&enforcement_rows);
            if since == Some(deriver.size()) {
                root_since = Some(deriver.root());
            }
            if let Ok(replay) = &mut replay
                && !replay.has_failed()
            {
                replay.take(Arc::clone(line));
            }
        });
        let report = report.map_err(|error| error.to_string().replace(&path.display().to_string(), LOG))?;
        if report.torn_tail > 0 {
            return Err(format!("{LOG}: it ends in the middle of a line: {} bytes more", report.torn_tail));
        }
        let derived = deriver.finish(self.root_hash().as_deref());
        let replayed = match replay.map(|mut replay| replay.finish()) {
            Err(why) => Level::NotProved(why),
            Ok(Ok(())) => Level::Held(format!("the engine did all {} steps again, with the same bytes", derived.lines)),
            Ok(Err(Unlike { line: Some(line), problem })) => Level::Failed(format!("{LOG} line {line}: {problem}")),
            Ok(Err(Unlike { line: None, problem })) => Level::Failed(problem),
        };
        Ok(LogPass {
            derived,
            sha256: report.sha256,
            trace_sha256: crate::digest::hex(&trace.finalize()),
            enforcements_sha256: crate::digest::hex(&enforcements.finalize()),
            root_since,
            replayed,
        })
    }

    fn start_replay(&self) -> Result<Box<dyn Replay>, String> {
        let Some(start) = self.options.replay else { return Err("replay was not asked for".to_owned()) };
        let facts = files::read_plain(self.dir, RUN_FACTS)?;
        let Some(facts) = facts else { return Err(format!("the bundle has no {RUN_FACTS}")) };
        start(&serde_json::from_slice(&facts).map_err(|error| format!("{RUN_FACTS}: {error}"))?)
    }

    /// The digest of the policy pack, which receipts repeat.
    fn root_hash(&self) -> Option<String> {
        let pack = files::read_plain(self.dir, PACK).ok().flatten()?;
        let pack: Value = serde_json::from_slice(&pack).ok()?;
        pack.get("root_hash")?.as_str().map(str::to_owned)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.manifest.get(key).and_then(Value::as_str)
    }
}
