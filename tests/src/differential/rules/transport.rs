//! Differences of transport.

use super::{Rule, carries, parts};
use crate::differential::Case;
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    carries("D-38", "what is under way is not here", |case| {
        case.is("DISPATCH_TRANSPORT")
            && case.answer("specimen_status").is_some_and(|(specimen, _, here)| {
                here == "in_transit" && case.texts("specimen_ids").any(|id| id == specimen)
            })
    }),
    carries("D-38", "what was received is here", |case| {
        case.is("RECEIVE_TRANSPORT")
            && case.answer("specimen_status").is_some_and(|(specimen, _, here)| {
                here == "arrived_at_reception" && sent(case).any(|id| id == specimen)
            })
    }),
    parts("D-46", "a token answers for an excursion", |case| {
        case.is("RECEIVE_TRANSPORT")
            && case.refused_there("TRANSPORT_TEMP_EXCURSION")
            && forced(case)
            && !case.refs().is_empty()
    }),
    carries("D-30", "a refused reception has warmed nothing", |case| {
        case.is("TRANSPORT_TICK")
            && forced(case)
            && case
                .finding()
                .is_some_and(|(id, there, here)| id == "INV-TRANSPORT-001" && there.is_some() && here.is_none())
    }),
];

fn forced(case: &Case<'_>) -> bool {
    case.setting("transport_fault_injection", "force_temp_excursion_on_next_receive") == &Value::Bool(true)
}

/// The specimens of the consignment that is named.
fn sent<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a str> {
    let list = case.before.get("transport_consignments", "").as_array();
    let named = case.text("consignment_id");
    let found = list.into_iter().flatten().find(move |entry| entry["consignment_id"] == named);
    found.and_then(|entry| entry["specimen_ids"].as_array()).into_iter().flatten().filter_map(Value::as_str)
}
