//! The kinder laboratory.

/// Separation: batches on units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Centrifuge {
    /// From the start of a batch until its tubes can be taken out [s].
    pub spin_s: i64,
    /// From the start of a batch until the unit can take the next [s].
    pub cycle_s: i64,
    /// Units of all centrifuges [count].
    pub units: usize,
    /// Tubes in a batch [count].
    pub batch: usize,
}

/// Analysers that can measure one panel, taken together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// One measurement [s].
    pub service_s: i64,
    /// Measurements at a time [count].
    pub machines: usize,
    /// Measurements that the reagent allows [count].
    pub stock: u32,
}

/// A specimen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// When work on it can begin [s].
    pub release_s: i64,
    /// Whether it has to be separated first.
    pub separate: bool,
    /// Its place in [`Model::groups`].
    pub group: usize,
}

/// Resources and time.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The last moment at which a release counts [s].
    pub horizon_s: i64,
    /// Things begin at multiples of this [s].
    pub dt_s: i64,
    pub centrifuge: Centrifuge,
    /// One aliquot [s].
    pub aliquot_s: i64,
    /// Aliquots at a time [count].
    pub aliquoters: usize,
    pub groups: Vec<Group>,
}

impl Model {
    /// The first step at or after a moment.
    pub(crate) fn step_at(&self, at_s: i64) -> i64 {
        let at_s = at_s.max(self.dt_s);
        at_s + (self.dt_s - at_s.rem_euclid(self.dt_s)).rem_euclid(self.dt_s)
    }

    /// A time in whole steps [s].
    pub(crate) fn in_steps(&self, time_s: i64) -> i64 {
        time_s + (self.dt_s - time_s.rem_euclid(self.dt_s)).rem_euclid(self.dt_s)
    }

    /// When a specimen is ready to be aliquoted whose batch starts at `start_s`.
    pub(crate) fn spun(&self, start_s: i64) -> i64 {
        self.step_at(start_s + self.centrifuge.spin_s)
    }

    /// When a specimen can be measured whose aliquot is begun at `start_s`.
    pub(crate) fn aliquoted(&self, start_s: i64) -> i64 {
        self.step_at(start_s + self.aliquot_s)
    }

    /// Whether a measurement that starts at `start_s` can be released in time.
    pub(crate) fn in_time(&self, group: usize, start_s: i64) -> bool {
        self.step_at(start_s + self.groups[group].service_s) <= self.horizon_s
    }

    /// When a specimen can be measured at the earliest, were it alone.
    pub(crate) fn ready_s(&self, job: &Job) -> i64 {
        let begin_s = self.step_at(job.release_s);
        if job.separate { self.aliquoted(self.spun(begin_s)) } else { begin_s }
    }

    pub(crate) fn can_be_done_alone(&self, job: &Job) -> bool {
        let group = &self.groups[job.group];
        let separated =
            !job.separate || (self.centrifuge.units > 0 && self.centrifuge.batch > 0 && self.aliquoters > 0);
        separated && group.machines > 0 && group.stock > 0 && self.in_time(job.group, self.ready_s(job))
    }
}
