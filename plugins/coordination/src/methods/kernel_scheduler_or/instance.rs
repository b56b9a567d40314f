//! One scheduling problem: unrelated parallel machines with travel between jobs, and what a schedule of it costs.

/// Somebody who works; their sequence begins where they stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    pub(super) zone: u16,
}

/// A job of a problem. Times count from now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) zone: Option<u16>,
    pub(super) takes_s: i64,
    pub(super) due_s: i64,
    pub(super) weight: i64,
}

/// Weights of the cost [tenths].
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    pub(super) tardiness: i64,
    pub(super) throughput: i64,
    pub(super) violation: i64,
    pub(super) overhead: i64,
    pub(super) fairness: i64,
}

/// A problem.
#[derive(Clone, Debug)]
pub struct Instance {
    pub(super) machines: Vec<Machine>,
    pub(super) items: Vec<Item>,
    /// Whether machine m can have item i: `able[m][i]`.
    pub(super) able: Vec<Vec<bool>>,
    /// Travel between zones, row by row [s].
    pub(super) travel_s: Vec<i64>,
    pub(super) zones: usize,
    pub(super) weights: Weights,
}

/// Items of each machine, in the order in which they are done.
pub type Schedule = Vec<Vec<usize>>;

impl Instance {
    fn travel_s(&self, from: u16, to: u16) -> i64 {
        if from == to { 0 } else { self.travel_s[usize::from(from) * self.zones + usize::from(to)] }
    }

    /// Where an item ends that is begun here and now, when, and how long the walk was [s].
    pub(super) fn next(&self, here: u16, now_s: i64, item: usize) -> (u16, i64, i64) {
        let item = &self.items[item];
        let zone = item.zone.unwrap_or(here);
        let walk_s = self.travel_s(here, zone);
        (zone, now_s + walk_s + item.takes_s, walk_s)
    }

    /// What a machine's sequence costs, its load aside [tenths of a second].
    pub(super) fn cost_of(&self, machine: usize, sequence: &[usize]) -> i64 {
        let (mut here, mut now_s, mut cost) = (self.machines[machine].zone, 0, 0_i64);
        for &number in sequence {
            let (zone, end_s, walk_s) = self.next(here, now_s, number);
            let item = &self.items[number];
            let late_s = (end_s - item.due_s).max(0);
            cost += self.weights.tardiness * item.weight * late_s;
            cost += self.weights.throughput * item.weight * end_s;
            cost += if late_s > 0 { self.weights.violation * item.weight } else { 0 };
            cost += self.weights.overhead * walk_s;
            // A quadratic price of load is least where load is equal, and is a sum over machines.
            (here, now_s) = (zone, end_s);
        }
        cost + self.weights.fairness * (sequence.len() * sequence.len()) as i64
    }
}

/// What a whole schedule costs [tenths of a second].
#[must_use]
pub fn cost_of(instance: &Instance, schedule: &Schedule) -> i64 {
    schedule.iter().enumerate().map(|(machine, sequence)| instance.cost_of(machine, sequence)).sum()
}
