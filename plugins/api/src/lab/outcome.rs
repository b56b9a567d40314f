//! What came of one event, in typed form; its text form is [`StepResult`].

use super::{Gate, Ids, Symbol, Symbols};
use labtrust_contract::{
    CapabilityDecision, ControlDecision, EnforcementItem, HashChain, InvariantStatus, RbacDecision,
    SignatureVerification, StepResult, StepStatus, Violation,
};
use labtrust_trust::canonical;
use serde_json::{Map, Value};
use smallvec::SmallVec;

/// A value among the details of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// An id.
    Id(Symbol),
    /// A number, in the unit its name states.
    Int(i64),
}

/// One invariant outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which invariant.
    pub invariant: Symbol,
    /// Broken or held.
    pub violated: bool,
    /// Reason code of a violation.
    pub reason: Option<&'static str>,
    /// Severity of the registry entry.
    pub severity: Option<Symbol>,
    /// Scope of the registry entry.
    pub scope: Option<Symbol>,
    /// What was found, names in code-point order.
    pub details: SmallVec<[(&'static str, Detail); 2]>,
}

/// The answer to one event. The engine reuses one of these for every step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Whether the action happened.
    pub accepted: bool,
    /// Why not.
    pub reason: Option<&'static str>,
    /// Which gate refused. For those who watch; no record and no file holds it.
    pub gate: Option<Gate>,
    /// What the step emitted, in order.
    pub emits: SmallVec<[&'static str; 4]>,
    /// Invariant outcomes, passes included.
    pub findings: Vec<Finding>,
    /// Tokens consumed.
    pub tokens_consumed: SmallVec<[Symbol; 2]>,
    /// Enforcements applied.
    pub enforcements: Vec<EnforcementItem>,
    /// Role gate: (allowed, code, role); absent when the gate was not reached.
    pub rbac: Option<(bool, Option<&'static str>, Option<Symbol>)>,
    /// Capability denial.
    pub capability: Option<CapabilityDecision>,
    /// Signature verification.
    pub signature: Option<SignatureVerification>,
    /// Runtime-control decision.
    pub control: Option<ControlDecision>,
    /// Consignment made by a dispatch.
    pub consignment: Option<Symbol>,
    /// A tool was admitted.
    pub tool_call: bool,
    /// The tool does not fit the state.
    pub tool_selection_error: bool,
    /// Specimens that the event concerns.
    pub specimens: Ids,
    /// Whether the record is in the chain (not when the log is frozen, and not for NOOP).
    pub chained: bool,
}

impl Outcome {
    /// Makes it the empty outcome again, keeping its memory.
    pub fn clear(&mut self) {
        self.accepted = false;
        self.reason = None;
        self.gate = None;
        self.emits.clear();
        self.findings.clear();
        self.tokens_consumed.clear();
        self.enforcements.clear();
        self.rbac = None;
        self.capability = None;
        self.signature = None;
        self.control = None;
        self.consignment = None;
        self.tool_call = false;
        self.tool_selection_error = false;
        self.specimens.clear();
        self.chained = false;
    }

    /// Broken invariants only.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.violated)
    }

    /// Writes what is hashed beside the event: status, code, emits, violations, tokens, enforcements.
    pub fn write_canonical(&self, out: &mut Vec<u8>, symbols: &Symbols) {
        out.extend_from_slice(b"{\"blocked_reason_code\":");
        write_code(out, self.reason);
        out.extend_from_slice(b",\"emits\":[");
        for (i, emit) in self.emits.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            canonical::write_str(out, emit);
        }
        out.extend_from_slice(b"],\"enforcements\":");
        if self.enforcements.is_empty() {
            out.extend_from_slice(b"[]");
        } else {
            let items = serde_json::to_value(&self.enforcements).unwrap_or(Value::Null);
            canonical::write_value(out, &items).unwrap_or_else(|_| unreachable!("enforcements hold no floats"));
        }
        out.extend_from_slice(b",\"status\":");
        out.extend_from_slice(if self.accepted { b"\"ACCEPTED\"" } else { b"\"BLOCKED\"" });
        out.extend_from_slice(b",\"token_consumed\":[");
        for (i, token) in self.tokens_consumed.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            canonical::write_symbol(out, symbols, *token);
        }
        out.extend_from_slice(b"],\"violations\":[");
        for (i, finding) in self.findings.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            finding.write_canonical(out, symbols);
        }
        out.extend_from_slice(b"]}");
    }

    /// The outcome in its published text form.
    #[must_use]
    pub fn to_result(&self, symbols: &Symbols, hashchain: HashChain) -> StepResult {
        let text = |symbol: Symbol| symbols.text(symbol).to_owned();
        StepResult {
            status: if self.accepted { StepStatus::Accepted } else { StepStatus::Blocked },
            emits: self.emits.iter().map(|&emit| emit.to_owned()).collect(),
            violations: self.findings.iter().map(|finding| finding.to_violation(symbols)).collect(),
            blocked_reason_code: self.reason.map(str::to_owned),
            token_consumed: self.tokens_consumed.iter().map(|&token| text(token)).collect(),
            hashchain,
            enforcements: self.enforcements.clone(),
            rbac_decision: self.rbac.map(|(allowed, code, role)| RbacDecision {
                allowed,
                reason_code: code.map(str::to_owned),
                role_id: role.map(text),
            }),
            capability_decision: self.capability.clone(),
            signature_verification: self.signature.clone(),
            control_decision: self.control.clone(),
            consignment_id: self.consignment.map(text),
            tool_call: self.tool_call.then_some(true),
            tool_selection_error: self.tool_selection_error.then_some(true),
        }
    }
}

impl Finding {
    /// Writes the finding as canonical JSON, in the published form of a violation.
    pub fn write_canonical(&self, out: &mut Vec<u8>, symbols: &Symbols) {
        out.push(b'{');
        if !self.details.is_empty() {
            out.extend_from_slice(b"\"details\":{");
            for (i, (name, value)) in self.details.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                canonical::write_str(out, name);
                out.push(b':');
                match value {
                    Detail::Id(id) => canonical::write_symbol(out, symbols, *id),
                    Detail::Int(value) => canonical::write_i64(out, *value),
                }
            }
            out.extend_from_slice(b"},");
        }
        out.extend_from_slice(b"\"invariant_id\":");
        canonical::write_symbol(out, symbols, self.invariant);
        if let Some(reason) = self.reason {
            out.extend_from_slice(b",\"reason_code\":");
            canonical::write_str(out, reason);
        }
        if let Some(scope) = self.scope {
            out.extend_from_slice(b",\"scope\":");
            canonical::write_symbol(out, symbols, scope);
        }
        if let Some(severity) = self.severity {
            out.extend_from_slice(b",\"severity\":");
            canonical::write_symbol(out, symbols, severity);
        }
        out.extend_from_slice(if self.violated { b",\"status\":\"VIOLATION\"}" } else { b",\"status\":\"PASS\"}" });
    }

    fn to_violation(&self, symbols: &Symbols) -> Violation {
        let text = |symbol: Symbol| symbols.text(symbol).to_owned();
        let details = (!self.details.is_empty()).then(|| {
            let pair = |&(name, value): &(&str, Detail)| {
                let value = match value {
                    Detail::Id(id) => Value::from(text(id)),
                    Detail::Int(value) => Value::from(value),
                };
                (name.to_owned(), value)
            };
            Value::Object(self.details.iter().map(pair).collect::<Map<_, _>>())
        });
        Violation {
            invariant_id: text(self.invariant),
            status: if self.violated { InvariantStatus::Violation } else { InvariantStatus::Pass },
            reason_code: self.reason.map(str::to_owned),
            severity: self.severity.map(text),
            scope: self.scope.map(text),
            details,
            message: None,
        }
    }
}

fn write_code(out: &mut Vec<u8>, code: Option<&'static str>) {
    match code {
        Some(code) => canonical::write_str(out, code),
        None => canonical::write_null(out),
    }
}
