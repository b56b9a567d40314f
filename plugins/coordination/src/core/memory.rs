//! What a method remembers from step to step: what was refused, what became of what it asked for, whom somebody told.
//!
//! What was refused is left alone for a minute. That is what keeps a blocked agent from hammering.

use super::job::Job;
use labtrust_plugin::wire::{Act, Observation, Priority};
use std::collections::BTreeMap;

/// How long something that was refused is left alone [s].
const REST_S: i64 = 60;
/// How long a device that failed its control is put right before the control is read again [s].
const RECHECK_S: i64 = 120;

/// What an action was about: the act, and the number of the thing.
pub type Subject = (Act, u32);

/// What became of an action that was asked for in the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who was asked.
    pub agent: u16,
    /// For what.
    pub about: Subject,
    /// Where they stood.
    pub zone: u16,
    /// How urgent it was.
    pub priority: Priority,
    /// How many specimens it moved on [count].
    pub size: u32,
    /// Whether it was done; otherwise it was refused.
    pub done: bool,
}

/// What is remembered of an episode.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    now_s: i64,
    asked: Vec<Outcome>,
    outcomes: Vec<Outcome>,
    /// How often each thing was refused, and until when that counts [s].
    refused: BTreeMap<(u8, u32), (u32, i64)>,
    /// Refusals after the first that a thing may have before it is left alone [count].
    again: u32,
    told: Vec<u32>,
    sent: Vec<u32>,
    /// Since when each device's control fails.
    failing_since_s: Vec<Option<i64>>,
}

const fn key(subject: Subject) -> (u8, u32) {
    (subject.0.index(), subject.1)
}

impl Memory {
    /// A memory that lets a thing be tried `again` times after its first refusal, by others than who was refused.
    #[must_use]
    pub fn new(again: u32) -> Self {
        Self { again, ..Self::default() }
    }

    /// Keeps no more room than it needs.
    pub fn rest(&mut self) {
        self.asked.shrink_to_fit();
        self.outcomes.shrink_to_fit();
    }

    /// Learns from a new step.
    pub fn learn(&mut self, seen: &Observation) {
        self.now_s = seen.now_s;
        self.refused.retain(|_, (_, until_s)| *until_s > seen.now_s);
        self.outcomes.clear();
        for mut outcome in self.asked.drain(..) {
            // A refusal stays in sight until its agent acts again; only those who acted can have a new one.
            outcome.done = seen.refused(outcome.agent).is_none();
            match (outcome.done, outcome.about) {
                (false, about) => {
                    let (times, until_s) = self.refused.entry(key(about)).or_default();
                    (*times, *until_s) = (*times + 1, seen.now_s.saturating_add(REST_S));
                }
                (true, (Act::AckCriticalResult, result)) => self.told.push(result),
                (true, (Act::DispatchTransport, transport)) => self.sent.push(transport),
                _ => {}
            }
            self.outcomes.push(outcome);
        }
        self.failing_since_s.resize(seen.devices.qc_pass.len(), None);
        for (since_s, passes) in self.failing_since_s.iter_mut().zip(&seen.devices.qc_pass) {
            *since_s = if *passes { None } else { since_s.or(Some(seen.now_s)) };
        }
    }

    /// Keeps in mind who was asked for what.
    pub fn ask(&mut self, agent: u16, zone: u16, job: &Job) {
        self.asked.push(Outcome {
            agent,
            about: job.about(),
            zone,
            priority: job.priority,
            size: job.size,
            done: false,
        });
        if let (Act::QcEvent, Some(device)) = (job.act, job.device) {
            self.failing_since_s[usize::from(device)] = None;
        }
    }

    /// What became of what was asked for in the last step.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Whether there is a point in trying this.
    #[must_use]
    pub fn allows(&self, subject: Subject) -> bool {
        self.refused.get(&key(subject)).is_none_or(|(times, _)| *times <= self.again)
    }

    /// Whether the ward knows of a result.
    #[must_use]
    pub fn is_told(&self, result: u32) -> bool {
        self.told.contains(&result)
    }

    /// Whether a transport was sent off.
    #[must_use]
    pub fn is_sent(&self, transport: u32) -> bool {
        self.sent.contains(&transport)
    }

    /// Whether a device's control has failed for so long that it should be read again.
    #[must_use]
    pub fn recheck(&self, device: u16) -> bool {
        self.failing_since_s[usize::from(device)].is_some_and(|since_s| since_s.saturating_add(RECHECK_S) <= self.now_s)
    }
}
