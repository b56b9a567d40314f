//! What an agent sees, as a dictionary: observation contract 0.2.
//!
//! The keys of version 0.1 keep their names and meanings; where that version had constants, here are the true values.
//! The lists of zones and devices that indices refer to are part of the observation, so that nobody has to guess them.

use super::{ActionSpace, mask};
use crate::lab::{AgentContext, DeviceStatus, ResultView, SpecimenView, Stage, Symbol, Symbols, WorldView};
use serde_json::{Map, Value, json};

const AIRLOCK: &str = "D_RESTRICTED_AIRLOCK";
const RESTRICTED: &str = "Z_RESTRICTED_BIOHAZARD";

/// The observation of the deciding agent.
///
/// Times are in seconds of the episode, lists in the order of the view (the most urgent first). `action_mask` has one
/// entry for every index of `space`.
#[must_use]
pub fn observation(ctx: &mut AgentContext<'_>, space: ActionSpace) -> Map<String, Value> {
    let bits = mask(ctx, space);
    let Value::Object(mut out) = shared(ctx) else { unreachable!("an object was written") };
    let Value::Object(lists) = lists(ctx) else { unreachable!("an object was written") };
    out.extend(lists);
    let mask: Vec<u32> = (0..space.len()).map(|index| bits >> index & 1).collect();
    out.insert("action_mask".to_owned(), json!(mask));
    out
}

/// State of the laboratory and of the agent itself.
fn shared(ctx: &AgentContext<'_>) -> Value {
    let view = ctx.view;
    let text = |id: Symbol| ctx.symbols.text(id);
    let me = &view.agents[ctx.me];
    let open_since = door_open_since(view, ctx.symbols);
    let frozen = restricted_zone_frozen(view, ctx.symbols);
    let tokens = |word: &str| tokens_of(view, ctx.symbols, word);
    let zone = me.zone.and_then(|zone| view.zones.get(zone)).map(|zone| text(zone.id));
    let flag = |flag: bool| u8::from(flag);
    let queues: Vec<Value> = view
        .devices
        .iter()
        .map(|d| json!({ "device_id": text(d.id), "queue_head": d.queue_head.map_or("", text), "queue_len": d.queue_len }))
        .collect();
    json!({
        "t_s": view.now_s,
        "horizon_s": view.horizon_s,
        "agent_id": text(me.id),
        "zone_id": zone,
        "role_id": me.role.map_or("", text),
        "site_id": "SITE_HUB",
        "walking_to": me.walking_to.and_then(|zone| view.zones.get(zone)).map(|zone| text(zone.id)),
        "last_refusal": ctx.refused,
        "my_zone_idx": me.zone.map_or(0, |zone| zone + 1),
        "zone_ids": view.zones.iter().map(|zone| text(zone.id)).collect::<Vec<_>>(),
        "device_ids": view.devices.iter().map(|device| text(device.id)).collect::<Vec<_>>(),
        "door_restricted_open": flag(open_since.is_some()),
        "door_restricted_duration_s": open_since.map_or(0, |since| view.now_s - since),
        "restricted_zone_frozen": flag(frozen),
        "queue_lengths": view.devices.iter().map(|device| device.queue_len).collect::<Vec<_>>(),
        "queue_has_head": view.devices.iter().map(|device| flag(device.queue_head.is_some())).collect::<Vec<_>>(),
        "queue_by_device": queues,
        "device_qc_pass": view.devices.iter().map(|device| flag(device.qc_pass)).collect::<Vec<_>>(),
        "device_status": view.devices.iter().map(|device| device_status(device.status)).collect::<Vec<_>>(),
        "specimen_status_counts": status_counts(view),
        "log_frozen": flag(view.log_frozen),
        "token_count_override": tokens("OVERRIDE"),
        "token_count_restricted": tokens("RESTRICTED"),
    })
}

/// Since when the door of the restricted zone is open [s].
pub(super) fn door_open_since(view: &WorldView, symbols: &Symbols) -> Option<i64> {
    let airlock = symbols.get(AIRLOCK);
    view.doors.iter().find(|door| Some(door.id) == airlock).and_then(|door| door.open_since_s)
}

/// Whether the restricted zone is frozen.
pub(super) fn restricted_zone_frozen(view: &WorldView, symbols: &Symbols) -> bool {
    let restricted = symbols.get(RESTRICTED);
    view.zones.iter().any(|zone| Some(zone.id) == restricted && zone.frozen)
}

/// Tokens that can be used now and have a word in their type [count].
pub(super) fn tokens_of(view: &WorldView, symbols: &Symbols, word: &str) -> usize {
    view.tokens.iter().filter(|token| symbols.text(token.token_type).contains(word)).count()
}

/// Work at each station.
fn lists(ctx: &AgentContext<'_>) -> Value {
    let view = ctx.view;
    let text = |id: Symbol| ctx.symbols.text(id);
    let device = |place: usize| view.devices.get(place).map(|device| text(device.id));
    let specimens = |wanted: &[Stage]| -> Vec<Value> {
        let of = |s: &&SpecimenView| wanted.contains(&s.stage);
        let entry = |s: &SpecimenView| {
            let compatible: Vec<_> = s.compatible.iter().filter_map(|&place| device(usize::from(place))).collect();
            json!({
                "specimen_id": text(s.id), "work_id": text(s.id), "stage": stage(s.stage), "priority": s.priority.name(),
                "panel_id": s.panel.map(text), "arrival_s": s.arrival_s, "since_s": s.since_s, "deadline_s": s.deadline_s,
                "stability_ok": view.now_s <= s.deadline_s, "compatible_devices": compatible,
                "device_id": s.device.and_then(device).or_else(|| compatible_head(&compatible)),
            })
        };
        view.specimens.iter().filter(of).map(entry).collect()
    };
    let results = |wanted: &dyn Fn(&ResultView) -> bool| -> Vec<&str> {
        view.results.iter().filter(|result| wanted(result)).map(|result| text(result.id)).collect()
    };
    let running: Vec<Value> = view
        .devices
        .iter()
        .filter(|d| d.busy_until_s.is_some())
        .map(|d| json!({ "device_id": text(d.id), "busy_until_s": d.busy_until_s }))
        .collect();
    let pending: Vec<Value> = view
        .runs
        .iter()
        .map(|run| json!({ "run_id": text(run.id), "device_id": device(run.device), "specimen_id": text(run.specimen), "ended_s": run.ended_s }))
        .collect();
    let critical: Vec<Value> = view
        .results
        .iter()
        .filter(|result| result.critical && !result.releasable)
        .map(|result| json!({ "result_id": text(result.id), "attempt_id": result.attempt.map(text) }))
        .collect();
    let consignments: Vec<Value> = view
        .consignments
        .iter()
        .map(|c| json!({ "consignment_id": text(c.id), "expected_arrival_s": c.expected_arrival_s, "signed": c.signed, "received": c.received }))
        .collect();
    let required: Vec<Value> = view
        .transport_required
        .iter()
        .map(|(ids, from, to)| json!({ "specimen_ids": ids.iter().map(|&id| text(id)).collect::<Vec<_>>(), "origin_site": text(*from), "dest_site": text(*to) }))
        .collect();
    json!({
        "reception_list": specimens(&[Stage::Arrived, Stage::Accessioned, Stage::Checked]),
        "separation_list": specimens(&[Stage::Accepted, Stage::Spinning, Stage::Spun]),
        "aliquot_list": specimens(&[Stage::Separated, Stage::Aliquoting]),
        "work_list": specimens(&[Stage::Ready]),
        "running": running,
        "result_pending_list": pending,
        "releasable_result_ids": results(&|result| result.releasable && !result.held),
        "held_result_ids": results(&|result| result.held),
        "override_eligible_result_ids": results(&|r| !r.releasable && view.tokens.iter().any(|t| t.subject == r.id)),
        "critical_pending": critical,
        "transport_required": required,
        "transport_consignments": consignments,
    })
}

fn compatible_head<'a>(compatible: &[&'a str]) -> Option<&'a str> {
    compatible.first().copied()
}

/// Counts by published status: arrived, accessioning, accepted (and everything on the way to a result), held,
/// rejected, in transit, separated, unknown.
pub(super) fn status_counts(view: &WorldView) -> [u32; 8] {
    let mut counts = [0; 8];
    for specimen in &view.specimens {
        let place = match specimen.stage {
            Stage::Arrived => 0,
            Stage::Accessioned | Stage::Checked => 1,
            Stage::Accepted | Stage::Spinning | Stage::Spun => 2,
            Stage::Held => 3,
            Stage::Rejected => 4,
            Stage::InTransit => 5,
            Stage::Separated | Stage::Aliquoting | Stage::Ready => 6,
            Stage::Queued | Stage::Running | Stage::Analysed | Stage::Resulted | Stage::Released => 7,
        };
        counts[place] += 1;
    }
    counts
}

fn device_status(status: DeviceStatus) -> &'static str {
    match status {
        DeviceStatus::Idle => "IDLE",
        DeviceStatus::Running => "RUNNING",
        DeviceStatus::Maintenance => "MAINT",
        DeviceStatus::Fault => "FAULT",
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::InTransit => "in_transit",
        Stage::Arrived => "arrived",
        Stage::Accessioned => "accessioned",
        Stage::Checked => "checked",
        Stage::Accepted => "accepted",
        Stage::Spinning => "spinning",
        Stage::Spun => "spun",
        Stage::Separated => "separated",
        Stage::Aliquoting => "aliquoting",
        Stage::Ready => "ready",
        Stage::Queued => "queued",
        Stage::Running => "running",
        Stage::Analysed => "analysed",
        Stage::Resulted => "resulted",
        Stage::Released => "released",
        Stage::Held => "held",
        Stage::Rejected => "rejected",
    }
}
