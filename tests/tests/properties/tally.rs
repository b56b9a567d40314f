//! What the scripts met: a rule that nothing ever tries holds by itself.

use crate::play::Seen;
use labtrust_hospital_lab::refusals;
use labtrust_plugin::lab::{ActionKind, Gate};
use labtrust_trust::codes as c;
use std::collections::BTreeMap;

/// Actions of the laboratory itself, which nobody may ask for.
const OWN: [&str; 5] = ["RECEIVE_BATCH", "ALARM", "DEVICE_FAULT", "DEVICE_REPAIRED", "ABLATE_CONTROLS"];

/// Codes that no script meets, with the reason.
const UNREACHABLE: [(&str, &str); 38] = [
    (c::RC_ZONE_FULL, LIMITED),
    (c::RC_WAY_TAKEN, LIMITED),
    (c::TOOL_TIMEOUT, NO_ADAPTER),
    (c::TOOL_OUTPUT_MALFORMED, NO_ADAPTER),
    (c::TOOL_EGRESS_DENIED, NO_ADAPTER),
    (c::TOOL_EGRESS_LIMIT_EXCEEDED, NO_ADAPTER),
    (c::TOOL_DATA_CLASS_VIOLATION, NO_ADAPTER),
    (c::TOOL_SELECTION_ERROR, FINDING),
    (c::INV_TOK_003, "names the invariant; the code says what does not fit"),
    (c::RC_DOOR_OPEN_TOO_LONG, FINDING),
    (c::CRIT_NO_READBACK, FINDING),
    (c::ID_MISMATCH, KEPT),
    (c::INT_LEAKING, KEPT),
    (c::CNT_CITRATE_FILL_INVALID, KEPT),
    (c::TIME_NO_SEPARATION_WITHIN_WINDOW, STATED),
    (c::QC_DRIFT_SUSPECTED, STATED),
    (c::SYS_DOWNTIME_ACTIVE, STATED),
    (c::CRIT_ESCALATION_BREACH, STATED),
    (c::COORD_EPOCH_STALE, MESSAGE),
    (c::COORD_MESSAGE_TYPE_NOT_ALLOWED, MESSAGE),
    (c::COORD_COUNTERSIGN_MISSING, MESSAGE),
    (c::COORD_COUNTERSIGN_INVALID, MESSAGE),
    (c::COORD_MESSAGE_MALFORMED, MESSAGE),
    (c::COORD_NONCE_TOO_OLD, MESSAGE),
    (c::BID_ANOMALY_SPOOF_SUSPECTED, MESSAGE),
    (c::COORD_BID_BELOW_BOUND, MESSAGE),
    (c::COORD_COMMIT_MISSING, MESSAGE),
    (c::COORD_COMMIT_MISMATCH, MESSAGE),
    (c::COORD_CERTIFICATE_INVALID, MESSAGE),
    (c::COORD_LEADER_EQUIVOCATION, MESSAGE),
    (c::PROMPT_INJECTION_DETECTED, MODEL),
    (c::UNTRUSTED_NOTE_AS_INSTRUCTION, MODEL),
    (c::UNTRUSTED_ARGUMENT, MODEL),
    (c::ADV_POLICY_UNAVAILABLE, MODEL),
    (c::CIRCUIT_BREAKER_OPEN, MODEL),
    (c::LLM_DETECTOR_SUSPECTED, MODEL),
    (c::RATE_LIMITED, MODEL),
    (c::MEM_WRITE_REPLAYED, MODEL),
];
const LIMITED: &str = "needs a floor with limits, which the built-in policy has not; `tests/laboratory.rs` has one";
const NO_ADAPTER: &str = "no adapter runs tools in an episode, so a tool never answers";
const FINDING: &str = "is reported as a finding of an accepted step";
const KEPT: &str = "is kept with the specimen by an accepted step";
const MESSAGE: &str = "refuses a message between agents, not an event";
const MODEL: &str = "stops a text or a model's answer before it becomes an event";
const STATED: &str = "is for people to state, no refusal gives it";

/// Each action is accepted at least this often, each code met at least so often [count].
const LEAST: (u64, u64) = (100, 10);

/// Counts of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Scripts played [count].
    pub scripts: u64,
    /// Of those with a released result [count].
    pub scripts_with_release: u64,
    /// Signed events with a changed bit [count].
    pub flips: u64,
    /// Accepted and blocked, by action.
    actions: BTreeMap<String, (u64, u64)>,
    /// By code and gate.
    codes: BTreeMap<(String, Gate), u64>,
    /// Honest steps that were refused, by action and code.
    refused: BTreeMap<(String, String), u64>,
}

impl Tally {
    pub(crate) fn count(&mut self, seen: &Seen<'_>, gate: Option<Gate>, honest: bool) {
        let known = ActionKind::parse(seen.action()).map_or("(no action)", ActionKind::name);
        let entry = self.actions.entry(known.to_owned()).or_default();
        match (&seen.result.blocked_reason_code, gate) {
            (Some(code), Some(gate)) => {
                entry.1 += 1;
                *self.codes.entry((code.clone(), gate)).or_default() += 1;
                if honest {
                    *self.refused.entry((known.to_owned(), code.clone())).or_default() += 1;
                }
            }
            _ => entry.0 += 1,
        }
    }

    /// Both together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.scripts += other.scripts;
        self.scripts_with_release += other.scripts_with_release;
        self.flips += other.flips;
        for (action, (accepted, blocked)) in other.actions {
            let entry = self.actions.entry(action).or_default();
            *entry = (entry.0 + accepted, entry.1 + blocked);
        }
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        for (refused, count) in other.refused {
            *self.refused.entry(refused).or_default() += count;
        }
        self
    }

    /// Honest steps that were refused [count].
    pub(crate) fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    #[expect(clippy::print_stdout, reason = "the table is what the run is for")]
    pub(crate) fn print(&self) {
        println!(
            "{} scripts, {} with a release, {} changed bits\n\n{:>9} {:>9}  action",
            self.scripts, self.scripts_with_release, self.flips, "accepted", "blocked"
        );
        for (action, (accepted, blocked)) in &self.actions {
            println!("{accepted:>9} {blocked:>9}  {action}");
        }
        println!("\n{:>9}  code, gate", "blocked");
        for ((code, gate), count) in &self.codes {
            println!("{count:>9}  {code}, {gate}");
        }
    }

    fn of_code(&self, code: &str) -> u64 {
        self.codes.iter().filter(|((known, _), _)| known == code).map(|(_, count)| count).sum()
    }

    /// Every action was accepted and every code met often enough, and every gate raised what the table says it raises.
    pub(crate) fn assert_rich(&self) {
        let mut poor = Vec::new();
        for action in ActionKind::ALL.iter().map(|kind| kind.name()).filter(|name| !OWN.contains(name)) {
            let accepted = self.actions.get(action).map_or(0, |counts| counts.0);
            if accepted < LEAST.0 {
                poor.push(format!("{action} was accepted {accepted} times"));
            }
        }
        let possible = |code: &str| UNREACHABLE.iter().all(|(other, _)| *other != code);
        for (code, gates) in refusals::table().filter(|(code, _)| possible(code)) {
            if self.of_code(code) < LEAST.1 {
                poor.push(format!("{code} was met {} times", self.of_code(code)));
            }
            for gate in gates.iter().filter(|gate| !self.codes.contains_key(&(code.to_owned(), **gate))) {
                poor.push(format!("{code} was never raised at the gate {gate}"));
            }
        }
        for code in c::ADDITIVE {
            let known = !refusals::gates_of(code).is_empty() || UNREACHABLE.iter().any(|(other, _)| other == code);
            assert!(known, "{code} has neither a gate nor a reason why it is never met");
        }
        for (code, reason) in UNREACHABLE {
            assert_eq!(self.of_code(code), 0, "{code} was met after all: {reason}");
        }
        assert!(poor.is_empty(), "the scripts are too poor:\n{}", poor.join("\n"));
        assert!(self.scripts_with_release >= 500, "{} scripts with a release", self.scripts_with_release);
    }
}
