//! From decisions to the work list of a model, and from its proposals back to decisions.
//!
//! Both directions use the form of events as they are written ([`Args::write_canonical`], [`Args::from_raw`]), so that an
//! argument has one spelling. What a proposal has and no event can have makes it no action: a part of a wish is another
//! wish.

use labtrust_controls::proposal::Proposal;
use labtrust_plugin::lab::{ActionKind, AgentContext, Args, Decision, Priority, Symbols};
use serde_json::{Map, Value, json};

/// A piece of work as a model reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The action.
    pub action_type: &'static str,
    /// Its arguments; those that the path asks for are there even where the decision leaves them to the laboratory.
    pub args: Map<String, Value>,
    /// Why.
    pub reason_code: Option<String>,
    /// Tokens to present.
    pub token_refs: Vec<String>,
}

impl Task {
    /// The work that a decision of this agent is. Interns nothing.
    #[must_use]
    pub fn of(decision: &Decision, ctx: &AgentContext<'_>) -> Self {
        let text = |id| ctx.symbols.text(id).to_owned();
        let mut args = arguments(&decision.args, ctx.symbols);
        if let Some(tool) = decision.tool_id {
            args.insert("tool_id".to_owned(), json!(text(tool)));
        }
        match decision.kind {
            ActionKind::QueueRun if decision.args.priority.is_none() => {
                let work = decision.args.work;
                let specimen = ctx.view.specimens.iter().find(|specimen| Some(specimen.id) == work);
                let priority = specimen.map_or(Priority::Routine, |specimen| specimen.priority);
                args.insert("priority_class".to_owned(), json!(priority.name()));
            }
            ActionKind::Move if decision.args.from_zone.is_none() => {
                let here = ctx.view.agents.get(ctx.me).and_then(|me| ctx.view.zones.get(me.zone?));
                args.extend(here.map(|zone| ("from_zone".to_owned(), json!(text(zone.id)))));
            }
            _ => {}
        }
        Self {
            action_type: decision.kind.name(),
            args,
            reason_code: decision.reason_code.map(text),
            token_refs: decision.token_refs.iter().map(|&token| text(token)).collect(),
        }
    }

    /// Whether a proposal is this work and nothing beside it.
    #[must_use]
    pub fn is(&self, proposal: &Proposal) -> bool {
        proposal.action_type == self.action_type
            && proposal.args == self.args
            && proposal.reason_code == self.reason_code
            && proposal.token_refs == self.token_refs
            && proposal.extra.is_empty()
    }

    /// As it stands in the work list.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "action_type": self.action_type, "args": self.args, "reason_code": self.reason_code, "token_refs": self.token_refs,
        })
    }
}

/// The arguments as an event has them.
fn arguments(args: &Args, symbols: &Symbols) -> Map<String, Value> {
    let mut written = Vec::new();
    args.write_canonical(&mut written, symbols);
    serde_json::from_slice(&written).unwrap_or_default()
}

/// The decision that a proposal is; `None` for one to wait.
///
/// # Errors
/// What no event of the laboratory can have, without its text.
pub fn decision(proposal: &Proposal, symbols: &mut Symbols) -> Result<Option<Decision>, &'static str> {
    if !proposal.extra.is_empty() {
        return Err("it has keys that a proposal does not have");
    }
    if proposal.is_noop() {
        return Ok(None);
    }
    let Some(kind) = ActionKind::parse(&proposal.action_type) else { return Err("the laboratory has no such action") };
    let mut wanted = proposal.args.clone();
    let tool = match wanted.remove("tool_id") {
        None => None,
        Some(Value::String(tool)) if !tool.trim().is_empty() => Some(tool),
        Some(_) => return Err("the tool is no text"),
    };
    let Ok(args) = Args::from_raw(kind, &wanted, symbols) else { return Err("an argument has the wrong type") };
    if arguments(&args, symbols) != wanted {
        return Err("the action has no such arguments");
    }
    let mut decision = Decision::new(kind, args);
    decision.reason_code = proposal.reason_code.as_deref().map(|code| symbols.intern(code));
    decision.token_refs = proposal.token_refs.iter().map(|token| symbols.intern(token)).collect();
    decision.rationale = Some(proposal.rationale.as_str()).filter(|why| !why.trim().is_empty()).map(Into::into);
    decision.tool_id = tool.map(|tool| symbols.intern(&tool));
    Ok(Some(decision))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(action: &str, args: Value) -> Proposal {
        let args = args.as_object().cloned().unwrap_or_default();
        Proposal { action_type: action.to_owned(), args, rationale: "why".to_owned(), ..Proposal::default() }
    }

    #[test]
    fn a_proposal_becomes_the_event_that_it_says() {
        let mut symbols = Symbols::default();
        let wanted = json!({"specimen_ids": ["S1", "S2"], "device_id": "D", "tool_id": "t", "tool_args": {"a": 1}});
        let decision = decision(&proposal("CENTRIFUGE_START", wanted), &mut symbols).unwrap().unwrap();
        assert_eq!(decision.kind, ActionKind::CentrifugeStart);
        assert_eq!(decision.args.specimens.iter().map(|&id| symbols.text(id)).collect::<Vec<_>>(), ["S1", "S2"]);
        assert_eq!(decision.tool_id.map(|id| symbols.text(id)), Some("t"));
        assert_eq!(decision.rationale.as_deref(), Some("why"));
        assert_eq!(super::decision(&proposal("NOOP", json!({})), &mut symbols), Ok(None));
    }

    #[test]
    fn what_no_event_can_have_is_no_action() {
        let mut symbols = Symbols::default();
        let mut other = proposal("MOVE", json!({"to_zone": "Z"}));
        other.extra.insert("agent_id".to_owned(), json!("A_SUPERVISOR"));
        for proposal in [
            other,
            proposal("FLY", json!({})),
            proposal("MOVE", json!({"to_zone": 1})),
            proposal("MOVE", json!({"to_zone": "Z", "reason": "doctor vane"})),
            proposal("MOVE", json!({"to_zone": "Z", "tool_id": 1})),
            proposal("MOVE", json!({"to_zone": ""})),
            proposal("TICK", json!({"subject_id": "S1"})),
        ] {
            assert!(decision(&proposal, &mut symbols).is_err(), "{proposal:?}");
        }
    }
}
