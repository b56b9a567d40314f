//! Releases, judged from the events: a released result is of a completed run of an accepted specimen, and is released once.

use crate::play::{Held, Seen, broken};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of specimens, runs and results.
#[derive(Default)]
pub(crate) struct Releases {
    accepted: BTreeSet<String>,
    /// Specimens of the runs that have ended.
    ended: BTreeMap<String, Vec<String>>,
    /// Specimens whose result of a run was filed.
    filed: BTreeSet<(String, String)>,
    /// Run and specimen of results.
    results: BTreeMap<String, (String, String)>,
    released: BTreeSet<String>,
}

impl Releases {
    pub(crate) fn new(state: &Map<String, Value>) -> Self {
        let specimens = state.get("specimens").and_then(Value::as_array).into_iter().flatten();
        let past_acceptance = specimens.filter(|specimen| {
            let status = specimen["status"].as_str().unwrap_or_default();
            ["accepted", "separated", "aliquoted", "queued"].contains(&status)
        });
        let ids = past_acceptance.filter_map(|specimen| specimen["specimen_id"].as_str()).map(str::to_owned);
        Self { accepted: ids.collect(), ..Self::default() }
    }

    /// Whether anything was released.
    pub(crate) fn any(&self) -> bool {
        !self.released.is_empty()
    }

    pub(crate) fn specimen_of(&self, result: &str) -> Option<&str> {
        self.results.get(result).map(|(_, specimen)| specimen.as_str())
    }

    pub(crate) fn run_ended(&mut self, run: String, specimens: Vec<String>) {
        self.ended.insert(run, specimens);
    }

    /// An accepted step where the order of work is not enforced: noted, not judged.
    pub(crate) fn noted(&mut self, seen: &Seen<'_>) {
        match seen.action() {
            "GENERATE_RESULT" => {
                let run = seen.arg("run_id").to_owned();
                let named = Some(seen.arg("specimen_id")).filter(|id| !id.is_empty()).map(str::to_owned);
                let specimen = self.next_of(&run, named.as_deref()).or(named).unwrap_or_default();
                self.filed.insert((run.clone(), specimen.clone()));
                self.results.insert(seen.arg("result_id").to_owned(), (run, specimen));
            }
            "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE" => {
                self.released.insert(seen.arg("result_id").to_owned());
            }
            _ => {}
        }
    }

    /// The specimen of a run whose result is filed next.
    fn next_of(&self, run: &str, named: Option<&str>) -> Option<String> {
        let specimens = self.ended.get(run)?;
        let open = |id: &&String| !self.filed.contains(&(run.to_owned(), (*id).clone()));
        specimens.iter().filter(open).find(|id| named.is_none_or(|named| named == *id)).cloned()
    }

    /// An accepted step where the order of work is enforced.
    pub(crate) fn accepted(&mut self, seen: &Seen<'_>) -> Held {
        let specimen = seen.arg("specimen_id").to_owned();
        match seen.action() {
            "ACCEPT_SPECIMEN" if seen.emits("ACCEPT_SPECIMEN") => {
                self.accepted.insert(specimen);
            }
            "ACCEPT_SPECIMEN" | "HOLD_SPECIMEN" | "REJECT_SPECIMEN" => {
                self.accepted.remove(&specimen);
            }
            "GENERATE_RESULT" => {
                let named = Some(specimen.as_str()).filter(|id| !id.is_empty());
                let run = seen.arg("run_id").to_owned();
                let Some(specimen) = self.next_of(&run, named) else {
                    return Err(broken("a result without a completed run that has none yet"));
                };
                self.filed.insert((run.clone(), specimen.clone()));
                let earlier = self.results.insert(seen.arg("result_id").to_owned(), (run, specimen));
                if earlier.is_some() {
                    return Err(broken("a result is filed twice"));
                }
            }
            "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE" => return self.release(seen.arg("result_id")),
            _ => {}
        }
        Ok(())
    }

    fn release(&mut self, result: &str) -> Held {
        let Some((run, specimen)) = self.results.get(result) else {
            return Err(broken("a result is released that nobody filed"));
        };
        if !self.ended.get(run).is_some_and(|specimens| specimens.contains(specimen)) {
            return Err(broken("a result is released whose run has not ended"));
        }
        if !self.accepted.contains(specimen) {
            return Err(broken(format!("a result of {specimen} is released, which is not accepted")));
        }
        if !self.released.insert(result.to_owned()) {
            return Err(broken("a result is released twice"));
        }
        Ok(())
    }
}
