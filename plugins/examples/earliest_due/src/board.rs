//! What is still to do, by where it is done: everybody finds the first job that is theirs without reading all others.

use crate::jobs::Job;

/// Jobs of a step, each with its number in the list, which is the order of urgency.
pub(crate) struct Board {
    jobs: Vec<Option<Job>>,
    /// Numbers of those that are done in each zone, the most urgent first.
    zones: Vec<Vec<usize>>,
    /// Numbers of those that are done anywhere.
    anywhere: Vec<usize>,
}

impl Board {
    /// The board of `jobs`, the most urgent first, in a laboratory of so many zones.
    pub(crate) fn new(jobs: Vec<Job>, zones: usize) -> Self {
        let mut board = Self { jobs: Vec::new(), zones: vec![Vec::new(); zones], anywhere: Vec::new() };
        for (number, job) in jobs.iter().enumerate() {
            match job.zone {
                Some(zone) => board.zones[usize::from(zone)].push(number),
                None => board.anywhere.push(number),
            }
        }
        board.jobs = jobs.into_iter().map(Some).collect();
        board
    }

    /// Takes the first job that fits and is done in this zone, or anywhere.
    pub(crate) fn take(&mut self, zone: u16, fits: impl Fn(&Job) -> bool) -> Option<Job> {
        let here = self.first(&self.zones[usize::from(zone)], &fits);
        let number = here.into_iter().chain(self.first(&self.anywhere, &fits)).min()?;
        self.jobs[number].take()
    }

    /// Number and zone of the first job that fits in each zone.
    pub(crate) fn by_zone(&self, fits: impl Fn(&Job) -> bool) -> impl Iterator<Item = (usize, u16)> {
        let zones = (0..).zip(&self.zones);
        zones.filter_map(move |(zone, numbers)| Some((self.first(numbers, &fits)?, zone)))
    }

    fn first(&self, numbers: &[usize], fits: impl Fn(&Job) -> bool) -> Option<usize> {
        numbers.iter().copied().find(|&number| self.jobs[number].as_ref().is_some_and(&fits))
    }
}
