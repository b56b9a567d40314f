//! Who does what in a step, while it is being decided.

/// Who does what in a step. Workers and jobs are named by their numbers in the [`Step`](super::Step).
#[derive(Clone, Debug, Default)]
pub struct Plan {
    job_of: Vec<Option<usize>>,
    worker_of: Vec<Option<usize>>,
    goal_of: Vec<Option<u16>>,
}

impl Plan {
    /// An empty plan for so many workers and jobs, in the memory of the last one.
    pub fn begin(&mut self, workers: usize, jobs: usize) {
        let Self { job_of, worker_of, goal_of } = self;
        job_of.clear();
        job_of.resize(workers, None);
        worker_of.clear();
        worker_of.resize(jobs, None);
        goal_of.clear();
        goal_of.resize(workers, None);
    }

    /// Gives a job to a worker. Whether that was possible: neither had an other.
    pub fn assign(&mut self, worker: usize, job: usize) -> bool {
        let free = self.job_of[worker].is_none() && self.worker_of[job].is_none();
        if free {
            (self.job_of[worker], self.worker_of[job]) = (Some(job), Some(worker));
        }
        free
    }

    /// Takes the job of a worker away again, if they have one.
    pub fn release(&mut self, worker: usize) {
        if let Some(job) = self.job_of[worker].take() {
            self.worker_of[job] = None;
        }
    }

    /// Sends a worker without a job to a zone.
    pub fn send(&mut self, worker: usize, zone: u16) {
        self.goal_of[worker] = Some(zone);
    }

    /// Whether a worker has no job yet.
    #[must_use]
    pub fn is_free(&self, worker: usize) -> bool {
        self.job_of[worker].is_none()
    }

    /// Whether nobody has this job yet.
    #[must_use]
    pub fn is_open(&self, job: usize) -> bool {
        self.worker_of[job].is_none()
    }

    /// The job of a worker.
    #[must_use]
    pub fn job_of(&self, worker: usize) -> Option<usize> {
        self.job_of[worker]
    }

    /// The same, also for a worker that there is not.
    #[cfg(test)]
    pub(super) fn job_of_checked(&self, worker: usize) -> Option<usize> {
        self.job_of.get(worker).copied().flatten()
    }

    /// Where a worker without a job is sent.
    #[must_use]
    pub fn goal_of(&self, worker: usize) -> Option<u16> {
        self.goal_of[worker]
    }
}
