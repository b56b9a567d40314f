//! Episodes of any number of files by task, baseline and partner, equal ones once.

use super::documents::{Document, Episode};
use crate::results::canonical_bytes;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a row is about. The order of the rows is the order of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    pub(super) task: String,
    pub(super) baseline: String,
    /// Empty without a partner.
    pub(super) partner: String,
    /// Settings that rows are split by, with their values as JSON text: they have an order.
    pub(super) settings: Vec<(String, String)>,
}

/// The episodes of a row.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) key: GroupKey,
    /// The metrics of each episode.
    pub(super) episodes: Vec<&'a Map<String, Value>>,
    /// Different metrics among them [count]: where it is 1 and there are more episodes, the seeds made no difference.
    pub(super) distinct_metrics: usize,
    /// Different audit chains as the files say, added up [count]; absent where a file does not say.
    pub(super) distinct_chains: Option<u64>,
}

type Print = [u8; 32];

/// An episode that was seen: where, with which metrics.
struct Seen<'a> {
    document: &'a Document,
    metrics: Print,
}

/// Pools the episodes. An episode of the same setting, seed and metrics as an earlier one is the same episode in a
/// second copy and counts once; what else is odd about the pool is told, and counted as it is.
pub(super) fn pool<'a>(documents: &'a [Document], by: &[String], warnings: &mut Vec<String>) -> Vec<Group<'a>> {
    let mut members: BTreeMap<GroupKey, Vec<&'a Document>> = BTreeMap::new();
    for document in documents {
        let Document { task, baseline, partner, .. } = document;
        let value = |name: &String| document.config().get(name).unwrap_or(&Value::Null).to_string();
        let settings = by.iter().map(|name| (name.clone(), value(name))).collect();
        let key = GroupKey { task: task.clone(), baseline: baseline.clone(), partner: partner.clone(), settings };
        members.entry(key).or_default().push(document);
    }
    members.into_iter().map(|(key, documents)| group(key, &documents, warnings)).collect()
}

fn group<'a>(key: GroupKey, documents: &[&'a Document], warnings: &mut Vec<String>) -> Group<'a> {
    let mut group = Group { key, episodes: Vec::new(), distinct_metrics: 0, distinct_chains: Some(0) };
    let mut prints = BTreeSet::new();
    let mut seen: HashMap<(Print, i128), Seen<'a>> = HashMap::new();
    for document in documents {
        let setting = print(&document.setting);
        let mut copies: BTreeMap<&std::path::Path, u64> = BTreeMap::new();
        let mut others: BTreeMap<&std::path::Path, u64> = BTreeMap::new();
        let mut counted = 0_u64;
        for Episode { seed, metrics } in &document.episodes {
            let found = print_map(metrics);
            if let Some(seed) = seed {
                match seen.get(&(setting, *seed)) {
                    Some(earlier) if earlier.metrics == found => {
                        *copies.entry(&earlier.document.path).or_default() += 1;
                        continue;
                    }
                    // Live models answer differently each time: that is what such runs measure.
                    Some(earlier) if !document.non_deterministic => {
                        *others.entry(&earlier.document.path).or_default() += 1;
                    }
                    _ => {
                        seen.insert((setting, *seed), Seen { document, metrics: found });
                    }
                }
            }
            counted += 1;
            prints.insert(found);
            group.episodes.push(metrics);
        }
        let path = document.path.display();
        for (earlier, count) in copies {
            warnings.push(format!(
                "{path}: {count} of {} episodes are those of {} once more and are counted once",
                document.episodes.len(),
                earlier.display()
            ));
        }
        for (earlier, count) in others {
            warnings.push(format!(
                "{path}: {count} of {} episodes have the seeds and settings of {} and other metrics: two different \
                 runs are in one row",
                document.episodes.len(),
                earlier.display()
            ));
        }
        let chains = document.metadata.get("distinct_chains").and_then(Value::as_u64);
        let chains = chains.filter(|_| counted > 0 || document.episodes.is_empty());
        let copied = counted == 0 && !document.episodes.is_empty();
        if !copied {
            group.distinct_chains = group.distinct_chains.zip(chains).map(|(sum, more)| sum + more);
        }
    }
    group.distinct_metrics = prints.len();
    tell(&group, documents, warnings);
    group
}

/// What is odd about a whole group.
fn tell(group: &Group<'_>, documents: &[&Document], warnings: &mut Vec<String>) {
    let GroupKey { task, baseline, .. } = &group.key;
    let episodes = group.episodes.len();
    if episodes > 1 && group.distinct_metrics == 1 {
        warnings.push(format!(
            "{task}, {baseline}: all {episodes} episodes have the same metrics; seeds made no difference, this is one sample"
        ));
    }
    let Some(first) = documents.first().map(|document| document.config()) else { return };
    let mut differing = BTreeSet::new();
    for other in documents.iter().skip(1).map(|document| document.config()) {
        let keys = |config: &Value| config.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
        let all: BTreeSet<String> = keys(first);
        let more: BTreeSet<String> = keys(other);
        differing.extend(all.union(&more).filter(|name| first.get(name.as_str()) != other.get(name.as_str())).cloned());
    }
    if !differing.is_empty() {
        let names: Vec<_> = differing.into_iter().collect();
        warnings
            .push(format!("{task}, {baseline}: files with different settings are in one row ({})", names.join(", ")));
    }
}

fn print(value: &Value) -> Print {
    // Text that has no canonical form is not ours; its own bytes tell it apart as well.
    let bytes = canonical_bytes(value, "a results object").unwrap_or_else(|_| value.to_string().into_bytes());
    Sha256::digest(bytes).into()
}

fn print_map(map: &Map<String, Value>) -> Print {
    print(&Value::Object(map.clone()))
}
