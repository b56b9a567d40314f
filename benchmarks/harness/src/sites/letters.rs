//! What sites send each other: specimens for a second opinion.
//!
//! By chance, drawn at each release, a specimen of the site's own goes on to the next site. It arrives there a
//! courier's time later, is entered there as any other, and goes no further.

use super::site::Site;
use labtrust_kernel::{Stream, Streams};
use labtrust_plugin::Referrals;
use labtrust_plugin::lab::{Action, ActionKind, StepFacts};
use serde_json::{Map, Value, json};

/// What every id of a referred specimen begins with.
const REFERRED: &str = "S_REF_";
/// What is measured of all that is referred.
const PANEL: &str = "BIOCHEM_PANEL_CORE";

/// Letters of a window that were not handed over yet.
pub(super) struct Outbox {
    from: usize,
    draws: Stream,
    referrals: Referrals,
    sent: u32,
    letters: Vec<Letter>,
}

/// A specimen on its way.
pub(super) struct Letter {
    from: usize,
    number: u32,
    arrives_s: i64,
}

impl Outbox {
    pub(super) fn new(from: usize, seed: u64, referrals: Referrals) -> Self {
        let draws = Streams::new(seed).stream("sites.referral", "site");
        Self { from, draws, referrals, sent: 0, letters: Vec::new() }
    }

    /// Draws for each release whether the next site shall see the specimen too.
    pub(super) fn on_action(&mut self, action: &Action, facts: &StepFacts<'_>) {
        let releases = matches!(action.decision.kind, ActionKind::ReleaseResult | ActionKind::ReleaseResultOverride);
        if !releases || !facts.outcome.accepted || self.referrals.per_mille == 0 {
            return;
        }
        for &specimen in &facts.outcome.specimens {
            if facts.symbols.text(specimen).starts_with(REFERRED) {
                continue;
            }
            if self.draws.below(1000) < u64::from(self.referrals.per_mille) {
                self.sent += 1;
                let arrives_s = action.t_s.saturating_add(i64::from(self.referrals.transport_s));
                self.letters.push(Letter { from: self.from, number: self.sent, arrives_s });
            }
        }
    }
}

/// Hands over what was sent in a window, in the order of the senders: each to the next, the last to the first.
pub(super) fn hand_over(sites: &mut [Site]) {
    let count = sites.len();
    if count < 2 {
        return;
    }
    for from in 0..count {
        let letters = std::mem::take(&mut sites[from].outbox().letters);
        sites[(from + 1) % count].inbox().extend(letters);
    }
}

impl Letter {
    /// The specimen, written as one of an initial state.
    pub(super) fn specimen(&self) -> Map<String, Value> {
        let record = json!({
            "specimen_id": format!("{REFERRED}{}_{}", self.from, self.number),
            "collection_ts_s": self.arrives_s,
            "arrival_ts_s": self.arrives_s,
            "panel_id": PANEL,
            "container_type": "SERUM_SST",
            "specimen_type": "SERUM",
            "fill_ratio_ok": true,
            "temp_band": "AMBIENT_20_25",
            "status": "arrived_at_reception",
            "priority_class": "ROUTINE",
        });
        match record {
            Value::Object(map) => map,
            _ => unreachable!("an object was written"),
        }
    }
}
