//! A clairvoyant bound: how many results no crew could exceed.
//!
//! It knows all arrivals from the beginning and plays a laboratory that is kinder than the real one: an agent is always
//! where it is needed and may do any number of things in a step, nothing fails, every drawn time is as short as it can
//! be. What it respects: steps, the horizon, the way between sites, centrifuge units and batches, aliquoters, analysers
//! that can measure a panel, reagent. So a crew may reach it and never beats it.
//!
//! Up to [`EXACT`] specimens the optimum of that kinder laboratory is found exactly, by trying every order of batches and
//! aliquots. Beyond, each stage is solved alone, exactly, as scheduling of equal jobs with release dates and a common
//! deadline (backward from the deadline; Pinedo, *Scheduling*, ch. 3), and the tightest stage counts: still a bound, no
//! longer always reached.

mod exact;
mod laboratory;
mod model;
mod stages;

pub(crate) use model::{Centrifuge, Group, Job, Model};

/// Largest instance that is solved exactly [specimens].
pub(crate) const EXACT: usize = 4;

/// Most specimens that can be released by the horizon.
pub(crate) fn most_released(model: &Model, jobs: &[Job]) -> u32 {
    let feasible: Vec<Job> = jobs.iter().copied().filter(|job| model.can_be_done_alone(job)).collect();
    if feasible.len() <= EXACT { exact::most(model, &feasible) } else { stages::most(model, &feasible) }
}

#[cfg(test)]
mod tests;
