//! Those who watch an episode.

use crate::disturbance::Disturbance;
use crate::log::EpisodeLog;
use crate::metrics::EpisodeMeter;
use crate::telemetry::EpisodeTelemetry;
use labtrust_plugin::lab::{Observer, StepFacts};

/// Those who belong to the episode.
pub(super) struct Watch {
    pub(super) meter: EpisodeMeter,
    pub(super) log: Option<EpisodeLog>,
    pub(super) disturbance: Option<Disturbance>,
}

impl Watch {
    /// Where decisions are written down, where they are.
    pub(super) fn telemetry(&mut self) -> Option<&mut EpisodeTelemetry> {
        self.log.as_mut().and_then(EpisodeLog::telemetry)
    }

    pub(super) fn begin_step(&mut self, step: u32) {
        self.meter.begin_step(step);
        if let Some(log) = &mut self.log {
            log.begin_step(step);
        }
        if let Some(disturbance) = &mut self.disturbance {
            disturbance.begin_step();
        }
    }
}

impl Observer for Watch {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        self.meter.on_step(facts);
        if let Some(log) = &mut self.log {
            log.on_step(facts);
        }
        if let Some(disturbance) = &mut self.disturbance {
            disturbance.on_step(facts);
        }
    }
}

/// They and a guest who looks on.
pub(super) struct Watched<'a> {
    pub(super) watch: &'a mut Watch,
    pub(super) guest: &'a mut dyn Observer,
}

impl Observer for Watched<'_> {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        self.watch.on_step(facts);
        self.guest.on_step(facts);
    }
}
