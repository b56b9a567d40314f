//! Differences of queues, runs and quality control.

use super::{Rule, carries, parts};
use crate::differential::Case;
use crate::differential::facts::FACTS;

pub(super) const RULES: &[Rule] = &[
    parts("D-30", "a refused start takes the head of the queue", |case| {
        let queue =
            |question: &str| case.answer(question).is_some_and(|(device, _, _)| device == case.text("device_id"));
        case.is("START_RUN")
            && !case.code_here().is_empty()
            && matches!(case.code_there(), "TIME_EXPIRED" | "TEMP_OUT_OF_BAND" | "RC_REAGENT_STOCKOUT")
            && (queue("queue_head") || queue("queue_length"))
    }),
    parts("D-17", "a token does not waive limits of a plain start", |case| {
        case.is("START_RUN") && case.code_is("TOKEN_SCOPE_MISMATCH") && !case.refs().is_empty()
    }),
    carries("D-17", "an override needs a token", |case| {
        matches!(case.action(), "START_RUN_OVERRIDE" | "RELEASE_RESULT_OVERRIDE")
            && case.code_is("TOKEN_REQUIRED")
            && case.refs().is_empty()
    }),
    parts("D-17", "an override takes reagent, as any run does", |case| {
        starts(case)
            && case.refused_here("RC_REAGENT_STOCKOUT")
            && (case.is("START_RUN_OVERRIDE") || case.ledger.overrode)
            && specimens(case).first().is_some_and(|id| case.ledger.is_short_for(case.ledger.panel(id)))
    }),
    parts("D-44", "a device that does not exist", |case| {
        matches!(case.action(), "START_RUN" | "QUEUE_RUN")
            && case.code_is("RC_DEVICE_UNKNOWN")
            && !case.text("device_id").is_empty()
            && !FACTS.is_device(case.text("device_id"))
    }),
    parts("D-44", "quality control of a device that does not exist", |case| {
        case.is("QC_EVENT")
            && case.answer("device_qc_state").is_some_and(|(device, _, here)| {
                device == case.text("device_id") && !FACTS.is_device(device) && here == "pass"
            })
    }),
    parts("D-43", "a run's id is used once", |case| {
        case.code_is("RC_RUN_DUPLICATE") && case.ledger.runs.contains_key(case.text("run_id"))
    }),
    parts("D-31", "no run of what is held, rejected or released", |case| {
        starts(case)
            && case.code_is("RC_SPECIMEN_STATE")
            && specimens(case)
                .iter()
                .any(|id| matches!(case.was("specimen_status", id), "held" | "rejected" | "released"))
    }),
    parts("D-38", "no run of what is under way", |case| {
        starts(case)
            && case.code_is("RC_SPECIMEN_STATE")
            && specimens(case).iter().any(|id| case.was("specimen_status", id) == "in_transit")
    }),
    parts("D-45", "an analyser runs its own panels", |case| {
        starts(case)
            && case.code_is("ROUTE_DEVICE_INCOMPATIBLE")
            && specimens(case).iter().any(|id| FACTS.runs_other_panels(case.text("device_id"), case.ledger.panel(id)))
    }),
    parts("D-47", "an aliquot stands for its specimen, in the queue too", |case| {
        let of = |id: &'_ str| case.ledger.aliquots.get(id).map_or(id.to_owned(), Clone::clone);
        let head = case.was("queue_head", case.text("device_id"));
        case.is("START_RUN")
            && case.there_code_is("RC_QUEUE_HEAD_MISMATCH")
            && stated(case).first().is_some_and(|id| *id != head && of(id) == of(head))
    }),
    parts("D-47", "what holds for a specimen holds for its aliquot", |case| {
        let work = stated(case).into_iter().chain([case.was("queue_head", case.text("device_id"))]);
        case.is("START_RUN")
            && ["TIME_EXPIRED", "TEMP_OUT_OF_BAND", "RC_REAGENT_STOCKOUT"].iter().any(|code| case.refused_here(code))
            && work.into_iter().any(|id| case.ledger.aliquots.contains_key(id))
    }),
    parts("D-46", "a moment of warmth is forgiven", |case| {
        let forgiven = |id: &&str| case.ledger.warm_s(id, case.t_s()).is_some_and(|warm_s| warm_s <= FACTS.grace_s());
        case.is("START_RUN") && case.there_code_is("TEMP_OUT_OF_BAND") && specimens(case).iter().any(forgiven)
    }),
    parts("D-46", "what is to be kept warm is not to be cold", |case| {
        let warm =
            |id: &&str| case.ledger.storage(id).contains("AMBIENT") && case.ledger.warm_s(id, case.t_s()).is_some();
        case.is("START_RUN") && case.code_is("TEMP_OUT_OF_BAND") && specimens(case).iter().any(warm)
    }),
    parts("D-38", "what is not spun has its own clock", |case| {
        let young = |id: &&str| case.t_s() - case.ledger.collected_s(id) <= 86_400;
        case.is("START_RUN")
            && case.there_code_is("TIME_EXPIRED")
            && specimens(case).iter().any(|id| case.ledger.panel(id) == "HAEM_PANEL_CORE" && young(id))
    }),
    carries("D-38", "stability has an id for each panel", |case| {
        case.is("START_RUN")
            && case.code_here() == "TIME_EXPIRED"
            && case.finding().is_some_and(|(id, there, here)| {
                let (id_here, panel) = (id.strip_prefix("INV-STAB-"), specimens(case));
                let of_panel = |id: &str| {
                    panel.iter().any(|s| case.ledger.panel(s).starts_with(id.split('-').next().unwrap_or("?")))
                };
                (id == "INV-STAB-BIOCHEM-002" && there.is_some() && here.is_none())
                    || (there.is_none() && here.is_some() && id_here.is_some_and(of_panel))
            })
    }),
    parts("D-48", "work without a priority has that of its specimen", |case| {
        let inherits =
            case.is("QUEUE_RUN") && case.text("priority").is_empty() && case.text("priority_class").is_empty();
        case.both_accepted()
            && matches!(case.action(), "QUEUE_RUN" | "START_RUN")
            && case.answer("queue_head").is_some_and(|(device, _, _)| {
                device == case.text("device_id") && (inherits || case.ledger.inherited.contains(device))
            })
    }),
    carries("D-49", "a failed control puts results on hold", |case| {
        case.is("QC_EVENT")
            && case.both_accepted()
            && case.text("qc_outcome").eq_ignore_ascii_case("fail")
            && case.answer("result_status").is_some_and(|(_, there, here)| there == "generated" && here == "held")
    }),
];

/// The event starts a run.
fn starts(case: &Case<'_>) -> bool {
    matches!(case.action(), "START_RUN" | "START_RUN_OVERRIDE")
}

/// What the event says it runs.
fn stated<'a>(case: &Case<'a>) -> Vec<&'a str> {
    let specimens: Vec<&str> = case.texts("specimen_ids").collect();
    let mut stated = if specimens.is_empty() { case.texts("aliquot_ids").collect() } else { specimens };
    if stated.is_empty() && !case.text("work_id").is_empty() {
        stated.push(case.text("work_id"));
    }
    stated
}

/// The specimens that a start is about: stated ones, else the head of the queue; aliquots stand for theirs.
pub(super) fn specimens<'a>(case: &'a Case<'_>) -> Vec<&'a str> {
    let mut ids = stated(case);
    if ids.is_empty() {
        ids.push(case.was("queue_head", case.text("device_id")));
    }
    ids.into_iter().map(|id| case.ledger.aliquots.get(id).map_or(id, String::as_str)).collect()
}
