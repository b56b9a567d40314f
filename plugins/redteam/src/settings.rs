//! How hard an injection tries, when, and what it may cost: from policy.
//!
//! `coordination/injections.v0.2.yaml` says what each injection is about, its phase, and the loss of work that is accepted
//! under its control; `coordination/coordination_study_spec.v0.1.yaml` how intense it is. An injection that neither names
//! acts in the whole episode with an intensity of 0.2.

use crate::catalogue;
use labtrust_policy::{PolicyError, PolicyStore};
use serde::Deserialize;

/// The definitions.
pub const INJECTIONS: &str = "coordination/injections.v0.2.yaml";
/// The intensities.
pub const STUDY: &str = "coordination/coordination_study_spec.v0.1.yaml";

/// When an injection may act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Always.
    #[default]
    Full,
    /// Up to `early_step_cap`, by itself a tenth of the episode.
    Early,
    /// Between the two.
    Mid,
    /// From `late_step_min` on, by itself after seven tenths of the episode.
    Late,
}

/// The steps in which an injection may act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The phase.
    pub phase: Phase,
    /// Last step of the early phase.
    pub early_step_cap: Option<u32>,
    /// First step of the late phase.
    pub late_step_min: Option<u32>,
}

impl Window {
    /// Whether it is open in `step` of an episode of so many steps. No phase is without a step.
    #[must_use]
    pub fn is_open(&self, step: u32, steps: u32) -> bool {
        let cap = self.early_step_cap.unwrap_or(steps.div_ceil(10));
        let min = self.late_step_min.unwrap_or(steps / 10 * 7 + steps % 10 * 7 / 10);
        match self.phase {
            Phase::Full => true,
            Phase::Early => step <= cap,
            Phase::Late => step >= min,
            Phase::Mid => step > cap && step < min,
        }
    }
}

/// How an injection is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Probability with which it acts where it could, 0 to 1.
    pub intensity: f64,
    /// Tells apart runs of one injection on one seed.
    pub seed_offset: u64,
    /// When it acts.
    pub window: Window,
    /// Share of the work that it may cost under its control, 0 to 1.
    pub utility_loss_ceiling: f64,
    /// Orders that get through a planner without budget [count].
    pub compute_budget: u32,
}

impl Default for Setting {
    fn default() -> Self {
        let window = Window::default();
        Self { intensity: 0.2, seed_offset: 0, window, utility_loss_ceiling: DEFAULT_CEILING, compute_budget: 1 }
    }
}

const DEFAULT_CEILING: f64 = 0.25;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for readers")]
    description: String,
    #[serde(default)]
    utility_loss_ceiling: Option<f64>,
    injections: Vec<Definition>,
}

#[derive(Debug, Deserialize)]
struct Definition {
    injection_id: String,
    #[serde(default)]
    application_phase: Option<Phase>,
    #[serde(default)]
    early_step_cap: Option<u32>,
    #[serde(default)]
    late_step_min: Option<u32>,
    #[serde(default)]
    utility_loss_ceiling: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Study {
    #[serde(default)]
    injections: Vec<Asked>,
}

#[derive(Debug, Deserialize)]
struct Asked {
    injection_id: String,
    #[serde(default)]
    intensity: Option<f64>,
    #[serde(default)]
    seed_offset: Option<u64>,
    #[serde(default)]
    application_phase: Option<Phase>,
    #[serde(default)]
    early_step_cap: Option<u32>,
    #[serde(default)]
    late_step_min: Option<u32>,
}

/// How the policy sets the injection `id`: the study first, then the definition, then what is usual.
///
/// # Errors
/// [`PolicyError`] with file and place for a file that is malformed, names an injection that there is not, or whose
/// numbers make no sense.
pub fn load(policy: &PolicyStore, id: &str) -> Result<Setting, PolicyError> {
    let file: File = policy.section_or_builtin(INJECTIONS, None)?;
    let study: Study = policy.section_or_builtin(STUDY, None)?;
    let wrong = |file: &str, token: &str, message: String, hint: &str| {
        Err(PolicyError::rule(policy, file, token, message, hint))
    };
    let names = file.injections.iter().map(|one| (INJECTIONS, &one.injection_id));
    for (path, name) in names.chain(study.injections.iter().map(|one| (STUDY, &one.injection_id))) {
        if !catalogue::ids().any(|known| known == name) {
            let message = format!("there is no injection `{name}`");
            return wrong(path, name, message, "`labtrust plugins list` shows those that there are");
        }
    }
    let definition = file.injections.iter().find(|one| one.injection_id == id);
    let asked = study.injections.iter().find(|one| one.injection_id == id);
    let usual = Setting::default();
    let window = Window {
        phase: asked
            .and_then(|one| one.application_phase)
            .or(definition.and_then(|one| one.application_phase))
            .unwrap_or_default(),
        early_step_cap: asked.and_then(|one| one.early_step_cap).or(definition.and_then(|one| one.early_step_cap)),
        late_step_min: asked.and_then(|one| one.late_step_min).or(definition.and_then(|one| one.late_step_min)),
    };
    if let (Phase::Mid, Some(cap), Some(min)) = (window.phase, window.early_step_cap, window.late_step_min)
        && cap + 1 >= min
    {
        let message = format!("the middle phase of `{id}` has no step: after {cap} and before {min}");
        return wrong(INJECTIONS, id, message, "leave steps between `early_step_cap` and `late_step_min`");
    }
    let intensity = asked.and_then(|one| one.intensity).unwrap_or(usual.intensity);
    let ceiling = definition.and_then(|one| one.utility_loss_ceiling).or(file.utility_loss_ceiling);
    let ceiling = ceiling.unwrap_or(usual.utility_loss_ceiling);
    for (path, name, value) in [(STUDY, "intensity", intensity), (INJECTIONS, "utility_loss_ceiling", ceiling)] {
        if !(0.0..=1.0).contains(&value) {
            return wrong(path, id, format!("{name} of `{id}` is {value}; it lies between 0 and 1"), "0.2 is usual");
        }
    }
    Ok(Setting {
        intensity,
        seed_offset: asked.and_then(|one| one.seed_offset).unwrap_or(usual.seed_offset),
        window,
        utility_loss_ceiling: ceiling,
        compute_budget: usual.compute_budget,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shipped_injection_has_an_empty_window() {
        for id in catalogue::ids() {
            let window = load(&PolicyStore::builtin(), id).unwrap().window;
            for steps in [10, 80, 200] {
                assert!((0..steps).any(|step| window.is_open(step, steps)), "{id} in {steps} steps: {window:?}");
            }
        }
    }

    #[test]
    fn early_ends_and_late_begins_where_nobody_says_otherwise() {
        let open = |phase, step| Window { phase, ..Window::default() }.is_open(step, 80);
        assert_eq!([8, 9].map(|step| open(Phase::Early, step)), [true, false]);
        assert_eq!([55, 56].map(|step| open(Phase::Late, step)), [false, true]);
        assert_eq!([8, 9, 55, 56].map(|step| open(Phase::Mid, step)), [false, true, true, false]);
    }

    #[test]
    fn the_study_goes_before_the_definition() {
        let policy = PolicyStore::builtin();
        let of = |id| load(&policy, id).unwrap();
        assert_eq!((of("INJ-ID-SPOOF-001").intensity, of("INJ-ID-SPOOF-001").window.phase), (0.5, Phase::Early));
        let study = "study_id: s\nseed_base: 1\nepisodes_per_cell: 1\ninjections:\n  - injection_id: INJ-ID-SPOOF-001\n    application_phase: late\n";
        let other = load(&policy.with_text(STUDY, study), "INJ-ID-SPOOF-001").unwrap();
        assert_eq!((other.intensity, other.window.phase), (0.2, Phase::Late));
    }

    #[test]
    fn what_makes_no_sense_is_an_error_with_its_place() {
        let study = |body: &str| {
            let text = format!("study_id: s\nseed_base: 1\nepisodes_per_cell: 1\ninjections:\n{body}");
            load(&PolicyStore::builtin().with_text(STUDY, &text), "INJ-REPLAY-001").unwrap_err()
        };
        let unknown = study("  - injection_id: INJ-NOBODY-001\n");
        assert_eq!((unknown.file(), unknown.line()), (Some(STUDY), Some(5)), "{unknown}");
        let much = study("  - injection_id: INJ-REPLAY-001\n    intensity: 1.5\n");
        assert!(much.to_string().contains("between 0 and 1"), "{much}");
    }
}
