//! What the episode remembers: every store, every component, the calendar, the streams.
//!
//! Left out are the policy (it does not change), the record (a refusal belongs on it), the time, and what a step uses
//! to work with. Each list names all fields, so that a new one cannot be forgotten: it does not compile before somebody
//! has decided.

use super::{Ablated, ArrivalGroup, Crowd, Index, Lab, Outage};
use crate::{
    components::{
        Acknowledgement, Aliquot, Attempt, Body, Communication, Consignment, Device, Door, PlannedControl, QueueItem,
        QueueRank, ResultRecord, ResultStatus, Run, RunSpecimen, RunState, Specimen, Status, Unit, Work, Zone,
    },
    due::Due,
    policy::{Criticality, Measurement},
};
use bevy_ecs::{
    component::Component,
    world::{EntityRef, World},
};
use labtrust_kernel::{Memory, Remembered, remembered, remembered_as_number};
use labtrust_trust::tokens::Token;
use priority_queue::PriorityQueue;
use std::any::TypeId;

remembered!(Lab {
    calendar,
    ids,
    zones,
    doors,
    devices,
    specimens,
    runs,
    results,
    consignments,
    bodies,
    crowd,
    batches,
    arrivals,
    outages,
    timing,
    enforced,
    downtime_active,
    strict_signatures,
    enforcement_enabled,
    force_excursion,
    ablated,
    ablation_undeclared,
    scale_config_pending,
    break_chain_on_event,
    partner_id,
    policy_fingerprint,
    transport_required,
    stock,
    rbac,
    capabilities,
    keys,
    tokens,
    enforcer,
    tools,
    state_label,
    log_frozen,
    thaw_log,
    freeze_after_record,
    batch_head,
    system_events,
    service_streams,
    qc_streams,
    failure_streams,
    transport_stream,
    measurement_streams,
} through {
    world: recall_world,
    signed_events: recall_signed_events,
} forgotten {
    shown: "the order of what is remembered elsewhere",
    shared: "policy",
    policy: "policy",
    names: "policy",
    invariants: "policy",
    symbols: "a dictionary: a word that was heard changes nothing",
    now: "time",
    now_s: "time",
    chain: "the record",
    unrecorded: "the record",
    outcome: "the answer of the step",
    spare: "a buffer",
    found: "a buffer",
    event_bytes: "a buffer",
    record_bytes: "a buffer",
    payload_bytes: "a buffer",
    committed: "whether the present step may still be refused",
    steps_until_clear: "when the world is tidied",
    packed: "the same, put away",
});
remembered!(Crowd { present, on_the_way });
remembered!(Index { specimens, aliquots, runs, results, communications, consignments, bodies });
remembered!(ArrivalGroup { specimens });
remembered!(Outage { device, begin, end });

remembered!(Specimen {
    id,
    panel,
    priority,
    status,
    status_on_arrival,
    since,
    collection_s,
    arrival_s,
    separated_s,
    cold,
    readings,
    citrate,
    fill_ok,
    leaking,
    checked,
    id_match,
    last_reason,
    site,
    zone,
    aliquot,
    device,
});
remembered!(Aliquot { specimen });
remembered!(Device {
    id,
    index,
    requests,
    qc_outcome,
    qc_fail,
    units,
    fault,
    in_maintenance,
    busy,
    runs_finished,
    planned_controls,
    last_control,
    runs_since_control,
} through { queue: recall_queue });
remembered!(Unit { free_at, work, free });
remembered!(PlannedControl { after_runs, fails });
remembered!(QueueItem { work, tie_break });
remembered!(Run { id, device, state, started, ended, specimens });
remembered!(RunSpecimen { specimen, measured, filed });
remembered!(Measurement { analyte, units, value });
remembered!(ResultRecord { id, specimen, device, status, criticality, oral_required, disclaimer, filed });
remembered!(Communication { attempts, acknowledgements });
remembered!(Attempt { id, tier, at_s });
remembered!(Acknowledgement { compliant });
remembered!(Consignment {
    id,
    specimens,
    origin,
    dest,
    dispatched,
    expected,
    final_drift_c,
    drift_max_c,
    arrived,
    received,
    signed,
});
remembered!(Zone { id });
remembered!(Door { id, open_since, timer, breached, reported });
remembered!(Body { id, zone, walking_to, arrives });
remembered_as_number!(Status, RunState, ResultStatus, Criticality);

impl Remembered for Ablated {
    fn recall(&self, memory: &mut Memory) {
        self.0.bits().recall(memory);
    }
}

impl Remembered for Work {
    fn recall(&self, memory: &mut Memory) {
        match self {
            Self::Run(run) => (0u8, *run).recall(memory),
            Self::Spin(batch) => (1u8, *batch).recall(memory),
            Self::Tube(specimen) => (2u8, *specimen).recall(memory),
        }
    }
}

impl Remembered for Due {
    fn recall(&self, memory: &mut Memory) {
        match *self {
            Self::SpinEnd { device, batch } => (0u8, device, batch).recall(memory),
            Self::UnitFree { device, unit } => (1u8, device, unit).recall(memory),
            Self::AliquotEnd { device, specimen } => (2u8, device, specimen).recall(memory),
            Self::RunEnd { run } => (3u8, run).recall(memory),
            Self::WalkEnd { body } => (4u8, body).recall(memory),
            Self::DoorBreach { door } => (5u8, door).recall(memory),
            Self::MaintenanceBegin { device } => (6u8, device).recall(memory),
            Self::MaintenanceEnd { device } => (7u8, device).recall(memory),
            Self::Fault { device } => (8u8, device).recall(memory),
            Self::Repaired { device } => (9u8, device).recall(memory),
            Self::OutageBegin { outage } => (10u8, outage).recall(memory),
            Self::OutageEnd { outage } => (11u8, outage).recall(memory),
            Self::ConsignmentArrival { consignment } => (12u8, consignment).recall(memory),
            Self::Arrivals { group } => (13u8, group).recall(memory),
        }
    }
}

/// A queue is its items in their order; how it keeps them is its own business.
fn recall_queue<H: std::hash::BuildHasher>(queue: &PriorityQueue<QueueItem, QueueRank, H>, memory: &mut Memory) {
    let mut items: Vec<_> = queue.iter().collect();
    items.sort_unstable_by(|a, b| b.1.cmp(a.1));
    memory.number(items.len() as u64);
    for (item, rank) in items {
        item.recall(memory);
        let (priority, at_s, number) = rank.0;
        (priority, at_s, number).recall(memory);
    }
}

fn recall_signed_events(ids: &rustc_hash::FxHashSet<String>, memory: &mut Memory) {
    let mut ids: Vec<&String> = ids.iter().collect();
    ids.sort_unstable();
    memory.list(ids.into_iter());
}

/// A component type, how it is written, and its fields.
struct Kind {
    type_id: fn() -> TypeId,
    recall: fn(&EntityRef<'_>, &mut Memory),
    #[cfg_attr(not(test), expect(dead_code, reason = "for the test that counts them"))]
    fields: &'static [&'static str],
}

const fn kind<C: Component + Remembered>() -> Kind {
    Kind {
        type_id: TypeId::of::<C>,
        recall: |entity, memory| {
            if let Some(component) = entity.get::<C>() {
                component.recall(memory);
            }
        },
        fields: C::FIELDS,
    }
}

/// Every component of the laboratory.
static KINDS: [Kind; 11] = [
    kind::<Specimen>(),
    kind::<Aliquot>(),
    kind::<Device>(),
    kind::<Run>(),
    kind::<ResultRecord>(),
    kind::<Communication>(),
    kind::<Consignment>(),
    kind::<Zone>(),
    kind::<Door>(),
    kind::<Body>(),
    kind::<Token>(),
];

/// Every entity with all of its components.
fn recall_world(world: &World, memory: &mut Memory) {
    for archetype in world.archetypes().iter() {
        for place in archetype.entities() {
            let entity = world.entity(place.id());
            memory.mark("entity");
            place.id().recall(memory);
            for component in archetype.components() {
                let Some(info) = world.components().get_info(*component) else { continue };
                let kind = KINDS.iter().position(|kind| Some((kind.type_id)()) == info.type_id());
                match kind {
                    Some(number) => {
                        number.recall(memory);
                        (KINDS[number].recall)(&entity, memory);
                    }
                    // What the entity world keeps for itself is nothing the episode remembers.
                    None => assert!(
                        !info.name().to_string().contains("labtrust"),
                        "the component {} is not among those that are remembered",
                        info.name()
                    ),
                }
            }
        }
    }
}

impl Lab {
    /// What the episode remembers now.
    pub(crate) fn memory(&self) -> Memory {
        let mut memory = Memory::new();
        self.recall(&mut memory);
        memory
    }
}

#[cfg(test)]
mod tests;
