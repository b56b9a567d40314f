//! An index with words beside it.

use super::{ActionSpace, bare};
use crate::lab::{Action, AgentContext, Decision, Malformed};
use labtrust_trust::canonical;
use serde_json::{Map, Value, json};

/// Words of an action's information that are no arguments of it.
const ENVELOPE: [&str; 7] = ["action_type", "reason_code", "token_refs", "rationale", "key_id", "signature", "tool_id"];

/// What an agent wants that sends `index` and, beside it, `info`.
///
/// With a non-empty `action_type` the index is ignored: any action of the laboratory can be named, with `args`. Without
/// one, the index is completed as [`bare`](super::bare) does, and the arguments in `info` (or in `info.args`) take the
/// place of those found. `reason_code`, `token_refs`, `rationale`, `key_id`, `signature` and `tool_id` are taken as they
/// are; `priority` stands for `priority_class`. Keys that begin with `_` are private and left out. `None` is NOOP.
///
/// # Errors
/// [`Malformed`] when the action type is unknown or a value has a type that it cannot have.
pub fn decide(
    ctx: &mut AgentContext<'_>,
    space: ActionSpace,
    index: i64,
    info: &Map<String, Value>,
) -> Result<Option<Decision>, Malformed> {
    let named = info.get("action_type").and_then(Value::as_str).filter(|name| !name.is_empty());
    let filled = match named {
        Some(_) => None,
        None => match bare(ctx, space.kind(index)) {
            None => return Ok(None),
            Some(decision) if info.keys().all(|key| key.starts_with('_')) => return Ok(Some(decision)),
            Some(decision) => Some(decision),
        },
    };
    let mut event = Map::new();
    let mut args = Map::new();
    if let Some(filled) = &filled {
        let mut bytes = Vec::new();
        filled.args.write_canonical(&mut bytes, ctx.symbols);
        args = serde_json::from_slice(&bytes).unwrap_or_else(|_| unreachable!("arguments are written as JSON"));
        if let Some(reason) = filled.reason_code {
            event.insert("reason_code".into(), ctx.symbols.text(reason).into());
        }
        let tokens: Vec<&str> = filled.token_refs.iter().map(|&token| ctx.symbols.text(token)).collect();
        event.insert("token_refs".into(), json!(tokens));
        if let Some(rationale) = &filled.rationale {
            event.insert("rationale".into(), json!(rationale));
        }
        let own = |key: &&String| !ENVELOPE.contains(&key.as_str()) && key.as_str() != "args" && !key.starts_with('_');
        for key in info.keys().filter(own) {
            let name = if key == "priority" { "priority_class" } else { key };
            args.insert(name.to_owned(), info[key].clone());
        }
    }
    if let Some(given) = info.get("args").and_then(Value::as_object) {
        args.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    for key in ENVELOPE.iter().filter(|key| info.get(**key).is_some_and(|value| !value.is_null())) {
        event.insert((*key).to_owned(), info[*key].clone());
    }
    if let Some(filled) = &filled {
        event.insert("action_type".into(), filled.kind.name().into());
    }
    event.insert("args".into(), Value::Object(args));
    event.insert("agent_id".into(), ctx.symbols.text(ctx.id()).into());
    event.insert("event_id".into(), "".into());
    event.insert("t_s".into(), ctx.view.now_s.into());
    debug_assert!(canonical::to_canonical_vec(&Value::Object(event.clone())).is_ok(), "JSON has only finite numbers");
    Ok(Some(Action::from_raw(&event, ctx.symbols)?.decision))
}
