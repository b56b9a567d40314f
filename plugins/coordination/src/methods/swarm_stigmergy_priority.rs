//! Stigmergy: work marks the floor, marks spread along the ways, and people climb to where they are strongest.
//!
//! **Class** swarm. **Cost** O(A Z d + W + N d) a decision for A acts, Z zones and d ways at each. **Core** the
//! pheromone; without it people who find nothing walk about at random. **Source** Grasse (1959) for the idea; Dorigo,
//! Maniezzo and Colorni (1996) for deposits and evaporation; diffusion conserved as in Crank (1975).
//!
//! Each open job leaves its act's mark in its zone, urgent work a stronger one; so does who does it. A mark spreads to
//! the neighbouring zones, and what spreads is taken away where it came from: without evaporation the sum stays the
//! same. Marks are capped. Who finds no work where they stand goes to the neighbour with the strongest mark of what
//! they can do; neighbours are looked at in the order of their zones, so ties are the same everywhere.

use crate::core::{Core, Floor, Plan, Rule, Step, draws, greedy};
use labtrust_kernel::Stream;
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::{Act, Priority, Problem};
use std::collections::BTreeMap;

/// The strongest mark that there is.
const CAP: i64 = 1_000_000_000;
/// What a deposit of 1 is in whole numbers.
const ONE: i64 = 1_000_000;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With pheromone, or without: "on" or "off".
        core: String = "on";
        /// What is left of a mark after a step [ppm].
        pheromone_decay: u32 = 950000, 0..=1000000;
        /// What a routine job leaves [ppm].
        pheromone_deposit: u32 = 1000000, 0..=100000000;
        /// What part of a mark spreads in a step [ppm].
        diffusion: u32 = 300000, 0..=900000;
    }
}

/// The rule.
pub struct SwarmStigmergyPriority {
    core: Core,
    decay: i64,
    deposit: i64,
    diffusion: i64,
    neighbours: Vec<Vec<u16>>,
    /// Marks of each act, by zone.
    marks: BTreeMap<Act, Vec<i64>>,
    draws: Stream,
}

labtrust_plugin::register_method!(crate::core::Driver<SwarmStigmergyPriority>);

impl Rule for SwarmStigmergyPriority {
    const ID: &'static str = "swarm_stigmergy_priority";
    const SUMMARY: &'static str = "Work marks the floor by its priority; people without work climb the marks.";
    const CARD: MethodCard = MethodCard {
        class: "swarm",
        complexity: "O(A Z d + W + N d), A acts, Z zones with d ways each",
        source: "Grasse 1959; Dorigo, Maniezzo and Colorni 1996",
        core: "the pheromone; off: who finds no work where they stand walks about at random",
        envelope: "any size; nobody needs to see farther than the next zone; crowds follow one mark",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let zones = floor.zones() as u16;
        let around = |zone| (0..zones).filter(|&other| floor.adjacent(zone, other)).collect();
        Ok(Self {
            core: Core::read(&params.core)?,
            decay: i64::from(params.pheromone_decay),
            deposit: i64::from(params.pheromone_deposit),
            diffusion: i64::from(params.diffusion),
            neighbours: (0..zones).map(around).collect(),
            marks: BTreeMap::new(),
            draws: draws::stream(floor, Self::ID, "random_walk"),
        })
    }

    fn stages(&self) -> bool {
        false
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        let order = greedy::by_ability(step);
        for &number in &order {
            let here = |job: usize| step.is_here(&step.workers[number], &step.jobs[job]);
            greedy::take(step, plan, number, here);
        }
        if self.core.is_on() {
            self.spread();
            self.mark(step, plan);
        }
        for number in order.into_iter().filter(|&number| plan.is_free(number)).collect::<Vec<_>>() {
            let zone = match self.core {
                Core::On => self.uphill(step, number),
                Core::Off => self.anywhere(step, number),
            };
            if let Some(zone) = zone {
                plan.send(number, zone);
            }
        }
    }
}

impl SwarmStigmergyPriority {
    /// Marks fade and spread.
    fn spread(&mut self) {
        for marks in self.marks.values_mut() {
            *marks = spread(marks, &self.neighbours, self.diffusion);
            for mark in marks.iter_mut() {
                *mark = *mark / ONE * self.decay + *mark % ONE * self.decay / ONE;
            }
        }
    }

    /// Work that nobody has taken marks its zone, and so does who works there.
    fn mark(&mut self, step: &Step<'_>, plan: &Plan) {
        let zones = self.neighbours.len();
        for (number, job) in step.jobs.iter().enumerate() {
            let Some(zone) = job.zone.filter(|_| step.is_ready(job)) else { continue };
            let weight = match job.priority {
                Priority::Stat => 4,
                Priority::Urgent => 3,
                Priority::Routine => 2,
            };
            // What somebody does already calls for nobody else, and yet shows where such work is.
            let share = if plan.is_open(number) { 2 } else { 8 };
            let mark = &mut self.marks.entry(job.act).or_insert_with(|| vec![0; zones])[usize::from(zone)];
            *mark = (*mark + self.deposit * weight / share).min(CAP);
        }
    }

    /// The zone, this or next to it, with the strongest marks of what a worker can do; nowhere if it is this.
    fn uphill(&self, step: &Step<'_>, number: usize) -> Option<u16> {
        let worker = &step.workers[number];
        let strength = |zone: u16| -> i64 {
            let of = self.marks.iter().filter(|(act, _)| worker.can(**act));
            of.map(|(_, marks)| marks[usize::from(zone)]).sum()
        };
        let open =
            self.neighbours[usize::from(worker.zone)].iter().filter(|&&zone| step.way_is_open(worker.zone, zone));
        let best = open.map(|&zone| (strength(zone), std::cmp::Reverse(zone))).max()?;
        (best.0 > strength(worker.zone)).then_some(best.1.0)
    }

    fn anywhere(&mut self, step: &Step<'_>, number: usize) -> Option<u16> {
        let worker = &step.workers[number];
        let around = &self.neighbours[usize::from(worker.zone)];
        let open: Vec<u16> = around.iter().copied().filter(|&zone| step.way_is_open(worker.zone, zone)).collect();
        (!open.is_empty()).then(|| open[self.draws.below(open.len() as u64) as usize])
    }
}

/// Each zone gives a part of its mark to its neighbours in equal shares, and keeps what cannot be shared evenly: the
/// sum stays the same.
fn spread(marks: &[i64], neighbours: &[Vec<u16>], part: i64) -> Vec<i64> {
    let mut next = marks.to_vec();
    for (zone, around) in neighbours.iter().enumerate().filter(|(_, around)| !around.is_empty()) {
        let given = marks[zone] / ONE * part + marks[zone] % ONE * part / ONE;
        let share = given / around.len() as i64;
        for &other in around {
            next[usize::from(other)] += share;
            next[zone] -= share;
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreads_is_taken_away_where_it_came_from() {
        let neighbours = vec![vec![1], vec![0, 2, 3], vec![1], vec![1]];
        let mut marks = vec![0, 999_999_937, 0, 17];
        for _ in 0..50 {
            marks = spread(&marks, &neighbours, 300_000);
            assert_eq!(marks.iter().sum::<i64>(), 999_999_954);
            assert!(marks.iter().all(|mark| *mark >= 0), "{marks:?}");
        }
        assert!(marks[0] > 100_000_000 && marks[1] < 900_000_000, "{marks:?}");
    }
}
