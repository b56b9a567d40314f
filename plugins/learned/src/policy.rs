//! A policy: a network, and what it was trained for.

use crate::network::{Network, Scratch, best};
use labtrust_plugin::lab::contract::vector::Layout;
use std::fmt;

/// Scaled numbers are cut off here, so that nothing that was never seen outweighs the rest.
const MOST: f32 = 3.0;

/// What a policy was trained on: as its file says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trained {
    pub(crate) task: String,
    pub(crate) timing: String,
    /// Name, kind, count, bound and whether it is the agent's own, for every field of an observation.
    pub(crate) fields: Vec<FieldText>,
    pub(crate) zones: Vec<String>,
    pub(crate) devices: Vec<String>,
}

/// A field, as a file says it.
pub(crate) type FieldText = (String, String, usize, u32, bool);

/// Why a policy cannot be used in a laboratory: what it was trained on and what is here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it was trained for {task}, and {what} {trained} there, here {here}; `labtrust train-ppo` trains one for this laboratory"
)]
pub struct Mismatch {
    /// The task that it was trained for.
    pub task: String,
    /// The field of the observation, or the place in a list, that differs first.
    pub what: String,
    /// What it was in training.
    pub trained: String,
    /// What it is here.
    pub here: String,
}

/// A policy that was learned. One for all agents: who decides is in what it sees.
#[derive(Clone, Debug)]
pub struct LearnedPolicy {
    pub(crate) trained: Trained,
    /// What each number of an observation is multiplied with.
    pub(crate) scale: Vec<f32>,
    /// Observations that it sees at once, the newest and those before it [count].
    pub(crate) history: usize,
    pub(crate) network: Network,
    pub(crate) sha256: String,
}

/// What one agent has seen lately, as the policy takes it.
#[derive(Clone, Debug, Default)]
pub struct Eyes {
    /// Scaled observations, the oldest first.
    seen: Vec<f32>,
    scratch: Scratch,
}

impl LearnedPolicy {
    /// SHA-256 of its file, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The task that it was trained for.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.trained.task
    }

    /// Who moved time while it was trained.
    #[must_use]
    pub fn timing(&self) -> &str {
        &self.trained.timing
    }

    /// Numbers that were learned [count].
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.network.parameters()
    }

    /// Numbers of an observation [count].
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.scale.len()
    }

    /// Whether what agents see here is what it was trained on: the fields one by one, then which zones and devices they are of.
    ///
    /// # Errors
    /// [`Mismatch`], naming the first that differs.
    pub fn fits<'a>(
        &self,
        layout: &Layout,
        zones: impl IntoIterator<Item = &'a str>,
        devices: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Mismatch> {
        let Trained { task, fields, .. } = &self.trained;
        let mismatch = |what: String, trained: Option<String>, here: Option<String>| {
            let said = |text: Option<String>| text.unwrap_or_else(|| "is not there".to_owned());
            Err(Mismatch { task: task.clone(), what, trained: said(trained), here: said(here) })
        };
        let here: Vec<FieldText> = layout
            .fields()
            .map(|(field, own)| (field.name.to_owned(), field.kind.name().to_owned(), field.len, field.high, own))
            .collect();
        let places = 0..fields.len().max(here.len());
        let mut pairs = places.map(|place| (place, fields.get(place), here.get(place)));
        if let Some((place, then, now)) = pairs.find(|(_, then, now)| then != now) {
            return match (then, now) {
                (Some(then), Some(now)) if then.0 == now.0 => {
                    mismatch(format!("the field {}", now.0), Some(numbers_of(then)), Some(numbers_of(now)))
                }
                _ => {
                    let is = |field: Option<&FieldText>| field.map(|field| format!("is {}", field.0));
                    mismatch(format!("the field at place {place}"), is(then), is(now))
                }
            };
        }
        let lists = [("zone", &self.trained.zones, owned(zones)), ("device", &self.trained.devices, owned(devices))];
        for (what, then, now) in &lists {
            if let Some(place) = (0..then.len().max(now.len())).find(|&place| then.get(place) != now.get(place)) {
                let is = |names: &[String]| names.get(place).map(|name| format!("is {name}"));
                return mismatch(format!("the {what} at place {place}"), is(then), is(now));
            }
        }
        Ok(())
    }

    /// What an agent does that sees `numbers` now, and saw what is in `eyes` before: the allowed index that the network values
    /// most, the lowest of several. Bit i of `mask` allows index i; 0 where none is. To be asked in every step, or the eyes miss one.
    ///
    /// # Panics
    /// When `numbers` are not [`LearnedPolicy::inputs`] many.
    #[must_use]
    pub fn choose(&self, eyes: &mut Eyes, numbers: &[f32], mask: u32) -> usize {
        let Eyes { seen, scratch } = eyes;
        self.look(seen, numbers);
        best(self.network.outputs(seen, scratch), mask)
    }

    /// What the network says of every index, as in [`LearnedPolicy::choose`].
    ///
    /// # Panics
    /// As [`LearnedPolicy::choose`].
    pub fn values<'e>(&self, eyes: &'e mut Eyes, numbers: &[f32]) -> &'e [f64] {
        let Eyes { seen, scratch } = eyes;
        self.look(seen, numbers);
        self.network.outputs(seen, scratch)
    }

    fn look(&self, seen: &mut Vec<f32>, numbers: &[f32]) {
        assert_eq!(numbers.len(), self.scale.len(), "an observation has as many numbers as the policy takes");
        let scaled = numbers.iter().zip(&self.scale).map(|(number, scale)| (number * scale).min(MOST));
        if seen.is_empty() {
            // Nothing was before the first, so it is its own past.
            (0..self.history).for_each(|_| seen.extend(scaled.clone()));
        } else {
            seen.drain(..self.scale.len());
            seen.extend(scaled);
        }
    }
}

impl fmt::Display for LearnedPolicy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({}), {} weights, {}", self.task(), self.timing(), self.parameters(), self.sha256)
    }
}

fn owned<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn numbers_of((_, kind, len, high, own): &FieldText) -> String {
    let whose = if *own { "the agent's own" } else { "everybody's" };
    format!("has {len} numbers ({kind}, at most {high}, {whose})")
}
