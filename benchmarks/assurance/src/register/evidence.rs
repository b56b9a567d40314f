//! Which evidence there is in a directory, in the order of the published format.

use super::assess::{Assessment, Flaw, Reason};
use super::attacks::{self, ATTACK_RESULTS};
use super::custody::{Custody, MANIFEST, Opened};
use super::policy::Register;
use super::{pack, run};
use labtrust_evidence::export::BUNDLE;
use labtrust_evidence::note::Verifier;
use labtrust_evidence::release::bundles;
use labtrust_evidence::verify::Verify;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A directory with what a command left, and how it is called in the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    /// Where it is.
    pub path: PathBuf,
    /// Put before paths in it; empty where it is the only one.
    pub prefix: String,
    /// Its own name.
    pub name: String,
}

/// A piece of evidence.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Its id is this with a number, or this alone where it ends in a name.
    pub id: String,
    /// Its type in the bundle.
    pub kind: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// Path in the bundle.
    pub path: String,
    /// `high` or `medium`, by where it comes from.
    pub strength: &'static str,
    /// Other files that it rests on, with their digests.
    pub artifacts: Vec<(String, Option<String>)>,
    /// What vouched for its bytes.
    pub verified_by: Vec<String>,
    /// What it says of which risk.
    pub assessments: Vec<Assessment>,
    /// Why nothing of it counts.
    pub flaw: Option<Reason>,
    /// Whether it is only the shell of a run.
    pub synthetic: bool,
    /// What is in it, in figures.
    pub summary: Option<Value>,
    /// Further members of its entry.
    pub more: Map<String, Value>,
}

impl Evidence {
    /// Risks that it counts for, sorted.
    #[must_use]
    pub fn risks(&self) -> BTreeSet<&str> {
        self.assessments.iter().filter(|one| one.is_admissible()).map(|one| one.risk.as_str()).collect()
    }

    /// Whether it proves anything. What is about no risk only has to be readable.
    #[must_use]
    pub fn is_admissible(&self) -> bool {
        self.flaw.is_none() && (self.assessments.is_empty() || self.assessments.iter().any(Assessment::is_admissible))
    }

    /// Why it does not.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        if self.is_admissible() {
            return None;
        }
        let first = self.assessments.iter().find_map(|one| one.flaw.as_ref());
        self.flaw.as_ref().or(first).map(Reason::to_string)
    }
}

/// What is found in a directory, and which files of it are linked: path in the directory and label.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The evidence, in order.
    pub evidence: Vec<Evidence>,
    /// The links, in order.
    pub links: Vec<(String, &'static str)>,
}

struct Search<'a> {
    custody: Custody,
    dir: &'a RunDir,
    register: &'a Register,
    found: Found,
}

/// Looks for evidence in a directory, and opens all of it. With `trust`, signed statements have to be by one of these keys.
#[must_use]
pub fn discover(dir: &RunDir, register: &Register, trust: Option<&[Verifier]>) -> Found {
    let custody = Custody::trusting(&dir.path, trust);
    let mut search = Search { custody, dir, register, found: Found::default() };
    search.attack_results();
    search.document("ev-coverage", "security_suite", "Securitization coverage", "SECURITY/coverage.json", "high");
    search.study();
    for path in ["coordination_matrix.v0.1.json", "COORDINATION_MATRIX/COORDINATION_MATRIX.v0.1.json"] {
        let id = format!("EVID-COORD-MATRIX-v0.1:{}", dir.name);
        if search.document(&id, "coordination_study", "Coordination matrix", path, "medium") {
            break;
        }
    }
    search.pack();
    let _ =
        search.text("ev-coord-risk-matrix", "security_suite", "Coordination risk matrix", pack::RISK_MATRIX, "high")
            || search.text(
                "ev-coord-risk-matrix",
                "security_suite",
                "Coordination risk matrix",
                "SECURITY/coordination_risk_matrix.md",
                "high",
            );
    search.coord_run();
    search.text(
        "ev-lab-coord-report",
        "other",
        "Laboratory coordination report",
        "LAB_COORDINATION_REPORT.md",
        "medium",
    );
    search.document(
        "ev-coord-decision",
        "coordination_study",
        "Coordination decision",
        "COORDINATION_DECISION.v0.1.json",
        "medium",
    );
    search.document("ev-pareto", "coordination_study", "Pareto front", "PARETO/pareto.json", "medium");
    search.document("ev-safety-case", "safety_case", "Safety case claims", "SAFETY_CASE/safety_case.json", "high");
    search.manifest();
    search.found
}

impl Search<'_> {
    fn named(&self, path: &str) -> String {
        format!("{}{path}", self.dir.prefix)
    }

    fn evidence(
        &self,
        id: &str,
        kind: &'static str,
        label: &'static str,
        path: &str,
        strength: &'static str,
    ) -> Evidence {
        Evidence {
            id: id.to_owned(),
            kind,
            label,
            path: self.named(path),
            strength,
            artifacts: vec![(self.named(path), None)],
            verified_by: Vec::new(),
            assessments: Vec::new(),
            flaw: None,
            synthetic: false,
            summary: None,
            more: Map::new(),
        }
    }

    /// Opens `path` for `evidence`; nothing where that fails, with the reason noted.
    fn open(&self, evidence: &mut Evidence, path: &str) -> Option<Opened> {
        match self.custody.open(path) {
            Ok(opened) => {
                evidence.artifacts[0].1 = Some(opened.sha256.clone());
                evidence.verified_by.clone_from(&opened.verified_by);
                Some(opened)
            }
            Err(reason) => {
                evidence.flaw = Some(reason);
                None
            }
        }
    }

    fn keep(&mut self, evidence: Evidence, path: &str) {
        self.found.links.push((path.to_owned(), evidence.label));
        self.found.evidence.push(evidence);
    }

    /// A JSON document that says nothing of a single risk. Whether it is there.
    fn document(
        &mut self,
        id: &str,
        kind: &'static str,
        label: &'static str,
        path: &str,
        strength: &'static str,
    ) -> bool {
        self.plain(id, kind, label, path, strength, |bytes| {
            let document: Value =
                serde_json::from_slice(bytes).map_err(|error| Flaw::Unreadable.because(error.to_string()))?;
            let is_empty =
                document.as_object().is_none_or(Map::is_empty) && document.as_array().is_none_or(Vec::is_empty);
            if is_empty { Err(Flaw::Empty.because("there is nothing in it")) } else { Ok(()) }
        })
    }

    /// A text that says nothing of a single risk. Whether it is there.
    fn text(&mut self, id: &str, kind: &'static str, label: &'static str, path: &str, strength: &'static str) -> bool {
        self.plain(id, kind, label, path, strength, |bytes| {
            let text = std::str::from_utf8(bytes).map_err(|error| Flaw::Unreadable.because(error.to_string()))?;
            if text.trim().is_empty() { Err(Flaw::Empty.because("there is nothing in it")) } else { Ok(()) }
        })
    }

    fn plain(
        &mut self,
        id: &str,
        kind: &'static str,
        label: &'static str,
        path: &str,
        strength: &'static str,
        read: impl Fn(&[u8]) -> Result<(), Reason>,
    ) -> bool {
        if !self.custody.has(path) {
            return false;
        }
        let mut evidence = self.evidence(id, kind, label, path, strength);
        if let Some(opened) = self.open(&mut evidence, path) {
            evidence.flaw = read(&opened.bytes).err();
        }
        self.keep(evidence, path);
        true
    }

    fn attack_results(&mut self) {
        if !self.custody.has(ATTACK_RESULTS) {
            return;
        }
        let mut evidence =
            self.evidence("ev-security", "security_suite", "Security suite results", ATTACK_RESULTS, "high");
        if let Some(opened) = self.open(&mut evidence, ATTACK_RESULTS) {
            match attacks::read(&opened.bytes, self.register) {
                Ok(results) => {
                    evidence.summary = Some(results.summary);
                    if !results.reason_codes.is_empty() {
                        evidence
                            .more
                            .insert("reason_code_distribution".to_owned(), Value::Object(results.reason_codes));
                    }
                    evidence.assessments = results.assessments;
                }
                Err(reason) => evidence.flaw = Some(reason),
            }
        }
        evidence.synthetic = evidence.flaw.as_ref().is_some_and(|reason| reason.flaw == Flaw::Synthetic);
        self.keep(evidence, ATTACK_RESULTS);
    }

    fn study(&mut self) {
        const PATH: &str = "summary/summary_coord.csv";
        const FIGURES: [&str; 8] = [
            "perf.p95_tat",
            "perf.throughput",
            "robustness.resilience_score",
            "safety.violations_total",
            "sec.attack_success_rate",
            "sec.blast_radius_proxy",
            "sec.stealth_success_rate",
            "sec.time_to_attribution_steps",
        ];
        if !self.custody.has(PATH) {
            return;
        }
        let mut evidence =
            self.evidence("ev-coord-summary", "coordination_study", "Coordination study summary", PATH, "medium");
        if let Some(opened) = self.open(&mut evidence, PATH) {
            let mut reader = csv::Reader::from_reader(opened.bytes.as_slice());
            let header = reader.headers().cloned().unwrap_or_default();
            let records: Result<Vec<csv::StringRecord>, csv::Error> = reader.records().collect();
            match records {
                Err(error) => evidence.flaw = Some(Flaw::Unreadable.because(error.to_string())),
                Ok(records) if records.is_empty() => evidence.flaw = Some(Flaw::Empty.because("it has no row")),
                Ok(records) => {
                    let figure = |record: &csv::StringRecord, name: &str| {
                        let at = header.iter().position(|column| column == name)?;
                        let number: f64 = record.get(at)?.parse().ok()?;
                        number.is_finite().then_some(number)
                    };
                    let row = |record: &csv::StringRecord| -> Map<String, Value> {
                        FIGURES.iter().map(|name| ((*name).to_owned(), json!(figure(record, name)))).collect()
                    };
                    let rows: Vec<Map<String, Value>> = records.iter().map(row).collect();
                    evidence.summary = Some(json!({ "coord_metrics": rows, "row_count": rows.len() }));
                }
            }
        }
        self.keep(evidence, PATH);
    }

    fn pack(&mut self) {
        if !self.custody.has(pack::SUMMARY) {
            return;
        }
        let mut evidence = self.evidence(
            "ev-coord-pack-summary",
            "coordination_pack",
            "Coordination security pack",
            pack::SUMMARY,
            "high",
        );
        if let Some(opened) = self.open(&mut evidence, pack::SUMMARY) {
            match pack::read(&self.custody, &opened.bytes, &self.register.plan.validity) {
                Ok(read) => {
                    evidence.assessments = read.assessments;
                    evidence.summary = Some(json!({ "row_count": read.rows }));
                }
                Err(reason) => evidence.flaw = Some(reason),
            }
            for path in [pack::GATE, pack::GATE_SUMMARY, pack::RISK_MATRIX] {
                if let Ok(opened) = self.custody.open(path) {
                    evidence.artifacts.push((self.named(path), Some(opened.sha256)));
                }
            }
        }
        evidence.synthetic = pack::is_shell(&self.custody);
        self.keep(evidence, pack::SUMMARY);
    }

    fn coord_run(&mut self) {
        if !self.custody.has(run::RESULTS) || self.custody.has(pack::SUMMARY) {
            return;
        }
        let mut evidence =
            self.evidence("ev-coord-risk-run", "coord_risk_run", "Coordination under attack", run::RESULTS, "medium");
        if let Some(opened) = self.open(&mut evidence, run::RESULTS) {
            // Results of other tasks are no evidence of a risk, and no failed evidence either.
            if !run::is_coord_risk(&opened.bytes) {
                return;
            }
            match run::read(&self.custody, &opened.bytes, &self.register.plan.validity) {
                Ok(read) => {
                    evidence.synthetic = read
                        .assessments
                        .iter()
                        .any(|one| one.flaw.as_ref().is_some_and(|reason| reason.flaw == Flaw::Synthetic));
                    evidence.assessments = read.assessments;
                    evidence.summary = Some(read.summary);
                    if let Some(without) = read.without {
                        evidence.artifacts.push((self.named(run::WITHOUT), Some(without.sha256)));
                    }
                }
                Err(reason) => evidence.flaw = Some(reason),
            }
        }
        self.keep(evidence, run::RESULTS);
    }

    /// The manifest, and the bundles of receipts that it lists.
    fn manifest(&mut self) {
        if !self.custody.has(MANIFEST) {
            return;
        }
        let mut evidence =
            self.evidence("ev-manifest", "bundle_verification", "Manifest of all files", MANIFEST, "medium");
        match std::fs::read(self.dir.path.join(MANIFEST)) {
            Ok(bytes) => {
                evidence.artifacts[0].1 = Some(labtrust_evidence::digest::sha256(&bytes));
                evidence.flaw = all_hold(&self.custody, &bytes).err();
            }
            Err(error) => evidence.flaw = Some(Flaw::Unreadable.because(error.to_string())),
        }
        let found = bundles(&self.dir.path);
        if !found.is_empty() {
            let reports: Vec<_> = found.iter().map(|path| Verify::default().run(&self.dir.path.join(path))).collect();
            let errors: Vec<&String> = reports.iter().flat_map(|report| &report.errors).collect();
            let holds = errors.is_empty();
            let summary = json!({
                "manifest_valid": holds, "schema_valid": holds, "hashchain_valid": holds, "invariant_trace_valid": holds,
                "errors": errors,
            });
            evidence.more.insert("verification_summary".to_owned(), summary);
            if !holds && evidence.flaw.is_none() {
                evidence.flaw = Some(Flaw::Unverified.because(format!("a bundle ({BUNDLE}) does not hold")));
            }
        }
        self.keep(evidence, MANIFEST);
    }
}

/// Every file that a manifest lists holds.
fn all_hold(custody: &Custody, manifest: &[u8]) -> Result<(), Reason> {
    let manifest: Value =
        serde_json::from_slice(manifest).map_err(|error| Flaw::Unreadable.because(error.to_string()))?;
    let files = manifest["files"].as_array().filter(|files| !files.is_empty());
    for file in files.ok_or_else(|| Flaw::Empty.because("it lists no file"))? {
        let path = file["path"].as_str().unwrap_or_default();
        if !is_inside(path) {
            return Err(Flaw::Unreadable.because(format!("{path:?} is no path in the directory")));
        }
        custody.open(path)?;
    }
    Ok(())
}

fn is_inside(path: &str) -> bool {
    !path.contains('\\') && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// The directories of `paths` that there are, sorted and each once, with a prefix that tells them apart.
#[must_use]
pub fn run_dirs(paths: &[PathBuf], base: Option<&Path>) -> Vec<RunDir> {
    let mut real: Vec<PathBuf> =
        paths.iter().filter(|path| path.is_dir()).filter_map(|path| path.canonicalize().ok()).collect();
    real.sort();
    real.dedup();
    let tail = |path: &Path, depth: usize| -> String {
        let parts: Vec<String> =
            path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        parts[parts.len().saturating_sub(depth)..].join("/")
    };
    let deepest = real.iter().map(|path| path.components().count()).max().unwrap_or(1);
    // Names that stand for two directories are made longer until they do not.
    let depth = (1..=deepest).find(|depth| {
        let names: BTreeSet<String> = real.iter().map(|path| tail(path, *depth)).collect();
        names.len() == real.len()
    });
    let depth = depth.unwrap_or(deepest);
    let several = real.len() > 1;
    let base = base.and_then(|base| base.canonicalize().ok());
    let dir = |path: PathBuf| {
        if let Some(inside) = base.as_deref().and_then(|base| path.strip_prefix(base).ok()) {
            let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let name = parts.join("/");
            return match name.is_empty() {
                true => RunDir { prefix: String::new(), name: ".".to_owned(), path },
                false => RunDir { prefix: format!("{name}/"), name, path },
            };
        }
        let name = tail(&path, depth);
        RunDir { prefix: if several { format!("{name}/") } else { String::new() }, name, path }
    };
    real.into_iter().map(dir).collect()
}
