//! What is told of open work, and each agent's own view of it.
//!
//! In every step the world tells everybody which jobs are open, zone by zone, each zone's list under a version that counts up when it
//! changes. An agent's view is what reached it: a [`Replica`] of those lists. What is in their own zone everybody sees
//! without being told.

use super::talk::key;
use super::{NO_WAY, Step};
use labtrust_comms::network::Wire;
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::view::{Held, Replica};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The open jobs of one zone.
type Listed = Arc<[Key]>;

/// What the world tells in a step: of each zone, the version and the list. Shared by all who get it.
#[derive(Clone, Debug)]
pub struct News(Arc<Told>);

#[derive(Debug)]
struct Told {
    step: u32,
    zones: Vec<(u16, u64, Listed)>,
}

impl Serialize for News {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let zones: Vec<_> = self.0.zones.iter().map(|(zone, version, jobs)| (zone, version, &**jobs)).collect();
        (self.0.step, zones).serialize(to)
    }
}

impl<'de> Deserialize<'de> for News {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (step, zones) = <(u32, Vec<(u16, u64, Vec<Key>)>)>::deserialize(from)?;
        let zones = zones.into_iter().map(|(zone, version, jobs)| (zone, version, jobs.into())).collect();
        Ok(Self(Arc::new(Told { step, zones })))
    }
}

impl Wire for News {
    /// 4 for the step, 10 a zone, 4 a job [B].
    fn wire_bytes(&self) -> u32 {
        let zones: usize = self.0.zones.iter().map(|(.., jobs)| 10 + 4 * jobs.len()).sum();
        u32::try_from(zones + 4).unwrap_or(u32::MAX)
    }
}

/// The world's own book of what is open.
#[derive(Clone, Debug, Default)]
pub struct Board {
    zones: BTreeMap<u16, (u64, Listed)>,
}

impl Board {
    /// What is to be told of a step: the jobs that are ready.
    pub fn news(&mut self, step: &Step<'_>) -> News {
        let mut lists: BTreeMap<u16, Vec<Key>> = self.zones.keys().map(|zone| (*zone, Vec::new())).collect();
        for job in step.jobs.iter().filter(|job| step.is_ready(job)) {
            lists.entry(job.zone.unwrap_or(NO_WAY)).or_default().push(key(job));
        }
        for (zone, mut jobs) in lists {
            jobs.sort_unstable();
            let (version, known) = self.zones.entry(zone).or_insert_with(|| (0, Arc::from([])));
            if **known != *jobs || *version == 0 {
                (*version, *known) = (*version + 1, jobs.into());
            }
        }
        let zones = self.zones.iter().map(|(zone, (version, jobs))| (*zone, *version, Arc::clone(jobs))).collect();
        News(Arc::new(Told { step: step.seen.step, zones }))
    }
}

/// What one agent knows of open work.
#[derive(Clone, Debug, Default)]
pub struct View {
    zones: Replica<u16, Listed>,
    /// The newest step that it has heard of.
    of_step: Option<u32>,
}

impl View {
    /// Takes news in, in whatever order they come.
    pub fn hear(&mut self, news: &News) {
        self.of_step = self.of_step.max(Some(news.0.step));
        for (zone, version, jobs) in &news.0.zones {
            let event_us = u64::from(news.0.step);
            self.zones.apply(*zone, Held { version: *version, event_us, value: Arc::clone(jobs) });
        }
    }

    /// How old what it knows is [steps]; from the beginning where it has heard nothing.
    #[must_use]
    pub fn age_steps(&self, step: u32) -> u64 {
        u64::from(step.saturating_sub(self.of_step.unwrap_or(0)))
    }

    /// The jobs that it knows of, and those that are in the agent's zone.
    #[must_use]
    pub fn open(&self, step: &Step<'_>, zone: u16) -> Vec<Key> {
        let known = self.zones.iter().filter(|(at, _)| **at != zone).flat_map(|(_, held)| held.value.iter().copied());
        let here = step.jobs.iter().filter(|job| job.zone == Some(zone) && step.is_ready(job)).map(key);
        let mut open: Vec<Key> = known.chain(here).collect();
        open.sort_unstable();
        open
    }
}
