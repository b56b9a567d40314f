use super::*;
use proptest::prelude::*;

/// Tries every start of every stage of every specimen, without any thought.
fn brute_force(model: &Model, jobs: &[Job]) -> u32 {
    /// (spin start, aliquot start, measurement start, group) of the specimens done.
    type Done = Vec<(Option<i64>, Option<i64>, i64, usize)>;
    fn overlap(starts: impl Iterator<Item = i64>, at_s: i64, time_s: i64) -> usize {
        // Those that are under way: their number is largest when one of them starts.
        starts.filter(|&start| start <= at_s && at_s < start + time_s).count()
    }
    fn fits(model: &Model, done: &Done) -> bool {
        let measured = done.iter().all(|&(_, _, at_s, group)| {
            let starts = done.iter().filter(|other| other.3 == group).map(|other| other.2);
            overlap(starts, at_s, model.groups[group].service_s) <= model.groups[group].machines
        });
        let aliquots = || done.iter().filter_map(|other| other.1);
        let aliquoted = aliquots().all(|at_s| overlap(aliquots(), at_s, model.aliquot_s) <= model.aliquoters);
        // A unit takes one batch of specimens that start together.
        let mut spins: Vec<i64> = done.iter().filter_map(|other| other.0).collect();
        spins.sort_unstable();
        let mut batches = Vec::new();
        for start in &spins {
            let open = batches.iter().rfind(|(at, _)| at == start).map(|&(_, n): &(i64, usize)| n);
            match open {
                Some(n) if n < model.centrifuge.batch => batches.last_mut().unwrap().1 += 1,
                _ => batches.push((*start, 1)),
            }
        }
        let starts = || batches.iter().map(|&(at, _)| at);
        let spun = starts().all(|at_s| overlap(starts(), at_s, model.centrifuge.cycle_s) <= model.centrifuge.units);
        let stock = (0..model.groups.len())
            .all(|group| done.iter().filter(|other| other.3 == group).count() <= model.groups[group].stock as usize);
        measured && aliquoted && spun && stock
    }
    fn search(model: &Model, jobs: &[Job], done: &mut Done) -> u32 {
        let Some((job, rest)) = jobs.split_first() else { return done.len() as u32 };
        let mut best = search(model, rest, done);
        let steps = || (1..=model.horizon_s / model.dt_s).map(|step| step * model.dt_s);
        let after = move |at_s: i64| steps().filter(move |&step| step >= at_s);
        let spins: Vec<Option<i64>> = if job.separate { after(job.release_s).map(Some).collect() } else { vec![None] };
        for spin in spins {
            let aliquots: Vec<Option<i64>> = match spin {
                Some(at_s) => after(at_s + model.centrifuge.spin_s).map(Some).collect(),
                None => vec![None],
            };
            for aliquot in aliquots {
                let ready_s = aliquot.map_or(job.release_s, |at_s| at_s + model.aliquot_s);
                for at_s in after(ready_s).filter(|&at_s| model.in_time(job.group, at_s)) {
                    done.push((spin, aliquot, at_s, job.group));
                    if fits(model, done) {
                        best = best.max(search(model, rest, done));
                    }
                    done.pop();
                    if best as usize == done.len() + jobs.len() {
                        return best;
                    }
                }
            }
        }
        best
    }
    search(model, jobs, &mut Vec::new())
}

prop_compose! {
    fn small()(
        steps in 4_i64..9,
        spin in 0_i64..20,
        rest in 0_i64..30,
        units in 1_usize..3,
        batch in 1_usize..3,
        aliquot_s in 0_i64..12,
        groups in prop::collection::vec((0_i64..25, 1_usize..3, 1_u32..4), 1..3),
        jobs in prop::collection::vec((0_i64..30, prop::bool::weighted(0.7), 0_usize..2), 0..5),
    ) -> (Model, Vec<Job>) {
        let groups: Vec<Group> =
            groups.into_iter().map(|(service_s, machines, stock)| Group { service_s, machines, stock }).collect();
        let jobs = jobs
            .into_iter()
            .map(|(release_s, separate, group)| Job { release_s, separate, group: group % groups.len() })
            .collect();
        let centrifuge = Centrifuge { spin_s: spin, cycle_s: spin + rest, units, batch };
        (Model { horizon_s: steps * 10, dt_s: 10, centrifuge, aliquot_s, aliquoters: 1, groups }, jobs)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_bound_of_a_handful_of_specimens_is_what_trying_everything_finds((model, jobs) in small()) {
        prop_assert_eq!(most_released(&model, &jobs), brute_force(&model, &jobs), "{:?} {:?}", model, jobs);
    }

    #[test]
    fn the_stages_alone_are_never_below_the_optimum((model, jobs) in small()) {
        let feasible: Vec<Job> = jobs.into_iter().filter(|job| model.can_be_done_alone(job)).collect();
        prop_assert!(stages::most(&model, &feasible) >= exact::most(&model, &feasible));
    }
}

#[test]
fn four_specimens_on_one_analyser_are_served_one_after_the_other() {
    let group = Group { service_s: 30, machines: 1, stock: 9 };
    let centrifuge = Centrifuge { spin_s: 0, cycle_s: 0, units: 1, batch: 60 };
    let model = |horizon_s| Model { horizon_s, dt_s: 10, centrifuge, aliquot_s: 0, aliquoters: 1, groups: vec![group] };
    let job = Job { release_s: 0, separate: true, group: 0 };
    // Starts at 10, 40, 70 and 100 s; the last is measured at 130 s.
    assert_eq!(most_released(&model(130), &[job; 4]), 4);
    assert_eq!(most_released(&model(120), &[job; 4]), 3);
    assert_eq!(most_released(&model(120), &[job; 40]), 3);
}
