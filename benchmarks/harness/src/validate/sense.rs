//! Whether a results file agrees with itself: seeds, counts, configuration.

use super::{Complaint, figures};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is told of a file that has the published shape.
pub(super) fn complaints(results: &Value) -> Vec<Complaint> {
    let mut out = Vec::new();
    let empty = Vec::new();
    let episodes = results.get("episodes").and_then(Value::as_array).unwrap_or(&empty);
    seeds(results, episodes, &mut out);
    let count = episodes.len() as u64;
    if let Some(named) = results.get("num_episodes").and_then(Value::as_u64)
        && named != count
    {
        let message = format!("{named} episodes are announced and {count} are there");
        out.push(Complaint::new("/num_episodes", message, "a run that was cut short is continued or run again"));
    }
    let distinct = results.pointer("/metadata/distinct_chains").and_then(Value::as_u64);
    if let Some(distinct) = distinct.filter(|&distinct| distinct > count || (distinct == 0 && count > 0)) {
        let message = format!("{distinct} different chains cannot come of {count} episodes");
        out.push(Complaint::new("/metadata/distinct_chains", message, "take the number that the run wrote"));
    }
    let config = results.get("config").unwrap_or(&Value::Null);
    for (place, episode) in episodes.iter().enumerate() {
        let Some(metrics) = episode.get("metrics").and_then(Value::as_object) else { continue };
        let at = format!("/episodes/{place}/metrics");
        for complaint in figures::complaints(metrics, config) {
            out.push(Complaint { pointer: format!("{at}{}", complaint.pointer), ..complaint });
        }
    }
    out
}

/// Seeds: one an episode, in their order, none twice, from the base seed on.
fn seeds(results: &Value, episodes: &[Value], out: &mut Vec<Complaint>) {
    let empty = Vec::new();
    let seeds = results.get("seeds").and_then(Value::as_array).unwrap_or(&empty);
    if seeds.len() != episodes.len() {
        let message = format!("{} seeds for {} episodes", seeds.len(), episodes.len());
        out.push(Complaint::new("/seeds", message, "list the seed of every episode, in the order of the episodes"));
    }
    for (place, (seed, episode)) in seeds.iter().zip(episodes).enumerate() {
        let own = episode.get("seed").unwrap_or(&Value::Null);
        if seed != own {
            let message = format!("seed {seed} stands for an episode of seed {own}");
            out.push(Complaint::new(format!("/seeds/{place}"), message, "list the seeds in the order of the episodes"));
        }
    }
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (place, episode) in episodes.iter().enumerate() {
        let seed = episode.get("seed").unwrap_or(&Value::Null).to_string();
        if let Some(earlier) = first.get(&seed) {
            let message = format!("seed {seed} was run before, in episode {earlier}");
            let hint = "an episode that is there twice is one sample: keep one of them";
            out.push(Complaint::new(format!("/episodes/{place}/seed"), message, hint));
        } else {
            first.insert(seed, place);
        }
    }
    if let (Some(base), Some(begin)) = (results.get("base_seed"), seeds.first())
        && base != begin
    {
        let message = format!("the base seed is {base} and the first episode has {begin}");
        out.push(Complaint::new("/base_seed", message, "a file with the end of a run only is no result of the run"));
    }
}
