//! What the method remembers from step to step: what was refused, whom somebody told, which transport is under way.
//!
//! What was refused is left alone for a minute. That is what keeps a blocked agent from hammering.

use crate::jobs::Job;
use labtrust_plugin::wire::{Act, Observation};
use std::collections::BTreeMap;

/// How long something that was refused is left alone [s].
const REST_S: i64 = 60;
/// How long a device that failed its control is put right before the control is read again [s].
const RECHECK_S: i64 = 120;

/// What an action was about: the act, and the number of the thing.
pub(crate) type Subject = (Act, u32);

/// What is remembered of an episode.
#[derive(Default)]
pub(crate) struct Memory {
    now_s: i64,
    /// Who was asked for what in the last step.
    asked: Vec<(u16, Subject)>,
    /// What was refused, and until when it is left alone.
    refused: BTreeMap<Subject, i64>,
    /// Results of which the ward knows.
    told: Vec<u32>,
    /// Transports that were sent off, by place.
    sent: Vec<u32>,
    /// Since when each device's control fails.
    failing_since_s: Vec<Option<i64>>,
}

impl Memory {
    /// Learns from a new step.
    pub(crate) fn learn(&mut self, seen: &Observation) {
        self.now_s = seen.now_s;
        self.refused.retain(|_, until_s| *until_s > seen.now_s);
        for (agent, subject) in self.asked.drain(..) {
            // A refusal stays in sight until its agent acts again; only those who acted can have a new one.
            match (seen.refused(agent), subject) {
                (Some(_), subject) => {
                    self.refused.insert(subject, seen.now_s.saturating_add(REST_S));
                }
                (None, (Act::AckCriticalResult, result)) => self.told.push(result),
                (None, (Act::DispatchTransport, transport)) => self.sent.push(transport),
                _ => {}
            }
        }
        self.failing_since_s.resize(seen.devices.qc_pass.len(), None);
        for (since_s, passes) in self.failing_since_s.iter_mut().zip(&seen.devices.qc_pass) {
            *since_s = if *passes { None } else { since_s.or(Some(seen.now_s)) };
        }
    }

    /// Keeps in mind who was asked for what.
    pub(crate) fn ask(&mut self, agent: u16, job: &Job) {
        self.asked.push((agent, job.subject()));
        if job.act == Act::QcEvent {
            self.failing_since_s[job.subject().1 as usize] = None;
        }
    }

    /// Whether there is a point in trying this.
    pub(crate) fn allows(&self, subject: Subject) -> bool {
        !self.refused.contains_key(&subject)
    }

    /// Whether the ward knows of a result.
    pub(crate) fn is_told(&self, result: u32) -> bool {
        self.told.contains(&result)
    }

    /// Whether a transport was sent off.
    pub(crate) fn is_sent(&self, transport: u32) -> bool {
        self.sent.contains(&transport)
    }

    /// Whether a device's control has failed for so long that it should be read again.
    pub(crate) fn recheck(&self, device: u16) -> bool {
        self.failing_since_s[usize::from(device)].is_some_and(|since_s| since_s.saturating_add(RECHECK_S) <= self.now_s)
    }
}
