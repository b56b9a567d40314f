//! What each control that judges a proposal looks at, one function each.

use super::{
    Control, Guards, MISSING_CITATION, MISSING_RATIONALE, RC_LLM_LOW_CONFIDENCE_REFUSAL, RC_LLM_PROPOSED_INVALID,
    Situation, Who, anchors, role_of,
};
use crate::normalize::folded;
use crate::pi_defense::texts;
use crate::proposal::Proposal;
use labtrust_trust::codes;
use serde_json::{Map, Value, json};

type Verdict = Result<(), (&'static str, String)>;

/// Least length of an argument whose origin is looked for [count].
const LEAST: usize = 3;

pub(super) fn check(control: Control, who: &Who<'_>, situation: &Situation, proposal: &Proposal) -> Verdict {
    match control {
        Control::ConstrainedDecode => decode(who, situation, proposal),
        Control::AllowedActions => allowed(situation, proposal),
        Control::DeterministicValidation => valid(situation, proposal),
        Control::ArgumentProvenance => provenance(who, situation, proposal),
        Control::CapabilityProfile => capable(who, situation, proposal),
        Control::Rbac => permitted(who, situation, proposal),
        Control::ToolGate => tools(who, situation, proposal),
        _ => Ok(()),
    }
}

/// What an answer says, with the texts of its object as they read without their escapes.
pub(super) fn said(answer: &str, object: &Value) -> String {
    let mut said = answer.to_owned();
    texts(object, &mut |text| {
        // Apart, so that a key and its value do not make a sentence.
        said.push_str(" | ");
        said.push_str(text);
    });
    said
}

/// Everything that the records and the rules say.
pub(super) fn trusted_text(guards: &Guards, situation: &Situation) -> String {
    let mut said = String::new();
    let tools: Vec<&str> = guards.tools.ids().collect();
    texts(&json!([situation.state, situation.allowed_actions, tools]), &mut |text| {
        said.push_str(text);
        said.push('\n');
    });
    said
}

fn text<'a>(args: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    args.get(key).and_then(Value::as_str)
}

fn decode(who: &Who<'_>, situation: &Situation, proposal: &Proposal) -> Verdict {
    if proposal.rationale.trim().is_empty() {
        return Err((MISSING_RATIONALE, "the proposal says no reason".to_owned()));
    }
    if !anchors(role_of(who.guards, who.agent, situation))
        .iter()
        .any(|anchor| proposal.rationale.contains(anchor.as_str()))
    {
        return Err((MISSING_CITATION, "the rationale cites no anchor of the policy".to_owned()));
    }
    let state = &situation.state;
    if proposal.action_type == "MOVE" {
        let to = text(&proposal.args, "to_zone").unwrap_or_default();
        if !state.ways.get(&state.zone).is_some_and(|next| next.contains(to)) {
            return Err((codes::RC_ILLEGAL_MOVE, "there is no such way from here".to_owned()));
        }
        if state.restricted_zones.contains(to) && proposal.token_refs.is_empty() {
            return Err((codes::RBAC_RESTRICTED_ENTRY_DENY, "the zone needs a token".to_owned()));
        }
    }
    if !proposal.is_noop() && proposal.confidence_ppm < who.guards.least_confidence_ppm {
        return Err((RC_LLM_LOW_CONFIDENCE_REFUSAL, "the model is not sure enough".to_owned()));
    }
    Ok(())
}

fn allowed(situation: &Situation, proposal: &Proposal) -> Verdict {
    if proposal.is_noop() || situation.allowed_actions.contains(&proposal.action_type) {
        return Ok(());
    }
    Err((codes::RBAC_ACTION_DENY, "the action is not offered now".to_owned()))
}

/// Arguments that an action cannot do without.
const NEEDED: [(&str, &[&str]); 8] = [
    ("QUEUE_RUN", &["device_id", "work_id", "priority_class"]),
    ("MOVE", &["from_zone", "to_zone"]),
    ("OPEN_DOOR", &["door_id"]),
    ("START_RUN", &["device_id"]),
    ("HOLD_SPECIMEN", &["specimen_id"]),
    ("REJECT_SPECIMEN", &["specimen_id"]),
    ("ACCEPT_SPECIMEN", &["specimen_id"]),
    ("RELEASE_RESULT", &["result_id"]),
];

fn valid(situation: &Situation, proposal: &Proposal) -> Verdict {
    let wrong = |what: String| Err((RC_LLM_PROPOSED_INVALID, what));
    let (state, args) = (&situation.state, &proposal.args);
    let needed = NEEDED.iter().find(|(action, _)| *action == proposal.action_type).map_or(&[][..], |(_, keys)| keys);
    if let Some(missing) = needed.iter().find(|key| text(args, key).is_none_or(str::is_empty)) {
        return wrong(format!("{} needs {missing}", proposal.action_type));
    }
    if text(args, "from_zone").is_some_and(|from| from != state.zone) {
        return wrong("the agent is somewhere else".to_owned());
    }
    if proposal.action_type == "START_RUN" && !state.queue_heads.is_empty() {
        let head = text(args, "device_id").and_then(|device| state.queue_heads.get(device));
        if !matches!(head, Some(Some(_))) {
            return wrong("nothing waits at that device".to_owned());
        }
    }
    let waits = |id: &str| state.queue_heads.iter().any(|(device, head)| device == id || head.as_deref() == Some(id));
    let known = |id: &Value| id.as_str().is_some_and(|id| state.subjects.contains(id) || waits(id));
    for (key, value) in args {
        let good = match key.as_str() {
            "tool_id" => true,
            one if one.ends_with("_id") => known(value),
            many if many.ends_with("_ids") => value.as_array().is_some_and(|ids| ids.iter().all(known)),
            _ => true,
        };
        if !good {
            return wrong(format!("{key} names something that this agent may not act on now"));
        }
    }
    Ok(())
}

/// An argument may come from the records, or from the model's own words, but not from a text of unknown origin.
fn provenance(who: &Who<'_>, situation: &Situation, proposal: &Proposal) -> Verdict {
    let mut arguments = Vec::new();
    texts(&json!([proposal.args, proposal.reason_code, proposal.token_refs, proposal.extra]), &mut |text| {
        arguments.push(folded(text))
    });
    let trusted = folded(&trusted_text(who.guards, situation));
    let unknown: Vec<String> = who
        .earlier
        .iter()
        .map(String::as_str)
        .chain(situation.samples.iter().map(|sample| sample.text.as_str()))
        .map(folded)
        .collect();
    let stands_in = |text: &str, argument: &str| {
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        text.match_indices(argument).any(|(at, _)| {
            !inside(text[..at].chars().next_back()) && !inside(text[at + argument.len()..].chars().next())
        })
    };
    let foreign = |argument: &&String| {
        argument.chars().count() >= LEAST
            && !stands_in(&trusted, argument)
            && unknown.iter().any(|text| stands_in(text, argument))
    };
    // Keys are words of the interface.
    let keys: Vec<String> = proposal.args.keys().map(|key| folded(key)).collect();
    match arguments.iter().filter(|argument| !keys.contains(argument)).find(foreign) {
        Some(_) => Err((codes::UNTRUSTED_ARGUMENT, "an argument stands in a text and nowhere else".to_owned())),
        None => Ok(()),
    }
}

fn capable(who: &Who<'_>, situation: &Situation, proposal: &Proposal) -> Verdict {
    if proposal.is_noop() {
        return Ok(());
    }
    let role = role_of(who.guards, who.agent, situation);
    let explained = proposal.reason_code.as_deref().is_some_and(|code| !code.trim().is_empty())
        && !proposal.rationale.trim().is_empty();
    let verdict = who.account.allows(
        &who.guards.capabilities,
        (who.agent, role),
        &proposal.action_type,
        explained,
        situation.t_s,
    );
    verdict.map_err(|code| (code, "the profile of the agent does not allow it".to_owned()))
}

fn permitted(who: &Who<'_>, situation: &Situation, proposal: &Proposal) -> Verdict {
    if proposal.is_noop() {
        return Ok(());
    }
    let device = text(&proposal.args, "device_id");
    let role = role_of(who.guards, who.agent, situation);
    let verdict = who.guards.roles.permits(role, &proposal.action_type, Some(&situation.state.zone), device);
    verdict.map_err(|code| (code, "the role of the agent does not allow it".to_owned()))
}

fn tools(who: &Who<'_>, situation: &Situation, proposal: &Proposal) -> Verdict {
    let role = role_of(who.guards, who.agent, situation);
    let none = json!({});
    for called in [proposal.args.get("tool_id"), proposal.extra.get("tool_id")].into_iter().flatten() {
        let args = proposal.args.get("tool_args").or_else(|| proposal.extra.get("tool_args")).unwrap_or(&none);
        let tool = called.as_str().unwrap_or_default();
        let verdict = who.guards.tools.admit(&*who.guards.roles, role, tool, args);
        verdict.map_err(|code| (code, "the agent may not call that tool so".to_owned()))?;
    }
    Ok(())
}
