//! Receipts: for every specimen and every result of a log, one document with what became of it.
//!
//! There are two rules. [`Rules::Reference`] is what LabTrust-Gym 0.2 does, its defects included (a generated result
//! counts as released, refused actions set times), so that its published bundles come out byte by byte.
//! [`Rules::Corrected`] has the same names and forms: only accepted steps decide and set times, nothing is `RELEASED`
//! before it was released, a result names its specimen, and episodes are kept apart.
//!
//! A log is gone over once. What is kept of it is what the receipts will say, a few hundred bytes for each; the receipts
//! themselves are many times as large, so [`Receipts`] makes each when it is asked for.

mod corrected;
mod reference;
mod summary;

use crate::entry::Entry;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use summary::{ChainHead, Custody, Enforcements, FileNames, Invariants, Signatures};

/// How receipts are made of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// As LabTrust-Gym 0.2 does.
    Reference,
    /// As they should be.
    Corrected,
}

/// What a receipt is about. Specimens come before results, then ids rise, then episodes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    kind: Kind,
    id: Option<String>,
    episode: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Specimen,
    Result,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Specimen => "specimen",
            Self::Result => "result",
        }
    }
}

/// A receipt with the name of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// `receipt_<type>_<id>.v0.1.json`.
    pub file_name: String,
    /// Its content, without a signature.
    pub content: Value,
}

/// Keys of the arguments of `END_RUN` that a result's receipt has as its measurement.
const MEASUREMENT: [&str; 4] = ["analyte_code", "run_id", "units", "value"];

/// What is known of one subject so far.
#[derive(Debug, Default)]
struct State {
    reference: reference::Verdict,
    corrected: corrected::Verdict,
    timestamps: Vec<(&'static str, i64)>,
    reason_codes: Vec<Value>,
    consumed: Vec<Value>,
    minted: Vec<Value>,
    revoked: Vec<Value>,
    attempts: Vec<Value>,
    acknowledgements: Vec<Value>,
    invariants: Invariants,
    enforcements: Enforcements,
    signatures: Signatures,
    chain: Option<ChainHead>,
    /// Panel and device of the first result that was generated.
    generated: Option<Box<(Option<Value>, Option<Value>)>>,
    accessions: Vec<Value>,
    llm_audit: Option<Box<Value>>,
}

/// When something happened first.
fn first_time(times: &mut Vec<(&'static str, i64)>, name: &'static str, t_s: i64) {
    if times.iter().all(|(known, _)| *known != name) {
        times.push((name, t_s));
    }
}

/// When something happened last.
fn last_time(times: &mut Vec<(&'static str, i64)>, name: &'static str, t_s: i64) {
    match times.iter_mut().find(|(known, _)| *known == name) {
        Some((_, time)) => *time = t_s,
        None => times.push((name, t_s)),
    }
}

/// Specimens of a run that ended, and what it measured.
type Measured = (Vec<String>, Map<String, Value>);

/// Specimen and run of results, by episode and result.
type Origins = BTreeMap<(u64, String), (Option<String>, Option<String>)>;

/// Makes receipts of a log that is shown to it line by line.
#[derive(Debug)]
pub struct ReceiptMaker {
    rules: Rules,
    subjects: BTreeMap<Subject, State>,
    custody: BTreeMap<u64, Custody>,
    signatures: Signatures,
    /// Chain values of the newest line that anybody is touched by; at the end, of the last that has some.
    last_chain: Option<ChainHead>,
    /// Chain values of the newest line, as text: of most lines nobody asks for them.
    last_raw: Vec<u8>,
    entries: u64,
    /// Episodes in which the log was frozen.
    frozen: BTreeSet<u64>,
    /// What the runs measured: of the arguments of `END_RUN` what receipts have, by episode and run, with the specimens
    /// that are in it.
    runs: BTreeMap<(u64, String), Vec<Measured>>,
    /// Specimen and run of every generated result.
    origins: Origins,
}

impl ReceiptMaker {
    /// For a log of which nothing is known yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            subjects: BTreeMap::new(),
            custody: BTreeMap::new(),
            signatures: Signatures::default(),
            last_chain: None,
            last_raw: Vec::new(),
            entries: 0,
            frozen: BTreeSet::new(),
            runs: BTreeMap::new(),
            origins: BTreeMap::new(),
        }
    }

    /// Takes in the next line of the log.
    pub fn take(&mut self, entry: &Entry) {
        let step_index = self.entries;
        self.entries += 1;
        self.signatures.take(entry);
        let episode = self.episode_of(entry);
        self.custody.entry(episode).or_default().take(entry);
        if entry.emits("FORENSIC_FREEZE") {
            self.frozen.insert(episode);
        }
        if self.rules == Rules::Corrected {
            self.remember(entry, episode);
        }
        let touched = self.touched(entry, episode);
        let raw_chain = entry.raw_chain();
        let chain = raw_chain.filter(|_| !touched.is_empty());
        let chain = chain.map(|raw| ChainHead::of(raw, self.last_chain.as_ref()));
        for subject in touched {
            let state = self.subjects.entry(subject.clone()).or_default();
            state.take(self.rules, &subject, entry, step_index, chain.as_ref());
        }
        if let Some(raw) = raw_chain {
            self.last_raw.clear();
            self.last_raw.extend_from_slice(raw);
        }
        if chain.is_some() {
            self.last_chain = chain;
        }
    }

    /// The reference does not tell episodes apart.
    fn episode_of(&self, entry: &Entry) -> u64 {
        match self.rules {
            Rules::Reference => 0,
            Rules::Corrected => entry.episode(),
        }
    }

    fn remember(&mut self, entry: &Entry, episode: u64) {
        if !entry.accepted() {
            return;
        }
        if !matches!(entry.action(), "END_RUN" | "GENERATE_RESULT") {
            return;
        }
        let text = |key: &str| entry.arg_text(key).map(str::to_owned);
        match (entry.action(), text("run_id"), text("result_id")) {
            ("END_RUN", Some(run), _) => {
                let specimens = entry.arg_texts("specimen_ids").map(str::to_owned).collect();
                let said = |key: &&str| entry.arg(key).map(|value| ((*key).to_owned(), value.clone()));
                let measured = [&MEASUREMENT[..], &["device_id"]].concat().iter().filter_map(said).collect();
                self.runs.entry((episode, run)).or_default().push((specimens, measured));
            }
            ("GENERATE_RESULT", run, Some(result)) => {
                self.origins.insert((episode, result), (text("specimen_id"), run));
            }
            _ => {}
        }
    }

    /// Whom a line concerns.
    fn touched(&self, entry: &Entry, episode: u64) -> Vec<Subject> {
        let subject = |kind, id: &str| Subject { kind, id: Some(id.to_owned()), episode };
        let mut specimens: BTreeSet<&str> = entry.arg_text("specimen_id").into_iter().collect();
        if self.rules == Rules::Corrected {
            specimens.extend(entry.texts("specimen_ids"));
            specimens.extend(entry.arg_texts("specimen_ids"));
            specimens.retain(|id| !id.is_empty());
        }
        let specimens = specimens.into_iter().map(|id| subject(Kind::Specimen, id));
        let mut subjects: Vec<Subject> = specimens.collect();
        let result = entry.arg_text("result_id");
        subjects.extend(result.map(|id| subject(Kind::Result, id)));
        // What happens to a result happens to its specimen, too.
        let origin = result.and_then(|id| self.origins.get(&(episode, id.to_owned())));
        if let Some((Some(specimen), _)) = origin {
            let specimen = subject(Kind::Specimen, specimen);
            if !subjects.contains(&specimen) {
                subjects.push(specimen);
            }
        }
        subjects
    }

    /// The receipts of the whole log. A log without entries has one about nothing, as the reference does.
    #[must_use]
    pub fn finish(mut self, policy_root_hash: Option<&str>) -> Receipts {
        if self.entries == 0 && self.rules == Rules::Reference {
            self.subjects.insert(Subject { kind: Kind::Specimen, id: None, episode: 0 }, State::default());
        }
        if !self.last_raw.is_empty() {
            self.last_chain = Some(ChainHead::of(&self.last_raw, self.last_chain.as_ref()));
        }
        let mut names = FileNames::new(self.rules);
        self.subjects.keys().for_each(|subject| names.count(subject));
        let unreleased = corrected::unreleased_results(&self.subjects, &self.origins);
        Receipts { maker: self, names, unreleased, policy_root_hash: policy_root_hash.map(str::to_owned) }
    }
}

/// Receipts that are looked at together [count].
const TOGETHER: usize = 256;

/// The receipts of a log, in the order of their subjects. Each is made when it is asked for.
#[derive(Debug)]
pub struct Receipts {
    maker: ReceiptMaker,
    names: FileNames,
    /// For every specimen with results: whether all of them were released.
    unreleased: BTreeMap<(u64, String), bool>,
    policy_root_hash: Option<String>,
}

impl Receipts {
    /// How many there are [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.maker.subjects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.maker.subjects.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Receipt> {
        self.maker.subjects.iter().map(|(subject, state)| self.write(subject, state))
    }

    /// Lets all cores look at the receipts, and shows what each came to in order, while the next are looked at. Few of them
    /// are there at a time.
    ///
    /// # Errors
    /// The first of `take`, after which nothing more is made.
    pub fn each<T: Send, E>(
        &self,
        look: impl Fn(Receipt) -> T + Sync,
        mut take: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let subjects: Vec<(&Subject, &State)> = self.maker.subjects.iter().collect();
        let make = |some: &[(&Subject, &State)]| -> Vec<T> {
            some.par_iter().map(|(subject, state)| look(self.write(subject, state))).collect()
        };
        // One that works for a pool must not wait for the pool: if all of its workers did, nobody would be left to work.
        if rayon::current_thread_index().is_some() {
            return subjects.chunks(TOGETHER).flat_map(make).try_for_each(take);
        }
        std::thread::scope(|scope| {
            let (sender, made) = mpsc::sync_channel(1);
            scope.spawn(move || {
                // Nobody listens any more when `take` has failed.
                let _ = subjects.chunks(TOGETHER).try_for_each(|some| sender.send(make(some)));
            });
            made.into_iter().flatten().try_for_each(&mut take)
        })
    }

    fn write(&self, subject: &Subject, state: &State) -> Receipt {
        let content = self.maker.content(subject, state, &self.unreleased, self.policy_root_hash.as_deref());
        Receipt { file_name: self.names.of(subject), content }
    }
}

impl ReceiptMaker {
    fn content(
        &self,
        subject: &Subject,
        state: &State,
        unreleased: &BTreeMap<(u64, String), bool>,
        policy_root_hash: Option<&str>,
    ) -> Value {
        let corrected = self.rules == Rules::Corrected;
        let own = |kind: Kind| (subject.kind == kind).then(|| subject.id.clone()).flatten();
        let decision = match self.rules {
            Rules::Reference => state.reference.decision(),
            Rules::Corrected => {
                let released = subject.id.clone().and_then(|id| unreleased.get(&(subject.episode, id)).copied());
                state.corrected.decision(subject.kind, released)
            }
        };
        let chain = state.chain.as_ref().or(self.last_chain.as_ref());
        let broken = corrected && self.frozen.contains(&subject.episode);
        let (panel, device) = match (subject.kind, &state.generated) {
            (Kind::Result, Some(generated)) => (generated.0.clone(), generated.1.clone()),
            _ => (None, None),
        };
        let mut receipt = json!({
            "version": "0.1",
            "entity_type": subject.kind.name(),
            "specimen_id": own(Kind::Specimen),
            "result_id": own(Kind::Result),
            "decision": decision,
            "timestamps": state.timestamps.iter().copied().collect::<BTreeMap<_, _>>(),
            "reason_codes": state.reason_codes,
            "tokens": { "minted": state.minted, "consumed": state.consumed, "revoked": state.revoked },
            "critical_comm_records": { "attempts": state.attempts, "ack_summary": state.acknowledgements },
            "invariant_summary": state.invariants.report(),
            "enforcement_summary": state.enforcements.report(),
            "hashchain": ChainHead::report(chain, broken),
            "accession_ids": if corrected { state.accessions.as_slice() } else { &[] },
            "device_ids": device.into_iter().collect::<Vec<_>>(),
            "panel_id": panel,
        });
        let signatures = if corrected { &state.signatures } else { &self.signatures };
        if self.entries > 0 {
            receipt["signature_summary"] = signatures.report();
        }
        if let Some(audit) = &state.llm_audit {
            receipt["llm_audit"] = audit.as_ref().clone();
        }
        if let (Kind::Specimen, Some(id)) = (subject.kind, &subject.id)
            && let Some(custody) = self.custody.get(&subject.episode)
        {
            let records = custody.of(id);
            if !records.is_empty() {
                receipt["chain_of_custody"] = json!(records);
            }
        }
        if let Some(root) = policy_root_hash {
            receipt["policy_root_hash"] = json!(root);
        }
        if corrected {
            self.add_corrections(&mut receipt, subject, state);
        }
        receipt
    }

    /// What the reference's receipts do not say.
    fn add_corrections(&self, receipt: &mut Value, subject: &Subject, state: &State) {
        receipt["episode"] = json!(subject.episode);
        receipt["stage"] = json!(state.corrected.stage());
        let (Kind::Result, Some(id)) = (subject.kind, &subject.id) else { return };
        let Some((specimen, run)) = self.origins.get(&(subject.episode, id.clone())) else { return };
        receipt["specimen_id"] = json!(specimen);
        let (Some(specimen), Some(run)) = (specimen, run) else { return };
        let ends = self.runs.get(&(subject.episode, run.clone())).into_iter().flatten();
        let Some((_, run)) = ends.rev().find(|(specimens, _)| specimens.contains(specimen)) else { return };
        let mut measurement = run.clone();
        let device = measurement.remove("device_id");
        receipt["measurement"] = Value::Object(measurement);
        if let Some(device) = device.filter(Value::is_string) {
            receipt["device_ids"] = json!([device]);
        }
    }
}

impl State {
    fn take(&mut self, rules: Rules, subject: &Subject, entry: &Entry, step_index: u64, chain: Option<&ChainHead>) {
        self.reference.take(subject.kind, entry);
        self.corrected.take(subject.kind, entry);
        match rules {
            Rules::Reference => reference::timestamps(entry, &mut self.timestamps),
            Rules::Corrected => corrected::timestamps(entry, &mut self.timestamps),
        }
        let blocked = entry.get("blocked_reason_code");
        let violations = entry.list("violations").filter_map(|violation| violation.get("reason_code"));
        for code in blocked.into_iter().chain(violations).filter(|code| code.as_str().is_some_and(|c| !c.is_empty())) {
            if !self.reason_codes.contains(code) {
                self.reason_codes.push(code.clone());
            }
        }
        let token = |id: &Value| json!({ "token_id": id, "step_index": step_index });
        self.consumed.extend(entry.list("token_consumed").map(token));
        self.invariants.take(entry);
        self.enforcements.take(entry);
        self.signatures.take(entry);
        if let Some(chain) = chain {
            self.chain = Some(chain.clone());
        }
        if entry.action() == "GENERATE_RESULT" && self.generated.is_none() {
            self.generated = Some(Box::new((entry.arg("panel_id").cloned(), entry.arg("device_id").cloned())));
        }
        if entry.text("prompt_hash").is_some() {
            let keys = ["prompt_hash", "policy_summary_hash", "allowed_actions_hash", "decoder_version"];
            let fields = keys.iter().filter_map(|key| entry.get(key).map(|value| ((*key).to_owned(), value.clone())));
            self.llm_audit = Some(Box::new(Value::Object(fields.collect())));
        }
        if rules == Rules::Corrected {
            self.take_more(entry, step_index);
        }
    }

    /// What the reference leaves empty.
    fn take_more(&mut self, entry: &Entry, step_index: u64) {
        if !entry.accepted() {
            return;
        }
        let token = entry.arg("token_id").map(|id| json!({ "token_id": id, "step_index": step_index }));
        let record = || {
            let mut record = Map::new();
            record.insert("action_type".to_owned(), json!(entry.action()));
            record.insert("agent_id".to_owned(), json!(entry.text("agent_id")));
            record.insert("t_s".to_owned(), json!(entry.t_s()));
            for key in ["channel", "receiver_role", "read_back_confirmed", "outcome"] {
                if let Some(value) = entry.arg(key) {
                    record.insert(key.to_owned(), value.clone());
                }
            }
            Value::Object(record)
        };
        match entry.action() {
            "MINT_TOKEN" => self.minted.extend(token),
            "REVOKE_TOKEN" => self.revoked.extend(token),
            "NOTIFY_CRITICAL_RESULT" | "ESCALATE_CRITICAL_RESULT" => self.attempts.push(record()),
            "ACK_CRITICAL_RESULT" => self.acknowledgements.push(record()),
            "CREATE_ACCESSION" => self.accessions.extend(entry.arg("accession_id").cloned()),
            _ => {}
        }
    }
}
