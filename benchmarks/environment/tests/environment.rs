//! Environments against the harness's own runs, against their own promises, and against each other.

use labtrust_bench::log::{EpisodeLog, LogContext};
use labtrust_bench::{Cast, EpisodeSetup, run_episode};
use labtrust_environment::{Autoreset, Batch, Environment, EnvironmentError, Rows, Terms, World};
use labtrust_kernel::Streams;
use labtrust_plugin::lab::contract::{ActionSpace, INDEX, bare, mask};
use labtrust_plugin::lab::{AgentContext, AgentPolicy, Decision};
use labtrust_plugin::{AgentSet, Plugin, Registry, Task, Vacancy};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn registry() -> Registry {
    labtrust_builtin::registry().expect("ids are unique")
}

fn task(id: &str) -> &'static dyn Task {
    registry().task(id).expect("the task exists")
}

fn world(terms: Terms) -> Arc<World> {
    try_world(terms).expect("the terms are good")
}

fn try_world(terms: Terms) -> Result<Arc<World>, EnvironmentError> {
    let policy = PolicyStore::builtin();
    let lab = registry().lab_domain("hospital_lab").expect("it is compiled in").load(&policy).expect("it loads");
    World::open(policy, lab, terms).map(Arc::new)
}

/// What is nearest to a released result first.
const PREFERENCE: [usize; 16] = [16, 20, 19, 5, 14, 2, 13, 12, 11, 8, 7, 6, 22, 24, 25, 3];

struct Keen;

impl AgentPolicy for Keen {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        let bits = mask(ctx, ActionSpace::V02);
        let index = PREFERENCE.into_iter().find(|index| bits >> index & 1 == 1).unwrap_or(0);
        bare(ctx, INDEX[index])
    }
}

impl AgentSet for Keen {
    fn id(&self) -> &'static str {
        "keen"
    }

    fn policy(&self, _vacancy: &Vacancy<'_>) -> Option<Box<dyn AgentPolicy>> {
        Some(Box::new(Self))
    }
}

fn keen(environment: &mut Environment) -> Vec<i64> {
    let (agents, length) = (environment.world().agents().len(), environment.world().actions());
    let mut masks = vec![0; agents * length];
    environment.write_masks(&mut masks);
    let first = |mask: &[i8]| PREFERENCE.into_iter().find(|&index| mask[index] == 1).unwrap_or(0);
    masks.chunks(length).map(|mask| i64::try_from(first(mask)).expect("small")).collect()
}

/// A step of the keen.
fn step(environment: &mut Environment) -> bool {
    let indices = keen(environment);
    environment.step(&indices, &BTreeMap::new()).expect("it goes on")
}

/// Indices that the masks allow, by chance.
fn any(environment: &mut Environment, draw: &mut labtrust_kernel::Stream) -> Vec<i64> {
    let (agents, length) = (environment.world().agents().len(), environment.world().actions());
    let mut masks = vec![0; agents * length];
    environment.write_masks(&mut masks);
    let mut one = |mask: &[i8]| {
        let allowed: Vec<i64> = (0..).zip(mask).filter(|(_, allowed)| **allowed == 1).map(|(index, _)| index).collect();
        allowed[usize::try_from(draw.below(allowed.len() as u64)).expect("small")]
    };
    masks.chunks(length).map(&mut one).collect()
}

#[test]
fn an_episode_played_from_outside_has_the_log_and_the_figures_of_a_run() {
    for (id, injection) in [
        ("throughput_sla", None),
        ("adversarial_disruption", None),
        ("insider_key_misuse", None),
        ("late_courier", None),
        ("coord_risk", Some("INJ-COMMS-POISON-001")),
    ] {
        let injection = injection.map(|id| registry().injection(id).expect("it exists"));
        let metrics = registry().metrics();
        let terms = Terms { injection, log: true, metrics: metrics.clone(), ..Terms::of(task(id)) };
        let world = world(terms);
        let mut environment = Environment::new(Arc::clone(&world));
        for (number, seed) in [(0, 5), (1, 6)] {
            environment.reset(seed).expect("it begins");
            while !step(&mut environment) {}

            let policy = PolicyStore::builtin();
            let lab = registry().lab_domain("hospital_lab").expect("there").load(&policy).expect("it loads");
            let bound = injection.and_then(|one| one.bind(&policy, &Default::default()).expect("it fits"));
            let injection = bound.as_deref().or(injection.map(|one| one as _));
            let setup = EpisodeSetup {
                task: world.task(),
                seed,
                max_steps: world.max_steps(),
                timing: world.timing(),
                strict_signatures: false,
                calibration: None,
                metrics: &metrics,
                cast: Cast { agents: Some(&Keen), injection, ..Cast::default() },
            };
            let mut log = EpisodeLog::new(Arc::new(LogContext::default()), number);
            let run = run_episode(&mut *lab.engine(), &setup, Some(&mut log)).expect("it runs");
            assert!(!log.bytes().is_empty(), "{id}");
            assert!(environment.log() == log.bytes(), "{id} seed {seed}: the logs differ");
            assert_eq!(environment.chain_head(), Some(run.chain_head.as_str()));
            let mut figures = run.metrics.clone();
            // Judged by a course that an environment does not play.
            figures.remove("sec");
            figures.remove("robustness");
            assert_eq!(environment.outcome().expect("it was measured").metrics, figures, "{id}");
        }
    }
}

#[test]
fn every_number_is_within_its_bound_and_every_mask_allows_something() {
    let tasks: Vec<_> = registry()
        .entries()
        .iter()
        .filter_map(|entry| match entry.plugin {
            Plugin::Task(task) => Some(task),
            _ => None,
        })
        .collect();
    assert!(tasks.len() >= 11);
    for task in tasks {
        for space in [ActionSpace::V01, ActionSpace::V02] {
            let world = world(Terms { space, ..Terms::of(task) });
            let mut environment = Environment::new(Arc::clone(&world));
            let (agents, length) = (world.agents().len(), world.layout().observation_len());
            let bounds: Vec<f32> = (world.layout().own().iter().chain(world.layout().shared()))
                .flat_map(|field| std::iter::repeat_n(field.high as f32, field.len))
                .collect();
            assert_eq!(bounds.len(), length);
            let mut draw = Streams::new(3).stream("environment test", task.id());
            let mut numbers = vec![-1.0; agents * length];
            let mut masks = vec![-1; agents * world.actions()];
            environment.reset(3).expect("it begins");
            loop {
                numbers.fill(-1.0);
                environment.write_observations(&mut numbers);
                environment.write_masks(&mut masks);
                for row in numbers.chunks(length) {
                    for (place, (number, bound)) in row.iter().zip(&bounds).enumerate() {
                        assert!((0.0..=*bound).contains(number), "{} number {place}: {number}", task.id());
                    }
                }
                assert!(masks.chunks(world.actions()).all(|mask| mask[0] == 1), "to wait is always allowed");
                if environment.is_over() {
                    break;
                }
                let indices = any(&mut environment, &mut draw);
                environment.step(&indices, &BTreeMap::new()).expect("it goes on");
            }
            assert_eq!(environment.steps(), world.max_steps());
        }
    }
}

#[test]
fn an_observation_tells_what_the_snapshot_tells() {
    let world = world(Terms::of(task("adversarial_disruption")));
    let mut environment = Environment::new(Arc::clone(&world));
    let layout = world.layout();
    let mut numbers = vec![0.0; world.agents().len() * layout.observation_len()];
    environment.reset(3).expect("it begins");
    let mut busy = 0;
    while !step(&mut environment) {
        environment.write_observations(&mut numbers);
        for number in 0..world.agents().len() {
            let told = environment.describe(number).expect("there is an episode");
            let row = &numbers[number * layout.observation_len()..][..layout.observation_len()];
            let of = |name: &str| -> Vec<f64> {
                let mut at = 0;
                for field in layout.own().iter().chain(layout.shared()) {
                    if field.name == name {
                        return row[at..at + field.len].iter().map(|&number| f64::from(number)).collect();
                    }
                    at += field.len;
                }
                panic!("there is no {name}")
            };
            let as_numbers = |value: &Value| -> Vec<f64> {
                let one = |value: &Value| value.as_f64().expect("a number");
                value.as_array().map_or_else(|| vec![one(value)], |list| list.iter().map(one).collect())
            };
            for name in [
                "my_zone_idx",
                "door_restricted_open",
                "door_restricted_duration_s",
                "restricted_zone_frozen",
                "queue_lengths",
                "queue_has_head",
                "specimen_status_counts",
                "device_qc_pass",
                "log_frozen",
                "token_count_override",
                "token_count_restricted",
                "t_s",
            ] {
                assert_eq!(of(name), as_numbers(&told[name]), "{name}");
            }
            let zone = told["my_zone_idx"].as_u64().expect("an index");
            let hot = of("my_zone");
            assert_eq!(hot.iter().sum::<f64>(), f64::from(u8::from(zone > 0)));
            assert!(zone == 0 || hot[usize::try_from(zone - 1).expect("small")] == 1.0);
            assert_eq!(of("last_refused") == [1.0], !told["last_refusal"].is_null());
            assert_eq!(of("results_releasable"), [told["releasable_result_ids"].as_array().unwrap().len() as f64]);
            let waiting = ["reception_list", "separation_list", "aliquot_list", "work_list"];
            let waiting: usize = waiting.iter().map(|list| told[*list].as_array().unwrap().len()).sum();
            // Arrived to ready.
            assert_eq!(of("specimens_by_stage")[1..=9].iter().sum::<f64>(), waiting as f64);
            busy += waiting;
        }
    }
    assert!(busy > 0, "there was nothing to see");
}

#[test]
fn rewards_are_those_of_the_task_and_add_up() {
    let mut released = 0;
    let rewards = vec![("violation_penalty".to_owned(), 0.5), ("blocked_penalty".to_owned(), 0.25)];
    let world = world(Terms { rewards, ..Terms::of(task("throughput_sla")) });
    let mut environment = Environment::new(Arc::clone(&world));
    environment.reset(1).expect("it begins");
    let (mut total, mut queued, mut blocked) = (0.0, 0, 0);
    loop {
        // The first agent insists on starting runs that nobody has queued for it.
        let mut indices = keen(&mut environment);
        indices[0] = 5;
        let over = environment.step(&indices, &BTreeMap::new()).expect("it goes on");
        let mut rewards = vec![f64::NAN; world.agents().len()];
        environment.write_rewards(&mut rewards);
        let counts = environment.counts();
        let shared = f64::from(counts.released) - 0.5 * f64::from(counts.violations) - 0.25 * f64::from(counts.blocked);
        for reward in rewards {
            // Who queued a run has a tenth more.
            let own = reward - shared;
            let tenths = (own * 10.0).round();
            assert!((own - tenths / 10.0).abs() < 1e-9 && (0.0..=1.0).contains(&tenths), "{own}");
            queued += u32::from(tenths == 1.0);
            total += reward;
        }
        released += counts.released;
        blocked += counts.blocked;
        if over {
            break;
        }
    }
    assert!(released > 0 && queued > 0 && blocked > 0, "{released} {queued} {blocked}");
    assert!(total.is_finite());
}

/// Holds one result, has its specimen run again and again, and releases everything at the end.
fn wasteful(environment: &mut Environment, held: &mut bool) -> Vec<i64> {
    let (agents, length) = (environment.world().agents().len(), environment.world().actions());
    let (late, mut masks) = (environment.steps() >= 60, vec![0; agents * length]);
    environment.write_masks(&mut masks);
    let one = |mask: &[i8]| {
        let wait = |index: &usize| *index != 16 || late;
        let hold = if *held { None } else { Some(15) };
        let mut wishes = [18].into_iter().chain(hold).chain(PREFERENCE.into_iter().filter(wait));
        let index = wishes.find(|&index| mask[index] == 1).unwrap_or(0);
        *held |= index == 15;
        i64::try_from(index).expect("small")
    };
    masks.chunks(length).map(one).collect()
}

#[test]
fn a_specimen_pays_once_however_often_it_is_run_again() {
    let world = world(Terms { metrics: registry().metrics(), log: true, ..Terms::of(task("throughput_sla")) });
    let mut environment = Environment::new(Arc::clone(&world));
    let (mut again, mut queued_again) = (0, 0);
    for seed in 0..12 {
        let mut held = false;
        environment.reset(seed).expect("it begins");
        let (mut released, mut tenths) = (0, 0.0);
        loop {
            let indices = wasteful(&mut environment, &mut held);
            let over = environment.step(&indices, &BTreeMap::new()).expect("it goes on");
            let counts = environment.counts();
            released += u64::from(counts.released);
            let mut rewards = vec![0.0; world.agents().len()];
            environment.write_rewards(&mut rewards);
            tenths += rewards.iter().map(|reward| reward - f64::from(counts.released)).sum::<f64>();
            if over {
                break;
            }
        }
        let metrics = &environment.outcome().expect("it was measured").metrics;
        // Everything in this task is accepted, so whoever is served has a turnaround.
        assert_eq!(released, metrics["turnaround_s"].as_array().unwrap().len() as u64, "seed {seed}");
        assert_eq!(metrics["throughput"], released, "seed {seed}");
        let log = String::from_utf8(environment.log().to_vec()).unwrap();
        let is_release = |line: &&str| {
            line.contains(r#"{"action_type":"RELEASE_RESULT","#) && line.contains(r#""status":"ACCEPTED""#)
        };
        again += log.lines().filter(is_release).count() as u64 - released;
        let specimens = metrics["specimens_total"].as_f64().unwrap();
        assert!(tenths <= specimens / 10.0 + 1e-9, "seed {seed}: {tenths} for {specimens} specimens");
        queued_again += u32::from(tenths >= specimens / 10.0 - 1e-9);
    }
    assert!(again > 0 && queued_again > 0, "nothing was run again: {again} {queued_again}");
}

#[test]
fn what_cannot_be_played_is_refused_and_nothing_changes() {
    let world = world(Terms { log: true, ..Terms::of(task("throughput_sla")) });
    let mut environment = Environment::new(Arc::clone(&world));
    let agents = world.agents().len();
    let none = BTreeMap::new();
    assert!(matches!(environment.step(&vec![0; agents], &none), Err(EnvironmentError::NoEpisode { .. })));
    environment.reset(1).expect("it begins");
    let before = environment.log().to_vec();
    assert!(matches!(environment.step(&[0], &none), Err(EnvironmentError::Actions { .. })));
    let info: Map<String, Value> = json!({"work_id": 7}).as_object().cloned().expect("a map");
    let beside = BTreeMap::from([(1, info)]);
    let wrong = environment.step(&vec![2; agents], &beside).expect_err("a number is no id");
    assert!(wrong.to_string().contains(&world.agents()[1]), "{wrong}");
    assert_eq!((environment.log(), environment.steps()), (before.as_slice(), 0));
    while !environment.step(&vec![0; agents], &none).expect("it goes on") {}
    assert!(matches!(environment.step(&vec![0; agents], &none), Err(EnvironmentError::NoEpisode { .. })));

    let seats = |seat: &str| Some(vec![seat.to_owned()]);
    let refused = |terms| try_world(terms).err().expect("it is refused").to_string();
    let wrong = refused(Terms { seats: seats("adversary_0"), ..Terms::of(task("adversarial_disruption")) });
    assert!(wrong.contains("ops_0"), "{wrong}");
    let wrong = refused(Terms { scale: Some("xl_10k".to_owned()), ..Terms::of(task("coord_scale")) });
    assert!(wrong.contains("many laboratories"), "{wrong}");
    let wrong = refused(Terms { rewards: vec![("luck".to_owned(), 1.0)], ..Terms::of(task("coord_scale")) });
    assert!(wrong.contains("throughput_reward"), "{wrong}");
    assert!(refused(Terms { seats: Some(Vec::new()), ..Terms::of(task("coord_scale")) }).contains("at least one"));
}

/// Everything that a batch writes in some steps.
fn batch_of(terms: Terms, environments: usize, autoreset: Autoreset, threads: usize, steps: usize) -> Vec<Vec<u64>> {
    let world = world(terms);
    let mut batch = Batch::new(Arc::clone(&world), environments, autoreset, threads).expect("it is made");
    let agents = environments * world.agents().len();
    let length = world.layout().observation_len();
    let (mut observations, mut last) = (vec![0.0; agents * length], vec![0.0; agents * length]);
    let (mut masks, mut rewards) = (vec![0; agents * world.actions()], vec![0.0; agents]);
    let mut over = vec![false; environments];
    let mut written = Vec::new();
    let mut draw = Streams::new(9).stream("environment test", "batch");
    for step in 0..=steps {
        let rows = Rows {
            observations: &mut observations,
            last_observations: &mut last,
            masks: &mut masks,
            rewards: &mut rewards,
            over: &mut over,
        };
        if step == 0 {
            batch.reset(40, rows).expect("it begins");
        } else {
            let indices: Vec<i64> = masks_to_indices(rows.masks, world.actions(), &mut draw);
            batch.step(&indices, rows).expect("it goes on");
        }
        let mut all: Vec<u64> = batch.seeds().collect();
        all.extend(observations.iter().chain(&last).map(|number| u64::from(number.to_bits())));
        all.extend(masks.iter().map(|&mask| u64::from(mask == 1)));
        all.extend(rewards.iter().map(|reward| reward.to_bits()));
        all.extend(over.iter().map(|&over| u64::from(over)));
        written.push(all);
    }
    written
}

fn masks_to_indices(masks: &[i8], length: usize, draw: &mut labtrust_kernel::Stream) -> Vec<i64> {
    let one = |mask: &[i8]| {
        let allowed: Vec<i64> = (0..).zip(mask).filter(|(_, allowed)| **allowed == 1).map(|(index, _)| index).collect();
        allowed[usize::try_from(draw.below(allowed.len() as u64)).expect("small")]
    };
    masks.chunks(length).map(one).collect()
}

#[test]
fn a_batch_is_the_same_for_any_number_of_threads_and_begins_new_episodes_as_it_was_told() {
    let terms = || Terms { max_steps: Some(7), ..Terms::of(task("stat_insertion")) };
    for autoreset in [Autoreset::NextStep, Autoreset::SameStep] {
        let alone = batch_of(terms(), 5, autoreset, 1, 20);
        assert_eq!(alone, batch_of(terms(), 5, autoreset, 3, 20));
        let seeds: Vec<u64> = alone.iter().map(|step| step[0]).collect();
        let begins: Vec<usize> = (1..seeds.len()).filter(|&step| seeds[step] != seeds[step - 1]).collect();
        let expected: &[usize] = if autoreset == Autoreset::NextStep { &[8, 16] } else { &[7, 14] };
        assert_eq!(begins, expected);
        assert_eq!((seeds[0], seeds[20]), (40, 50));
        // An episode is over in its seventh step, whatever is shown.
        let over = |step: usize| alone[step][alone[step].len() - 5..].to_vec();
        assert_eq!((over(6), over(7)), (vec![0; 5], vec![1; 5]));
    }
}

#[test]
fn an_environment_of_a_batch_is_the_environment_that_would_be_alone() {
    let terms = || Terms { max_steps: Some(9), ..Terms::of(task("multi_site_stat")) };
    let world = world(terms());
    let mut alone = Environment::new(Arc::clone(&world));
    alone.reset(42).expect("it begins");
    let batch = batch_of(terms(), 3, Autoreset::NextStep, 1, 0);
    let mut numbers = vec![0.0; world.agents().len() * world.layout().observation_len()];
    alone.write_observations(&mut numbers);
    let third: Vec<u64> = numbers.iter().map(|number| u64::from(number.to_bits())).collect();
    let begin = 3 + 2 * third.len();
    assert_eq!(batch[0][begin..begin + third.len()], third);
}
