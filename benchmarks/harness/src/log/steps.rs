//! `steps.jsonl`: how much was refused and violated in every so many steps of an episode.

use labtrust_plugin::lab::Outcome;
use labtrust_trust::canonical;
use std::num::NonZeroU32;

/// The lines of one episode.
#[derive(Debug)]
pub(super) struct StepCounter {
    episode: u64,
    every: NonZeroU32,
    dt_s: u32,
    step: Option<u32>,
    violations: u64,
    bytes: Vec<u8>,
}

impl StepCounter {
    pub(super) fn new(episode: u64, every: NonZeroU32, dt_s: u32) -> Self {
        Self { episode, every, dt_s, step: None, violations: 0, bytes: Vec::new() }
    }

    pub(super) fn begin_step(&mut self, step: u32) {
        self.end_step();
        self.step = Some(step);
    }

    /// Counts a refusal, and every invariant that was broken; one that held is not a violation.
    pub(super) fn count(&mut self, outcome: &Outcome) {
        let broken = outcome.findings.iter().filter(|finding| finding.violated).count();
        self.violations += u64::from(!outcome.accepted) + broken as u64;
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.end_step();
        self.bytes
    }

    fn end_step(&mut self) {
        let violations = std::mem::take(&mut self.violations);
        let Some(step) = self.step.take() else { return };
        let number = u64::from(step) + 1;
        if !number.is_multiple_of(u64::from(self.every.get())) {
            return;
        }
        let out = &mut self.bytes;
        for (name, value) in [
            (&b"{\"episode\":"[..], self.episode),
            (b",\"step\":", u64::from(step)),
            (b",\"t_s\":", number * u64::from(self.dt_s)),
            (b",\"violations\":", violations),
        ] {
            out.extend_from_slice(name);
            canonical::write_u64(out, value);
        }
        out.extend_from_slice(b"}\n");
    }
}
