use super::*;
use crate::codes;
use crate::protocols::cbba::{Award, Bidder, Cbba, CbbaMessage, Task};
use labtrust_kernel::Streams;
use std::collections::BTreeMap;

/// Agents and tasks on a line; the cost is the way, walked in the order of taking.
#[derive(Clone, Debug)]
struct Line {
    me: usize,
    agents: Vec<i64>,
    tasks: Vec<i64>,
}

impl Bidder for Line {
    fn cost(&self, task: Task, bundle: &[Task]) -> Option<i64> {
        let from = bundle.last().map_or(self.agents[self.me], |last| self.tasks[*last as usize]);
        Some((self.tasks[task as usize] - from).abs())
    }

    fn lower_bound(&self, agent: AgentId, task: Task) -> i64 {
        // The way from the nearest place it could be at: for a first task its own, later any other task's.
        let to = self.tasks[task as usize];
        let starts = self.tasks.iter().enumerate().filter(|(other, _)| *other != task as usize).map(|(_, at)| *at);
        starts.chain([self.agents[agent.index()]]).map(|from| (from - to).abs()).min().unwrap_or(0)
    }

    /// No way on the line is longer, and no bid is above an earlier one of its bundle.
    fn upper_bound(&self, _: AgentId, _: Task) -> i64 {
        1000
    }
}

fn machines(agents: u32, tasks: u32, longest: usize, seed: u64) -> Vec<Cbba<Line>> {
    let mut stream = Streams::new(seed).stream("test", "line");
    let mut place = |_| stream.below(1000) as i64;
    let places: (Vec<i64>, Vec<i64>) = ((0..agents).map(&mut place).collect(), (0..tasks).map(&mut place).collect());
    (0..agents)
        .map(|me| {
            let line = Line { me: me as usize, agents: places.0.clone(), tasks: places.1.clone() };
            Cbba::new(AgentId(me), agents, line, longest, 0..tasks)
        })
        .collect()
}

fn run(all: &mut [Cbba<Line>], settings: &NetworkSettings, seed: u64, rounds: u32) {
    let mut network = Network::new(settings, all.len() as u32, seed).unwrap();
    Exchange::over_a_step(rounds, &network).run(all, &mut network, |_, _| true);
}

/// Who does each task; panics where two do.
fn assignment(all: &[Cbba<Line>]) -> Result<BTreeMap<Task, usize>, Task> {
    let mut doers = BTreeMap::new();
    for (me, machine) in all.iter().enumerate() {
        for task in machine.bundle() {
            if doers.insert(*task, me).is_some() {
                return Err(*task);
            }
        }
    }
    Ok(doers)
}

#[test]
fn a_perfect_network_ends_without_conflict_and_everybody_believes_the_same() {
    for seed in 0..40 {
        let mut all = machines(8, 12, 3, seed);
        run(&mut all, &NetworkSettings::default(), seed, 40);
        let doers = assignment(&all).unwrap();
        assert_eq!(doers.len(), 12, "there is room for all");
        for task in 0..12 {
            let award = all[0].award(task);
            assert!(all.iter().all(|machine| machine.award(task) == award));
            assert_eq!(award.map(|award| award.winner.index()), doers.get(&task).copied());
        }
        assert!(all.iter().all(|machine| machine.quiet_rounds() >= 2 && machine.refused().is_empty()));
    }
}

#[test]
fn one_task_each_is_the_sequential_auction() {
    // With bundles of one task the fixed point is that of the centralized greedy rule: the cheapest pair first.
    for seed in 0..40 {
        let mut all = machines(6, 6, 1, seed);
        run(&mut all, &NetworkSettings::default(), seed, 40);
        let mut greedy = BTreeMap::new();
        let mut pairs: Vec<(i64, usize, Task)> = (0..6)
            .flat_map(|me| (0..6).map(move |task| (me, task)))
            .map(|(me, task)| (all[me].bidder().cost(task, &[]).unwrap(), me, task))
            .collect();
        pairs.sort_unstable();
        for (_, me, task) in pairs {
            if !greedy.contains_key(&task) && greedy.values().all(|doer| *doer != me) {
                greedy.insert(task, me);
            }
        }
        let cost = |doers: &BTreeMap<Task, usize>| -> i64 {
            doers.iter().map(|(task, me)| all[*me].bidder().cost(*task, &[]).unwrap()).sum()
        };
        let doers = assignment(&all).unwrap();
        assert_eq!(cost(&doers), cost(&greedy), "seed {seed}");
    }
}

#[test]
fn thirty_percent_loss_ends_without_conflict_within_a_bounded_number_of_rounds() {
    let lossy = NetworkSettings { drop_rate: 0.3, duplicate_rate: 0.1, reorder_window: 3, ..NetworkSettings::ideal() };
    for seed in 0..100 {
        let (agents, tasks) = (3 + seed as u32 % 8, 4 + seed as u32 % 11);
        let mut all = machines(agents, tasks, 3, seed);
        // Without loss a task is settled every two rounds at least; a belief comes through in 1.4 tries on average.
        run(&mut all, &lossy, seed, 4 * tasks + 20);
        let doers = assignment(&all).unwrap_or_else(|task| panic!("seed {seed}: two do task {task}"));
        assert_eq!(doers.len() as u32, tasks.min(3 * agents), "seed {seed}");
    }
}

#[test]
fn beliefs_go_round_a_ring_of_neighbours() {
    let agents = 6;
    let mut all: Vec<Cbba<Line>> = machines(agents, 9, 2, 5)
        .into_iter()
        .enumerate()
        .map(|(me, machine)| {
            let me = me as u32;
            machine.with_neighbours(vec![AgentId((me + 1) % agents), AgentId((me + agents - 1) % agents)])
        })
        .collect();
    run(&mut all, &NetworkSettings::default(), 1, 60);
    assert_eq!(assignment(&all).unwrap().len(), 9);
}

#[test]
fn a_bid_below_the_physical_bound_is_refused_with_its_own_code_and_wins_nothing() {
    let mut all = machines(5, 6, 2, 3);
    let mut honest = all.clone();
    let spoof = Award { cost: -1, winner: AgentId(4) };
    let mut network: Network<CbbaMessage> = Network::new(&NetworkSettings::default(), 5, 1).unwrap();
    for clock in 1..30 {
        // Agent 4 claims everything for less than nothing, over and over; the others go on among themselves.
        let forged =
            CbbaMessage::forged(clock, (0..6).map(|task| (task, Some(spoof))).collect(), vec![0, 0, 0, 0, clock]);
        network.broadcast(AgentId(4), &forged);
        Exchange { rounds: 1, round_us: 1000 }.run(&mut all[..4], &mut network, |_, _| true);
    }
    let mut network = Network::new(&NetworkSettings::default(), 5, 1).unwrap();
    Exchange::over_a_step(29, &network).run(&mut honest[..4], &mut network, |_, _| true);
    for (machine, expected) in all[..4].iter().zip(&honest[..4]) {
        assert_eq!(machine.bundle(), expected.bundle());
        assert_eq!((machine.refused().len(), expected.refused().len()), (6, 0));
        let refused = machine.refused()[0];
        assert_eq!((refused.code, refused.from), ("COORD_BID_BELOW_BOUND", AgentId(4)));
    }
}

#[test]
fn who_bids_more_than_anybody_could_is_caught_and_nothing_of_theirs_counts() {
    let award = |cost, winner| Some(Award { cost, winner: AgentId(winner) });
    let first = CbbaMessage::forged(1, vec![(0, award(900, 1)), (1, award(950, 2))], vec![0, 1, 1]);
    let dear = CbbaMessage::forged(2, vec![(1, award(1001, 1))], vec![0, 2, 1]);
    let later = CbbaMessage::forged(3, vec![(0, award(900, 1))], vec![0, 3, 1]);
    for scrutiny in [Scrutiny::Nothing, Scrutiny::TooGood, Scrutiny::Both] {
        let mut machine = machines(3, 2, 2, 3).swap_remove(0).with_scrutiny(scrutiny);
        let mut hear = |message: &CbbaMessage| {
            machine.on_message(AgentId(1), message.clone(), &mut Outbox::default());
            (machine.award(0), machine.doubts())
        };
        let honest = Doubts::default();
        assert_eq!(hear(&first), (award(900, 1), honest), "{scrutiny:?}");
        let (kept, doubts) = hear(&dear);
        let caught = scrutiny == Scrutiny::Both;
        assert_eq!(kept, if caught { None } else { award(900, 1) }, "{scrutiny:?}");
        let expected = (codes::BID_ANOMALY_SPOOF_SUSPECTED, AgentId(1));
        assert_eq!((doubts.count, doubts.last), if caught { (1, Some(expected)) } else { (0, None) }, "{scrutiny:?}");
        assert_eq!(hear(&later).0, kept, "{scrutiny:?}: it is not heard any more");
        assert_eq!(machine.award(1), award(950, 2), "{scrutiny:?}: what was heard of others before stands");
    }
}

#[test]
fn close_scrutiny_refuses_no_honest_bid() {
    for seed in 0..40 {
        let (agents, tasks) = (2 + seed as u32 % 7, 1 + seed as u32 % 12);
        let mut lenient = machines(agents, tasks, 3, seed);
        let mut strict: Vec<_> =
            machines(agents, tasks, 3, seed).into_iter().map(|one| one.with_scrutiny(Scrutiny::Both)).collect();
        let settings = NetworkSettings { drop_rate: 0.2, ..NetworkSettings::ideal() };
        run(&mut lenient, &settings, seed, 30);
        run(&mut strict, &settings, seed, 30);
        for (one, other) in lenient.iter().zip(&strict) {
            assert!(one.bundle() == other.bundle() && other.refused().is_empty(), "seed {seed}");
        }
    }
}

#[test]
fn a_bid_of_nobody_is_malformed() {
    let mut all = machines(3, 2, 2, 3);
    let award = Award { cost: 1, winner: AgentId(77) };
    let forged = CbbaMessage::forged(1, vec![(0, Some(award))], vec![0, 1, 0]);
    all[0].on_message(AgentId(1), forged, &mut Outbox::default());
    // And one whose list of agents is of another world is not read at all.
    all[0].on_message(AgentId(2), CbbaMessage::forged(1, vec![(0, Some(award))], vec![]), &mut Outbox::default());
    assert_eq!((all[0].refused().len(), all[0].refused()[0].code), (1, "COORD_MESSAGE_MALFORMED"));
    assert_eq!(all[0].award(0), None);
}

#[test]
fn a_message_that_was_overtaken_says_nothing_any_more() {
    let mut all = machines(3, 2, 2, 3);
    let award = Award { cost: 5000, winner: AgentId(1) };
    let mut out = Outbox::default();
    all[0].on_message(AgentId(1), CbbaMessage::forged(2, vec![(0, None)], vec![0, 2, 0]), &mut out);
    all[0].on_message(AgentId(1), CbbaMessage::forged(1, vec![(0, Some(award))], vec![0, 1, 0]), &mut out);
    assert_eq!(all[0].award(0), None);
    all[0].on_message(AgentId(1), CbbaMessage::forged(3, vec![(0, Some(award))], vec![0, 3, 0]), &mut out);
    assert_eq!(all[0].award(0), Some(award));
}
