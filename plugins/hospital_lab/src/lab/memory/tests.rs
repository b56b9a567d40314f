//! Each field of each component and store, changed once: the memory says so, and says which.

use super::*;
use crate::{components::*, shared::Shared};
use labtrust_kernel::{SimDuration, SimTime, Streams, Symbol};
use labtrust_plugin::lab::Priority;
use labtrust_policy::PolicyStore;
use labtrust_trust::{
    enforcement::{Enforcer, ViolationFacts},
    gates::{Capabilities, Rbac},
    keys::KeyRegistry,
    tokens::{InitialToken, TokenStore},
    tools::ToolGate,
};
use serde_json::json;
use smallvec::smallvec;
use std::{cmp::Reverse, collections::BTreeSet, sync::Arc};

/// A laboratory that has one of everything.
fn furnished() -> Lab {
    let token = json!({
        "token_id": "T1", "token_type": "OVERRIDE_RISK_ACCEPTANCE", "subject_type": "specimen", "subject_id": "S1",
        "issued_at_ts_s": 0, "expires_at_ts_s": 9, "approvals": ["A_QC"],
    });
    furnished_with(&[token])
}

fn furnished_with(tokens: &[serde_json::Value]) -> Lab {
    let shared = Arc::new(Shared::load(&PolicyStore::builtin()).unwrap());
    let state = json!({
        "workflow": "enforced", "timing_mode": "simulated",
        "specimens": [{"specimen_id": "S1", "panel_id": "BIOCHEM_PANEL_CORE", "arrival_ts_s": 50}],
        "transport_required": [{"specimen_ids": ["S1"], "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"}],
        "tokens": tokens,
        "agents": [{"agent_id": "A_QC", "zone_id": "Z_QC_SUPERVISOR"}],
    });
    let mut lab = Lab::start(&shared, state.as_object().unwrap(), 1).unwrap();
    let (id, other) = (lab.symbols.intern("X1"), lab.symbols.intern("X2"));
    let measured = Some(Measurement { analyte: id, units: id, value: 1.0 });
    lab.world.spawn(Aliquot { specimen: id });
    lab.world.spawn(Run {
        id,
        device: 0,
        state: RunState::Running,
        started: SimTime::ZERO,
        ended: SimTime::ZERO,
        specimens: smallvec![RunSpecimen { specimen: id, measured, filed: false }],
    });
    lab.world.spawn(ResultRecord {
        id,
        specimen: None,
        device: None,
        status: ResultStatus::Generated,
        criticality: Criticality::Normal,
        oral_required: false,
        disclaimer: false,
        filed: SimTime::ZERO,
    });
    lab.world.spawn(Communication {
        attempts: vec![Attempt { id, tier: 0, at_s: 0 }],
        acknowledgements: vec![Acknowledgement { compliant: false }],
    });
    lab.world.spawn(Consignment {
        id,
        specimens: smallvec![id],
        origin: id,
        dest: other,
        dispatched: SimTime::ZERO,
        expected: SimTime::ZERO,
        final_drift_c: 0.0,
        drift_max_c: 2.0,
        arrived: false,
        received: false,
        signed: false,
    });
    let mut device = lab.device_mut(0);
    device.queue.push(QueueItem { work: id, tie_break: 0 }, Reverse((Priority::Stat, 0, 0)));
    device.planned_controls.push(PlannedControl { after_runs: 1, fails: false });
    lab
}

/// The first component of a type, to change.
fn first<'w, C: Component<Mutability = bevy_ecs::component::Mutable>>(
    lab: &'w mut Lab,
) -> bevy_ecs::change_detection::Mut<'w, C> {
    let mut query = lab.world.query::<&mut C>();
    query.iter_mut(&mut lab.world).next().expect("the laboratory has one of everything")
}

type Change = (&'static str, Box<dyn Fn(&mut Lab)>);

/// `Type.field = value`, for the first component of the type.
macro_rules! components {
    ($($type:ident { $($field:ident = $value:expr),+ $(,)? })+) => {
        vec![$($((
            concat!(stringify!($type), ".", stringify!($field)),
            Box::new(|lab: &mut Lab| {
                let change: fn(Symbol) -> _ = $value;
                let value = change(lab.names.inv_coc_001);
                first::<$type>(lab).$field = value;
            }) as Box<dyn Fn(&mut Lab)>,
        )),+),+]
    };
}

fn boxed(change: impl Fn(&mut Lab) + 'static) -> Box<dyn Fn(&mut Lab)> {
    Box::new(change)
}

/// `Lab.field`, by any change.
macro_rules! fields {
    ($($name:literal => $change:expr),+ $(,)?) => {
        vec![$(($name, boxed($change))),+]
    };
}

fn of_components() -> Vec<Change> {
    components! {
        Specimen {
            id = |x| x, panel = |_| None, priority = |_| Priority::Stat, status = |_| Status::Held,
            status_on_arrival = |_| Status::Held, since = |_| SimTime::from_secs(7), collection_s = |_| 7,
            arrival_s = |_| 7, separated_s = |_| Some(7), cold = |_| true, readings = |_| smallvec![(7, true)],
            citrate = |_| true, fill_ok = |_| Some(true), leaking = |_| true, checked = |_| true,
            id_match = |_| Some(true), last_reason = Some, site = |_| None, zone = |_| Some(7), aliquot = Some,
            device = |_| Some(7),
        }
        Aliquot { specimen = |x| x }
        Device {
            id = |x| x, index = |_| 77, requests = |_| 7, qc_outcome = |x| x, qc_fail = |_| true,
            units = |_| smallvec![], fault = |_| true, in_maintenance = |_| true,
            busy = |_| SimDuration::from_secs(7), runs_finished = |_| 7, planned_controls = |_| smallvec![],
            last_control = |_| Some(SimTime::from_secs(7)), runs_since_control = |_| 7,
            queue = |_| PriorityQueue::with_default_hasher(),
        }
        Run {
            id = |x| x, device = |_| 7, state = |_| RunState::Aborted, started = |_| SimTime::from_secs(7),
            ended = |_| SimTime::from_secs(7), specimens = |_| smallvec![],
        }
        ResultRecord {
            id = |x| x, specimen = Some, device = |_| Some(7), status = |_| ResultStatus::Released,
            criticality = |_| Criticality::CritA, oral_required = |_| true, disclaimer = |_| true,
            filed = |_| SimTime::from_secs(7),
        }
        Communication { attempts = |_| vec![], acknowledgements = |_| vec![] }
        Consignment {
            id = |x| x, specimens = |_| smallvec![], origin = |x| x, dest = |x| x,
            dispatched = |_| SimTime::from_secs(7), expected = |_| SimTime::from_secs(7), final_drift_c = |_| 7.0,
            drift_max_c = |_| 7.0, arrived = |_| true, received = |_| true, signed = |_| true,
        }
        Zone { id = |x| x }
        Door {
            id = |x| x, open_since = |_| Some(SimTime::ZERO), breached = |_| true, reported = |_| true,
        }
        Body { id = |x| x, zone = |_| None, walking_to = |_| Some(7), arrives = |_| Some(SimTime::from_secs(7)) }
        Token {
            id = |x| x, token_type = |x| x, kind = |_| None,
            state = |_| labtrust_trust::tokens::TokenState::Revoked, subject_type = |x| x,
            subject_kind = |_| labtrust_trust::tokens::SubjectKind::Door, subject_id = |x| x, issued_at_s = |_| 7,
            expires_at_s = |_| 7, reason = Some, approvals = |_| smallvec![],
        }
    }
}

/// Fields of what stands inside components, and those that need another thing first.
fn of_parts() -> Vec<Change> {
    fields! {
        "Door.timer" => |lab| {
            let timer = lab.calendar.schedule(SimTime::MAX, Due::DoorBreach { door: 0 }.class(), Due::DoorBreach { door: 0 }).unwrap();
            first::<Door>(lab).timer = Some(timer);
        },
        "Unit.free_at" => |lab| lab.device_mut(0).units[0].free_at = Some(SimTime::ZERO),
        "Unit.work" => |lab| {
            let end = lab.schedule(SimTime::MAX, Due::UnitFree { device: 0, unit: 0 });
            lab.device_mut(0).units[0].work = Some((Work::Spin(1), end));
        },
        "Unit.free" => |lab| lab.device_mut(0).units[0].free = Some(lab.schedule(SimTime::MAX, Due::UnitFree { device: 0, unit: 0 })),
        "PlannedControl.after_runs" => |lab| lab.device_mut(0).planned_controls[0].after_runs = 9,
        "PlannedControl.fails" => |lab| lab.device_mut(0).planned_controls[0].fails = true,
        "QueueItem.work" => |lab| {
            let work = lab.names.inv_coc_001;
            let mut device = lab.device_mut(0);
            device.queue.clear();
            device.queue.push(QueueItem { work, tie_break: 0 }, Reverse((Priority::Stat, 0, 0)));
        },
        "QueueItem.tie_break" => |lab| {
            let mut device = lab.device_mut(0);
            let (item, rank) = device.queue.pop().unwrap();
            device.queue.push(QueueItem { tie_break: 1, ..item }, rank);
        },
        "RunSpecimen.specimen" => |lab| { let x = lab.names.inv_coc_001; first::<Run>(lab).specimens[0].specimen = x; },
        "RunSpecimen.measured" => |lab| first::<Run>(lab).specimens[0].measured = None,
        "RunSpecimen.filed" => |lab| first::<Run>(lab).specimens[0].filed = true,
        "Measurement.analyte" => |lab| { let x = lab.names.inv_coc_001; first::<Run>(lab).specimens[0].measured.as_mut().unwrap().analyte = x; },
        "Measurement.units" => |lab| { let x = lab.names.inv_coc_001; first::<Run>(lab).specimens[0].measured.as_mut().unwrap().units = x; },
        "Measurement.value" => |lab| first::<Run>(lab).specimens[0].measured.as_mut().unwrap().value = 7.0,
        "Attempt.id" => |lab| { let x = lab.names.inv_coc_001; first::<Communication>(lab).attempts[0].id = x; },
        "Attempt.tier" => |lab| first::<Communication>(lab).attempts[0].tier = 7,
        "Attempt.at_s" => |lab| first::<Communication>(lab).attempts[0].at_s = 7,
        "Acknowledgement.compliant" => |lab| first::<Communication>(lab).acknowledgements[0].compliant = true,
    }
}

fn of_lab() -> Vec<Change> {
    let mut stream = Streams::new(1).stream("other", "one");
    for _ in 0..9 {
        stream.uniform();
    }
    let moved = stream;
    let (a, b, c, d, e) = (moved.clone(), moved.clone(), moved.clone(), moved.clone(), moved);
    fields! {
        "Lab.calendar" => |lab| { lab.schedule(SimTime::MAX, Due::Fault { device: 0 }); },
        "Index.specimens" => |lab| { let x = lab.names.inv_coc_001; lab.ids.specimens.insert(x, lab.zones[0]); },
        "Index.aliquots" => |lab| { let x = lab.names.inv_coc_001; lab.ids.aliquots.insert(x, x); },
        "Index.runs" => |lab| { let x = lab.names.inv_coc_001; lab.ids.runs.insert(x, lab.zones[0]); },
        "Index.results" => |lab| { let x = lab.names.inv_coc_001; lab.ids.results.insert(x, lab.zones[0]); },
        "Index.communications" => |lab| { let x = lab.names.inv_coc_001; lab.ids.communications.insert(x, lab.zones[0]); },
        "Index.consignments" => |lab| { let x = lab.names.inv_coc_001; lab.ids.consignments.insert(x, lab.zones[0]); },
        "Index.bodies" => |lab| { let x = lab.names.inv_coc_001; lab.ids.bodies.insert(x, lab.zones[0]); },
        "Lab.ids" => |lab| lab.ids = Index::default(),
        "Lab.zones" => |lab| lab.zones.clear(),
        "Lab.doors" => |lab| lab.doors.clear(),
        "Lab.devices" => |lab| lab.devices.clear(),
        "Lab.specimens" => |lab| lab.specimens.clear(),
        "Lab.runs" => |lab| lab.runs.push(lab.zones[0]),
        "Lab.results" => |lab| lab.results.push(lab.zones[0]),
        "Lab.consignments" => |lab| lab.consignments.push(lab.zones[0]),
        "Lab.bodies" => |lab| lab.bodies.clear(),
        "Lab.crowd" => |lab| lab.crowd = super::Crowd::default(),
        "Crowd.present" => |lab| lab.crowd.present[0] += 1,
        "Crowd.on_the_way" => |lab| lab.crowd.on_the_way.push(smallvec![SimTime::ZERO]),
        "Lab.batches" => |lab| lab.batches.push(smallvec![]),
        "Lab.arrivals" => |lab| lab.arrivals.clear(),
        "ArrivalGroup.specimens" => |lab| lab.arrivals[0].specimens.clear(),
        "Lab.outages" => |lab| lab.outages.clear(),
        "Outage.device" => |lab| lab.outages[0].device = 1,
        "Outage.begin" => |lab| lab.outages[0].begin = SimTime::MAX,
        "Outage.end" => |lab| lab.outages[0].end = SimTime::ZERO,
        "Lab.timing" => |lab| lab.timing = labtrust_kernel::ClockMode::Explicit,
        "Lab.enforced" => |lab| lab.enforced = false,
        "Lab.downtime_active" => |lab| lab.downtime_active = true,
        "Lab.strict_signatures" => |lab| lab.strict_signatures = true,
        "Lab.enforcement_enabled" => |lab| lab.enforcement_enabled = true,
        "Lab.force_excursion" => |lab| lab.force_excursion = true,
        "Lab.ablated" => |lab| lab.ablated = Ablated([labtrust_plugin::lab::Control::Rbac].into_iter().collect()),
        "Lab.ablation_undeclared" => |lab| lab.ablation_undeclared = true,
        "Lab.scale_config_pending" => |lab| lab.scale_config_pending = true,
        "Lab.break_chain_on_event" => |lab| lab.break_chain_on_event = Some("e1".into()),
        "Lab.partner_id" => |lab| lab.partner_id = Some("p".into()),
        "Lab.policy_fingerprint" => |lab| lab.policy_fingerprint = Some("p".into()),
        "Lab.transport_required" => |lab| lab.transport_required.clear(),
        "Lab.stock" => |lab| lab.stock[0] -= 1.0,
        "Rbac.agents" => |lab| {
            let (agent, role) = (lab.names.empty, lab.names.control_role);
            lab.rbac.assign(agent, role, &lab.symbols).unwrap();
        },
        "Capabilities.counters" => |lab| lab.capabilities.record(lab.names.empty, labtrust_plugin::lab::ActionKind::Tick.id(), SimTime::ZERO),
        "KeyRegistry.keys" => |lab| { let key = lab.symbols.get("ed25519:key_qc").unwrap(); assert!(lab.keys.revoke(key)); },
        "TokenStore.by_id" => |lab| {
            let token: InitialToken = serde_json::from_value(json!({
                "token_id": "T2", "token_type": "X", "subject_type": "agent", "subject_id": "A", "issued_at_ts_s": 0, "expires_at_ts_s": 1,
            })).unwrap();
            // The entity itself is not looked at here.
            let entity = lab.tokens.insert_initial(&mut lab.world, &token, &mut lab.symbols).unwrap();
            lab.world.despawn(entity);
        },
        "TokenStore.order" => |lab| {
            let token: InitialToken = serde_json::from_value(json!({
                "token_id": "T3", "token_type": "X", "subject_type": "agent", "subject_id": "A", "issued_at_ts_s": 0, "expires_at_ts_s": 1,
            })).unwrap();
            lab.tokens.insert_initial(&mut lab.world, &token, &mut lab.symbols).unwrap();
        },
        "TokenStore.counts" => |lab| { let id = lab.symbols.intern("T1"); lab.tokens.revoke(&mut lab.world, id).unwrap(); },
        "Enforcer.counts" => |lab| {
            let invariant = lab.symbols.intern("INV-CRIT-004");
            let facts = ViolationFacts { invariant, severity: None, scope: None, reason: None, device: None, zone: None };
            assert!(!lab.enforcer.evaluate(lab.names.empty, &[facts]).is_empty());
        },
        "ToolGate.default_state" => |lab| lab.tools = ToolGate::new(Arc::default(), Arc::default(), None, &mut lab.symbols),
        "Enforcer.throttled_until" => |lab| lab.enforcer.throttle(lab.names.empty, SimDuration::from_secs(1), SimTime::ZERO),
        "Enforcer.killed_agents" => |lab| lab.enforcer.kill_agent(lab.names.empty),
        "Enforcer.killed_devices" => |lab| lab.enforcer.kill_device(lab.names.empty),
        "Enforcer.frozen_zones" => |lab| lab.enforcer.freeze_zone(lab.names.empty),
        "ToolGate.allowed_tools" => |lab| lab.tools.restrict_to([]),
        "ToolGate.timeout_s" => |lab| lab.tools.set_timeout_s(1.0),
        "Lab.state_label" => |lab| lab.state_label = Some(lab.names.empty),
        "Lab.log_frozen" => |lab| lab.log_frozen = true,
        "Lab.thaw_log" => |lab| lab.thaw_log = true,
        "Lab.freeze_after_record" => |lab| lab.freeze_after_record = true,
        "Lab.batch_head" => |lab| lab.batch_head.push('x'),
        "Lab.system_events" => |lab| lab.system_events += 1,
        "Lab.service_streams" => move |lab| lab.service_streams.set(0, a.clone()),
        "Lab.qc_streams" => move |lab| lab.qc_streams.set(0, b.clone()),
        "Lab.failure_streams" => move |lab| lab.failure_streams.set(0, c.clone()),
        "Lab.transport_stream" => move |lab| lab.transport_stream = d.clone(),
        "Lab.measurement_streams" => move |lab| lab.measurement_streams.set(0, e.clone()),
        "Lab.world" => |lab| { lab.world.spawn(Zone { id: lab.names.empty }); },
        "Lab.signed_events" => |lab| { lab.signed_events.insert("e1".into()); },
    }
}

/// Lists of the laboratory whose members are written under names of their own, and stores of the trust layer, which
/// `Lab` only passes on.
const PASSED_ON: [&str; 7] =
    ["Lab.rbac", "Lab.capabilities", "Lab.keys", "Lab.tokens", "Lab.enforcer", "Lab.tools", "Lab.ids"];

#[test]
fn every_field_of_every_component_and_store_moves_the_memory() {
    let changes: Vec<Change> = of_components().into_iter().chain(of_parts()).chain(of_lab()).collect();
    let mut tried = BTreeSet::new();
    for (name, change) in changes {
        let mut lab = furnished();
        if name.starts_with("Outage") || name == "Lab.outages" {
            lab.outages.push(Outage { device: 0, begin: SimTime::ZERO, end: SimTime::MAX });
        }
        let before = lab.memory();
        assert_eq!(before.first_difference(&lab.memory()), None);
        change(&mut lab);
        let after = lab.memory();
        assert_ne!(before.digest(), after.digest(), "{name} has no part in the digest");
        assert!(before.first_difference(&after).is_some());
        assert!(tried.insert(name), "{name} is tried twice");
    }
    let own: [&[&str]; 17] = [
        Lab::FIELDS,
        Index::FIELDS,
        ArrivalGroup::FIELDS,
        Outage::FIELDS,
        Unit::FIELDS,
        PlannedControl::FIELDS,
        QueueItem::FIELDS,
        RunSpecimen::FIELDS,
        Measurement::FIELDS,
        Attempt::FIELDS,
        Acknowledgement::FIELDS,
        Rbac::FIELDS,
        Capabilities::FIELDS,
        KeyRegistry::FIELDS,
        TokenStore::FIELDS,
        Enforcer::FIELDS,
        ToolGate::FIELDS,
    ];
    let components = KINDS.iter().map(|kind| kind.fields);
    let forgotten: Vec<_> = own
        .into_iter()
        .chain(components)
        .flatten()
        .filter(|field| !tried.contains(*field) && !PASSED_ON.contains(field))
        .collect();
    assert!(forgotten.is_empty(), "nobody tried to change {forgotten:?}");
}

#[test]
fn a_difference_is_told_by_its_field() {
    for (name, change) in of_components() {
        let mut lab = furnished();
        let before = lab.memory();
        change(&mut lab);
        assert_eq!(before.first_difference(&lab.memory()), Some(name));
    }
}

/// Whatever the value of a field: what is packed up is unpacked as it was.
#[test]
fn what_rests_wakes_as_it_was() {
    let mut rested = 0;
    for (name, change) in of_components().into_iter().chain(of_parts()).chain(of_lab()) {
        if name.starts_with("Token") {
            continue;
        }
        let mut lab = furnished_with(&[]);
        lab.outages.push(Outage { device: 0, begin: SimTime::ZERO, end: SimTime::MAX });
        change(&mut lab);
        let (before, words) = (lab.memory(), lab.symbols.len());
        if !lab.rest() {
            continue;
        }
        rested += 1;
        assert!(lab.specimens.is_empty() && lab.symbols.len() < words, "{name}");
        lab.wake();
        assert_eq!(before.first_difference(&lab.memory()), None, "{name}");
        assert_eq!(lab.symbols.len(), words);
        assert!(lab.symbols.get("X2").is_some());
    }
    assert!(rested > 100, "{rested}");
}

#[test]
fn what_is_rare_keeps_a_laboratory_awake() {
    let mut lab = furnished();
    let before = lab.memory();
    assert!(!lab.rest());
    assert_eq!(before.first_difference(&lab.memory()), None);
    let mut lab = furnished_with(&[]);
    let aliquot = lab.world.spawn(Aliquot { specimen: lab.names.empty }).id();
    lab.world.despawn(aliquot);
    assert!(!lab.rest());
}
