//! A figure alone says little: beside every crew stand the one that acts by chance, and the bound that no crew exceeds.

use super::pool::{Group, GroupKey};
use super::table::Row;
use serde_json::Value;
use std::collections::BTreeMap;

/// Baseline id of the agents that pick among the actions that their mask allows.
const BY_CHANCE: &str = "random_legal_v1";

/// A line of the comparison.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) task: String,
    /// Partner and settings that the rows are split by; empty without any.
    pub(super) setting: String,
    pub(super) who: String,
    /// Episodes [count]; absent where there was no run.
    pub(super) episodes: Option<usize>,
    /// Specimens with a released result an episode, mean [count].
    pub(super) throughput: Value,
    /// Share of the bound, mean [1].
    pub(super) share: Value,
}

/// The lines of every task (and partner, and setting): chance first, then the crews, then the bound. A task whose
/// results know no bound, because another program wrote them, has no lines.
pub(super) fn lines(groups: &[Group<'_>], rows: &[Row]) -> Vec<Line> {
    let mut settings: BTreeMap<(&str, String), Vec<(&Group<'_>, &Row)>> = BTreeMap::new();
    for (group, row) in groups.iter().zip(rows) {
        settings.entry((&group.key.task, setting(&group.key))).or_default().push((group, row));
    }
    let mut lines = Vec::new();
    for ((task, setting), mut members) in settings {
        let bound = members.iter().map(|(_, row)| row.get("throughput_bound_mean")).find(|bound| !bound.is_null());
        let Some(bound) = bound.cloned() else { continue };
        // Stable: the crews keep their order.
        members.sort_by_key(|(group, _)| group.key.baseline != BY_CHANCE);
        let line = |who: &str, episodes, throughput, share| Line {
            task: task.to_owned(),
            setting: setting.clone(),
            who: who.to_owned(),
            episodes,
            throughput,
            share,
        };
        if members.iter().all(|(group, _)| group.key.baseline != BY_CHANCE) {
            lines.push(line("by chance: no such run is among the results", None, Value::Null, Value::Null));
        }
        for (group, row) in members {
            let who = match group.key.baseline.as_str() {
                BY_CHANCE => "by chance (random_legal_v1)",
                crew => crew,
            };
            let (throughput, share) = (row.get("throughput_mean"), row.get("throughput_share_of_bound_mean"));
            lines.push(line(who, Some(group.episodes.len()), throughput.clone(), share.clone()));
        }
        lines.push(line("clairvoyant bound", None, bound, 1.0.into()));
    }
    lines
}

fn setting(key: &GroupKey) -> String {
    let partner = (!key.partner.is_empty()).then(|| key.partner.clone());
    let settings = key.settings.iter().map(|(name, value)| format!("{name} {value}"));
    partner.into_iter().chain(settings).collect::<Vec<_>>().join(", ")
}
