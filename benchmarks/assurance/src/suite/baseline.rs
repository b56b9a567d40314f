//! Payloads that were stopped once, tried again.
//!
//! A baseline that is missing, or that cannot be read, or that has nothing to try again is a failure: it would otherwise be
//! the cheapest way to have no regressions.

use super::defences::{Course, Defences};
use super::model::{PAYLOADS, Suite};
use super::scene::{Attempt, Bench, source};
use crate::AssuranceError;
use labtrust_controls::panel::Member;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Deserialize)]
struct Baseline {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    attack_id: String,
    adversarial_string: String,
    outcome: String,
    injection_source: String,
}

/// What came of a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaselineCame {
    /// Payloads that were tried again [count].
    pub tried: usize,
    /// Those that come through now: attack and place in the file, from 1.
    pub failures: Vec<String>,
}

/// Tries again every payload that the file says was blocked.
///
/// # Errors
/// [`AssuranceError::Read`] when the file cannot be read, [`AssuranceError::Invalid`] when it is no baseline, names an attack or a source
/// that there is not, or has nothing that was blocked.
pub fn check(
    path: &Path,
    suite: &Suite,
    bench: &Bench,
    taken: &BTreeSet<String>,
) -> Result<BaselineCame, AssuranceError> {
    let invalid = |place: &str, problem: String| AssuranceError::Invalid {
        file: path.display().to_string(),
        place: place.to_owned(),
        problem,
    };
    let bytes = std::fs::read(path).map_err(|source| AssuranceError::Read { path: path.to_owned(), source })?;
    let baseline: Baseline =
        serde_json::from_slice(&bytes).map_err(|error| invalid("the file", format!("it is no baseline: {error}")))?;
    let mut came = BaselineCame::default();
    for (number, entry) in baseline.entries.iter().enumerate().filter(|(_, entry)| entry.outcome == "blocked") {
        let place = format!("entry {} ({})", number + 1, entry.attack_id);
        let Some(recorded) = suite.payloads.get(&entry.attack_id) else {
            return Err(invalid(&place, format!("there is no such attack in {PAYLOADS}")));
        };
        let Some(source) = source(&entry.injection_source) else {
            return Err(invalid(&place, format!("there is no source {:?}", entry.injection_source)));
        };
        let control = suite.attacks.iter().find(|attack| attack.attack_id == entry.attack_id);
        let control = control.map_or(super::defences::SHIELD, |attack| attack.control_id.as_str());
        let moments = [entry.adversarial_string.clone()];
        let attempt = Attempt {
            seat: &recorded.seat,
            source,
            moments: &moments,
            effect: Some(&recorded.forbidden_effect),
            bound: suite.bound(&entry.attack_id),
        };
        came.tried += 1;
        let mut through = false;
        for member in Member::ALL {
            through |= bench.attempt(&attempt, member, &Defences { control, course: Course::All, taken })?.through;
        }
        if through {
            came.failures.push(place);
        }
    }
    if came.tried == 0 {
        return Err(invalid("entries", "none of them was blocked, so there is nothing to hold".to_owned()));
    }
    Ok(came)
}
