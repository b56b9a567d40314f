//! The safety case: what is claimed, on what it rests, and whether that holds.
//!
//! A claim is supported where every one of its conditions holds of artefacts that are there. It is unsupported where one does
//! not hold, and not evaluated where nothing speaks against it but something is not there to look at.

use super::custody::Custody;
use super::policy::{CLAIMS, Claim, Condition, Register};
use super::{attacks, pack};
use labtrust_evidence::digest::sha256;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Where the case is written.
pub const SAFETY_CASE: &str = "SAFETY_CASE/safety_case.json";
/// The same for reading.
pub const SAFETY_CASE_TEXT: &str = "SAFETY_CASE/safety_case.md";

/// How a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseStatus {
    /// Every condition holds.
    Supported,
    /// One does not hold.
    Unsupported,
    /// Something is not there to look at.
    NotEvaluated,
}

impl CaseStatus {
    /// Its name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Unsupported => "unsupported",
            Self::NotEvaluated => "not_evaluated",
        }
    }
}

/// A condition that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Looked {
    id: String,
    status: CaseStatus,
    detail: String,
}

/// A claim that was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    claim: Claim,
    /// How it stands.
    pub status: CaseStatus,
    conditions: Vec<Looked>,
    artefacts: Vec<(String, String)>,
    digest: String,
}

impl Judged {
    /// The id of the claim.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.claim.claim_id
    }

    /// What does not hold or is not there, in order.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let open = self.conditions.iter().filter(|one| one.status != CaseStatus::Supported);
        open.map(|one| format!("{}: {}", one.id, one.detail)).collect()
    }
}

/// All claims, in the order of the policy.
#[derive(Clone, Debug)]
pub struct SafetyCase {
    /// The partner whose overlay is on the policy.
    pub partner: Option<String>,
    /// The claims.
    pub claims: Vec<Judged>,
}

/// What conditions are judged by.
struct Look<'a> {
    register: &'a Register,
    custody: &'a Custody,
    /// What is wrong with the policy.
    findings: &'a [String],
    /// Files that were opened, with their digests.
    opened: BTreeMap<String, String>,
}

impl SafetyCase {
    /// Judges every claim by the artefacts in `dir`. `findings` is everything that validation of the policy finds, with
    /// [`crossref`](super::crossref) in it.
    #[must_use]
    pub fn judge(register: &Register, dir: &Path, findings: &[String]) -> Self {
        let custody = Custody::of(dir);
        let judge =
            |claim: &Claim| Look { register, custody: &custody, findings, opened: BTreeMap::new() }.claim(claim);
        Self { partner: register.partner.clone(), claims: register.claims.iter().map(judge).collect() }
    }

    /// Claims that are not supported.
    pub fn open(&self) -> impl Iterator<Item = &Judged> {
        self.claims.iter().filter(|claim| claim.status != CaseStatus::Supported)
    }

    /// The document.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut document = json!({
            "version": "0.1",
            "source": format!("policy/{CLAIMS}"),
            "claims": self.claims.iter().map(claim_json).collect::<Vec<_>>(),
        });
        if let Some(partner) = &self.partner {
            document["partner_id"] = json!(partner);
        }
        document
    }

    /// The document for reading.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# Safety case\n\nWhat is claimed, on what it rests, and whether that holds.\nSource: policy/{CLAIMS}\n"
        );
        for judged in &self.claims {
            let claim = &judged.claim;
            let _ = write!(text, "\n---\n\n## {}\n\n**Statement:** {}\n\n", claim.claim_id, claim.statement);
            let _ = writeln!(text, "**Status:** {}\n", judged.status.name());
            let list = |text: &mut String, title: &str, rows: &[String], mark: &str| {
                if !rows.is_empty() {
                    let rows: String = rows.iter().map(|row| format!("- {mark}{row}{mark}\n")).collect();
                    let _ = writeln!(text, "**{title}:**\n{rows}");
                }
            };
            let looked: Vec<String> = judged
                .conditions
                .iter()
                .map(|one| match one.status {
                    CaseStatus::Supported => format!("{}: holds", one.id),
                    CaseStatus::Unsupported => format!("{}: does not hold ({})", one.id, one.detail),
                    CaseStatus::NotEvaluated => format!("{}: not looked at ({})", one.id, one.detail),
                })
                .collect();
            list(&mut text, "Conditions", &looked, "");
            list(&mut text, "Controls", &claim.controls, "");
            let commands = if claim.commands_native.is_empty() { &claim.commands } else { &claim.commands_native };
            list(&mut text, "Reproduce (primary)", commands, "`");
            list(&mut text, "Supporting tests", &claim.tests, "`");
            list(&mut text, "Artifacts", &claim.artifacts, "");
        }
        text
    }
}

fn claim_json(judged: &Judged) -> Value {
    let claim = &judged.claim;
    let control = |id: &String| {
        let mut link = json!({ "type": "control", "id": id });
        if id.starts_with("CTRL-") {
            link["source"] = "security_suite".into();
        }
        link
    };
    let test = |name: &String| json!({ "type": "test", "ref": name, "path": test_path(name) });
    let artifact = |path: &String| json!({ "type": "artifact", "path": path });
    let links: Vec<Value> = claim
        .controls
        .iter()
        .map(control)
        .chain(claim.tests.iter().map(test))
        .chain(claim.artifacts.iter().map(artifact))
        .collect();
    let condition = |one: &Looked| json!({ "id": one.id, "status": one.status.name(), "detail": one.detail });
    let mut row = json!({
        "claim_id": claim.claim_id, "claim_version": claim.claim_version, "statement": claim.statement,
        "controls": claim.controls, "tests": claim.tests, "artifacts": claim.artifacts, "commands": claim.commands,
        "commands_native": claim.commands_native,
        "traceability": { "claim_id": claim.claim_id, "evidence_links": links },
        "status": judged.status.name(), "evaluated_at_digest": judged.digest,
        "conditions": judged.conditions.iter().map(condition).collect::<Vec<_>>(),
    });
    if let Some(expected) = &claim.artifacts_expected {
        row["artifacts_expected"] = expected.clone().into();
        let digest = |(path, sha256): &(String, String)| json!({ "path": path, "sha256": sha256 });
        row["artifact_sha256"] = judged.artefacts.iter().map(digest).collect();
    }
    row
}

/// The file of a test: `tests.golden` is a target of the crate of end-to-end tests, with `::name` one test in it.
fn test_path(name: &str) -> String {
    let target = name.split("::").next().unwrap_or(name);
    format!("tests/{}.rs", target.replace('.', "/"))
}

impl Look<'_> {
    fn claim(&mut self, claim: &Claim) -> Judged {
        let conditions: Vec<Looked> = claim.conditions.iter().map(|condition| self.condition(condition)).collect();
        let any = |status: CaseStatus| conditions.iter().any(|one| one.status == status);
        let status = match () {
            () if any(CaseStatus::Unsupported) => CaseStatus::Unsupported,
            () if conditions.is_empty() || any(CaseStatus::NotEvaluated) => CaseStatus::NotEvaluated,
            () => CaseStatus::Supported,
        };
        let expected = claim.artifacts_expected.iter().flatten();
        let artefacts =
            expected.filter_map(|path| Some((path.clone(), self.custody.open(path).ok()?.sha256))).collect();
        // What the judgement rests on: the files that were looked at and what was found in them.
        let found: Vec<Value> = conditions.iter().map(|one| json!([one.id, one.status.name(), one.detail])).collect();
        let ground = json!({ "files": self.opened, "conditions": found });
        let digest = sha256(&labtrust_evidence::release::pretty(&ground));
        Judged { claim: claim.clone(), status, conditions, artefacts, digest }
    }

    fn condition(&mut self, condition: &Condition) -> Looked {
        let (status, detail) = match self.holds(condition) {
            Ok(detail) => (CaseStatus::Supported, detail),
            Err((status, detail)) => (status, detail),
        };
        Looked { id: condition.id.clone(), status, detail }
    }

    /// What was found, where the condition holds.
    fn holds(&mut self, condition: &Condition) -> Result<String, (CaseStatus, String)> {
        let no = |detail: String| Err((CaseStatus::Unsupported, detail));
        if let Some(allowed) = condition.policy_findings {
            let count = self.findings.len() as u64;
            return match self.findings.first() {
                Some(first) if count > allowed => no(format!("{count} findings, the first: {first}")),
                _ => Ok(format!("{count} findings")),
            };
        }
        if let Some(path) = &condition.file {
            let place = self.custody.dir().join(path);
            let is_there =
                place.is_file() || std::fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_some());
            return if is_there {
                Ok(format!("{path} is there"))
            } else {
                Err((CaseStatus::NotEvaluated, format!("there is no {path}")))
            };
        }
        let Some(path) = &condition.artifact else { return no("it names nothing to look at".to_owned()) };
        if !self.custody.has(path) {
            return Err((CaseStatus::NotEvaluated, format!("there is no {path}")));
        }
        let opened = self.custody.open(path).map_err(|reason| (CaseStatus::Unsupported, reason.to_string()))?;
        self.opened.insert(path.clone(), opened.sha256.clone());
        if let Some(kind) = &condition.evidence {
            return self.evidence(kind, &opened.bytes).map_err(|detail| (CaseStatus::Unsupported, detail));
        }
        let document: Value = serde_json::from_slice(&opened.bytes)
            .map_err(|error| (CaseStatus::Unsupported, format!("{path} is no JSON: {error}")))?;
        let pointer = condition.pointer.as_deref().unwrap_or_default();
        let Some(value) = document.pointer(pointer) else { return no(format!("{path} has no {pointer}")) };
        compare(condition, value).map_err(|detail| (CaseStatus::Unsupported, format!("{path} {pointer}: {detail}")))
    }

    fn evidence(&self, kind: &str, bytes: &[u8]) -> Result<String, String> {
        let assessments = match kind {
            "security_suite" => attacks::read(bytes, self.register).map(|results| results.assessments),
            "coordination_pack" => {
                pack::read(self.custody, bytes, &self.register.plan.validity).map(|pack| pack.assessments)
            }
            _ => return Err(format!("{kind:?} is no kind of evidence")),
        };
        let assessments = assessments.map_err(|reason| reason.to_string())?;
        let flaws: Vec<_> = assessments.iter().filter_map(|one| Some((one, one.flaw.as_ref()?))).collect();
        // Of a pack, cells that were not run prove nothing and disprove nothing.
        let is_pack = kind == "coordination_pack";
        let idle = |flaw: super::Flaw| {
            is_pack && matches!(flaw, super::Flaw::NotRun | super::Flaw::Skipped | super::Flaw::NotApplied)
        };
        if let Some((one, reason)) = flaws.iter().find(|(_, reason)| !idle(reason.flaw)) {
            let what = one.attack.as_ref().or(one.injection.as_ref()).map_or("", String::as_str);
            return Err(format!("{} {what}: {reason}", one.method.as_deref().unwrap_or_default()).trim().to_owned());
        }
        let good = assessments.len() - flaws.len();
        if good == 0 { Err("nothing of it counts".to_owned()) } else { Ok(format!("{good} judgements count")) }
    }
}

/// What stands there, where it is as the condition says.
fn compare(condition: &Condition, value: &Value) -> Result<String, String> {
    let shown = |value: &Value| -> String { value.to_string().chars().take(80).collect() };
    let mut asked = false;
    if let Some(wanted) = &condition.equals {
        asked = true;
        if value != wanted {
            return Err(format!("it is {}, and not {wanted}", shown(value)));
        }
    }
    if let Some(least) = condition.at_least {
        asked = true;
        if value.as_f64().is_none_or(|number| number < least) {
            return Err(format!("it is {}, and not at least {least}", shown(value)));
        }
    }
    if let Some(is_empty) = condition.is_empty {
        asked = true;
        if value.as_array().is_none_or(|list| list.is_empty() != is_empty) {
            return Err(format!("it is {}", shown(value)));
        }
    }
    if let Some(members) = &condition.every {
        asked = true;
        let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
            return Err("it is no list with entries".to_owned());
        };
        let fits = |entry: &Value| members_fit(members, entry);
        if let Some(at) = list.iter().position(|entry| !fits(entry)) {
            return Err(format!("entry {at} is not so"));
        }
    }
    if asked { Ok("it holds".to_owned()) } else { Err("the condition asks nothing".to_owned()) }
}

fn members_fit(members: &Map<String, Value>, entry: &Value) -> bool {
    !members.is_empty() && members.iter().all(|(key, wanted)| entry.get(key) == Some(wanted))
}
