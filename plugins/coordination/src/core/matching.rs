//! Min-cost matching of workers and jobs.
//!
//! Workers who stand in one zone and have one role are interchangeable, so the matching is a transportation problem
//! between *classes* of workers and jobs, and its size does not grow with the number of people. It is solved exactly,
//! by successive shortest paths (Ahuja, Magnanti and Orlin, *Network Flows*, 1993, chapter 9): jobs are put in one by
//! one, each along the cheapest path on which jobs change their class or one of them is left out. All numbers are
//! whole.

/// Gives jobs to classes so that the sum of profits is greatest: to class `c` at most `capacity[c]`, and no job for
/// less than nothing. `profit(c, j)` is `None` where a class cannot have a job.
///
/// The class of each job; `None` where nobody has it. Among equal sums the one that is found first, always the same.
/// O(J x C x min(N, J)) for J jobs, C classes and N workers, as long as a path moves few jobs, as it mostly does.
#[must_use]
pub fn transport(capacity: &[u32], jobs: usize, profit: impl Fn(usize, usize) -> Option<i64>) -> Vec<Option<usize>> {
    let table: Vec<Vec<Option<i64>>> =
        capacity.iter().enumerate().map(|(class, _)| (0..jobs).map(|job| profit(class, job)).collect()).collect();
    let mut net = Net { table, capacity, held: vec![Vec::new(); capacity.len()], class_of: vec![None; jobs] };
    for job in 0..jobs {
        net.put_in(job);
    }
    net.class_of
}

struct Net<'a> {
    table: Vec<Vec<Option<i64>>>,
    capacity: &'a [u32],
    /// Jobs of each class.
    held: Vec<Vec<usize>>,
    class_of: Vec<Option<usize>>,
}

/// The cheapest way found into a class: what it costs, and the job that comes in.
#[derive(Clone, Copy)]
struct Way {
    cost: i64,
    job: usize,
}

impl Net<'_> {
    /// Puts one more job in, if the sum grows by it.
    fn put_in(&mut self, job: usize) {
        let ways = self.ways(job);
        // Where a path ends: in a class with room, or with a job that is left out.
        let mut best: Option<(i64, usize, Option<usize>)> = None;
        for (class, way) in ways.iter().enumerate() {
            let Some(way) = way else { continue };
            if self.held[class].len() < self.capacity[class] as usize {
                best = lesser(best, (way.cost, class, None));
            } else {
                for &out in &self.held[class] {
                    let lost = self.table[class][out].unwrap_or(0);
                    best = lesser(best, (way.cost.saturating_add(lost), class, Some(out)));
                }
            }
        }
        let Some((_, mut class, out)) = best.filter(|(cost, ..)| *cost < 0) else { return };
        if let Some(out) = out {
            self.held[class].retain(|held| *held != out);
            self.class_of[out] = None;
        }
        // Back along the path: each job leaves the class that it comes from.
        while let Some(way) = ways[class] {
            let from = self.class_of[way.job].replace(class);
            self.held[class].push(way.job);
            match from {
                Some(from) => {
                    self.held[from].retain(|held| *held != way.job);
                    class = from;
                }
                None => break,
            }
        }
    }

    /// Cheapest ways of all classes when `job` comes in. There is no circle that gains: what is in is optimal.
    fn ways(&self, job: usize) -> Vec<Option<Way>> {
        let direct = |row: &Vec<Option<i64>>| row[job].map(|profit| Way { cost: -profit, job });
        let mut ways: Vec<Option<Way>> = self.table.iter().map(direct).collect();
        let mut changed: Vec<bool> = ways.iter().map(Option::is_some).collect();
        // A shortest path visits each class once.
        for _ in 0..self.capacity.len() {
            let mut again = vec![false; changed.len()];
            for (from, _) in changed.iter().enumerate().filter(|(_, changed)| **changed) {
                let Some(way) = ways[from].filter(|_| self.held[from].len() >= self.capacity[from] as usize) else {
                    continue;
                };
                for &moved in &self.held[from] {
                    let given_up = way.cost.saturating_add(self.table[from][moved].unwrap_or(0));
                    for (to, row) in self.table.iter().enumerate().filter(|(to, _)| *to != from) {
                        let Some(gained) = row[moved] else { continue };
                        let cost = given_up.saturating_sub(gained);
                        if ways[to].is_none_or(|known| cost < known.cost) {
                            ways[to] = Some(Way { cost, job: moved });
                            again[to] = true;
                        }
                    }
                }
            }
            if !again.contains(&true) {
                break;
            }
            changed = again;
        }
        ways
    }
}

fn lesser(
    best: Option<(i64, usize, Option<usize>)>,
    next: (i64, usize, Option<usize>),
) -> Option<(i64, usize, Option<usize>)> {
    match best {
        Some(best) if best.0 <= next.0 => Some(best),
        _ => Some(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The greatest sum, by trying everything.
    fn brute(capacity: &mut [u32], job: usize, table: &[Vec<Option<i64>>]) -> i64 {
        if table.is_empty() || job == table[0].len() {
            return 0;
        }
        let mut best = brute(capacity, job + 1, table);
        for class in 0..capacity.len() {
            if let Some(profit) = table[class][job].filter(|_| capacity[class] > 0) {
                capacity[class] -= 1;
                best = best.max(profit + brute(capacity, job + 1, table));
                capacity[class] += 1;
            }
        }
        best
    }

    fn sum(given: &[Option<usize>], table: &[Vec<Option<i64>>]) -> i64 {
        let profit = |(job, class): (usize, &Option<usize>)| {
            class.map(|class| table[class][job].expect("only possible pairs are matched"))
        };
        given.iter().enumerate().filter_map(profit).sum()
    }

    fn case() -> impl Strategy<Value = (Vec<u32>, usize, Vec<Vec<Option<i64>>>)> {
        (1..=7_usize, 0..=7_usize).prop_flat_map(|(classes, jobs)| {
            let cell = prop_oneof![3 => (-20..60_i64).prop_map(Some), 1 => Just(None)];
            let table = prop::collection::vec(prop::collection::vec(cell, jobs), classes);
            (prop::collection::vec(1..=2_u32, classes), Just(jobs), table)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// The matching of up to 7 x 7, and of classes of two, is worth as much as any.
        #[test]
        fn the_matching_is_as_good_as_trying_everything((capacity, jobs, table) in case()) {
            let given = transport(&capacity, jobs, |class, job| table[class][job]);
            prop_assert_eq!(sum(&given, &table), brute(&mut capacity.clone(), 0, &table));
            for (class, room) in capacity.iter().enumerate() {
                prop_assert!(given.iter().filter(|of| **of == Some(class)).count() <= *room as usize);
            }
        }

        /// The same with everybody a class of their own: workers against jobs.
        #[test]
        fn one_worker_has_one_job((capacity, jobs, table) in case()) {
            let ones = vec![1; capacity.len()];
            let given = transport(&ones, jobs, |class, job| table[class][job]);
            prop_assert_eq!(sum(&given, &table), brute(&mut ones.clone(), 0, &table));
        }
    }

    #[test]
    fn nobody_works_for_less_than_nothing() {
        assert_eq!(transport(&[3], 2, |_, job| Some([-1, 0][job])), [None, None]);
        assert_eq!(transport(&[], 2, |_, _| Some(1)), [None, None]);
    }
}
