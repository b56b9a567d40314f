//! `eval-ppo`: plays a policy that was learned, and says what it was paid. No Python is needed.

use super::Timing;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::plugin_files;
use crate::session::{self, Session};
use crate::talk::Talk;
use labtrust_bench::BenchError;
use labtrust_bench::files::AtomicFile;
use labtrust_environment::{Environment, EnvironmentError, Terms, World};
use labtrust_learned::{Eyes, LearnedPolicy, shipped};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Play a trained policy in all seats but attackers', and tell its mean reward
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// `policy.bin` of a training run, or `builtin:throughput_sla`
    #[arg(long, value_name = "FILE")]
    model: String,
    /// Task to play
    #[arg(long, value_name = "ID", default_value = "throughput_sla")]
    task: String,
    /// Episodes to play
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,
    /// Seed of the first episode; the others count up from it
    #[arg(long, value_name = "SEED", default_value_t = 123)]
    seed: u64,
    /// Who moves time; the task decides where this is not given
    #[arg(long, value_name = "MODE")]
    timing: Option<Timing>,
    /// File for the figures
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

/// What the file and the summary have.
const FIGURES: &[(&str, &str)] = &[
    ("mean_reward", "reward of an episode, the mean over its agents"),
    ("episode_rewards", "the same of every episode"),
    ("n_episodes", "episodes [count]"),
    ("seed", "seed of the first"),
    ("task", "what was played"),
    ("timing", "who moved time"),
    ("throughput_mean", "distinct results released an episode"),
    ("completion_rate_mean", "share of the specimens that have a released result"),
    ("policy_sha256", "SHA-256 of the policy"),
    ("trained_task", "what it was trained for"),
];

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "eval-ppo",
        notes: "Each agent does what the policy values most, so the episodes are those of `run-benchmark --coord-method marl_ppo`. A policy that was trained on another laboratory is refused, naming what differs. The environment's rewards are told in [Python](python.md#rewards).",
        writes: &[output("--out", "with --out: the figures as JSON")],
        json: Json::product(FIGURES),
        fails: "no policy in the file, or one for another laboratory; an unknown task",
        examples: &[
            Example::shown("--model model/policy.bin --timing simulated --episodes 100 --out figures.json"),
            Example::tried("--model builtin:throughput_sla --timing simulated --episodes 2 --out eval_ppo.json")
                .leaves(&["eval_ppo.json"]),
        ],
        refusals: &[
            Refusal::new("--model no_such.bin", 1, "no_such.bin"),
            Refusal::new("--model builtin:nothing", 1, "builtin:throughput_sla"),
            Refusal::new("--model builtin:throughput_sla --task coord_scale", 1, "queue_lengths"),
            Refusal::new("--episodes 3", 2, "--model"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    let registry = plugin_files::registry(global)?;
    let task = registry.task(&options.task)?;
    let session = Session::open(global, None)?;
    let lab = session.load_lab(&registry, task)?;
    let terms = Terms {
        timing: options.timing.map(Into::into),
        strict_signatures: session::strict_signatures(),
        metrics: registry.metrics(),
        recorded: false,
        ..Terms::of(task)
    };
    let world = Arc::new(World::open(session.policy, lab, terms)?);
    let last = options.seed.checked_add(options.episodes - 1);
    let last = last.ok_or(BenchError::SeedOverflow { base_seed: options.seed, episodes: options.episodes })?;
    let mut file = options.out.as_deref().map(AtomicFile::create).transpose()?;

    let mut player = Player::sit_down(&options.model, &world, options.seed)?;
    let bar = talk.progress(options.episodes, task.id());
    let mut episodes = Vec::new();
    for seed in options.seed..=last {
        episodes.push(player.play(seed)?);
        bar.inc(1);
    }
    bar.finish_and_clear();

    let mean = |of: &dyn Fn(&Played) -> f64| episodes.iter().map(of).sum::<f64>() / episodes.len() as f64;
    let mean_reward = mean(&|played| played.reward);
    let figures = json!({
        "mean_reward": mean_reward,
        "episode_rewards": episodes.iter().map(|played| played.reward).collect::<Vec<_>>(),
        "n_episodes": options.episodes,
        "seed": options.seed,
        "task": world.task().id(),
        "timing": world.timing().as_str(),
        "throughput_mean": mean(&|played| played.throughput),
        "completion_rate_mean": mean(&|played| played.completion_rate),
        "policy_sha256": player.policy.sha256(),
        "trained_task": player.policy.task(),
    });
    let mut answer = Answer::new(options.format, talk);
    if let (Some(mut file), Some(path)) = (file.take(), &options.out) {
        file.write(format!("{figures:#}\n").as_bytes())?;
        file.persist()?;
        answer.wrote(path);
    }
    answer.figures(figures);
    answer.finish::<Options>(true, &format!("Mean reward: {mean_reward:.2}\n"))
}

/// What came of an episode.
struct Played {
    /// The mean over the agents of what each was paid.
    reward: f64,
    throughput: f64,
    completion_rate: f64,
}

/// A policy in all seats of an environment.
struct Player {
    policy: LearnedPolicy,
    environment: Environment,
    observations: Vec<f32>,
    masks: Vec<i8>,
    rewards: Vec<f64>,
}

impl Player {
    fn sit_down(model: &str, world: &Arc<World>, seed: u64) -> Result<Self, CliError> {
        let mut environment = Environment::new(Arc::clone(world));
        environment.reset(seed)?;
        let (agents, layout) = (world.agents().len(), world.layout());
        let Some((view, symbols)) = environment.view() else {
            return Err(EnvironmentError::NoEpisode { why: "none was begun" }.into());
        };
        let zones = view.zones.iter().map(|zone| symbols.text(zone.id));
        let devices = view.devices.iter().map(|device| symbols.text(device.id));
        let policy = shipped::load_for(model, layout, zones, devices)?;
        Ok(Self {
            policy,
            observations: vec![0.0; agents * layout.observation_len()],
            masks: vec![0; agents * world.actions()],
            rewards: vec![0.0; agents],
            environment,
        })
    }

    /// Plays the episode of a seed.
    fn play(&mut self, seed: u64) -> Result<Played, CliError> {
        let Self { policy, environment, observations, masks, rewards } = self;
        let (agents, actions) = (rewards.len(), environment.world().actions());
        environment.reset(seed)?;
        let mut eyes = vec![Eyes::default(); agents];
        let mut reward = 0.0;
        loop {
            environment.write_observations(observations);
            environment.write_masks(masks);
            let rows = observations.chunks_exact(policy.inputs()).zip(masks.chunks_exact(actions)).zip(&mut eyes);
            let choose = |((numbers, mask), eyes): ((&[f32], &[i8]), &mut Eyes)| {
                let bits = (0..).zip(mask).fold(0_u32, |bits, (index, &one)| bits | u32::from(one == 1) << index);
                policy.choose(eyes, numbers, bits) as i64
            };
            let chosen: Vec<i64> = rows.map(choose).collect();
            let over = environment.step(&chosen, &BTreeMap::new())?;
            environment.write_rewards(rewards);
            reward += rewards.iter().sum::<f64>() / agents as f64;
            if over {
                let metrics = environment.outcome().map(|outcome| &outcome.metrics);
                let figure = |name: &str| metrics.and_then(|metrics| metrics.get(name)).and_then(Value::as_f64);
                let [throughput, completion_rate] =
                    ["throughput", "completion_rate"].map(|name| figure(name).unwrap_or(0.0));
                return Ok(Played { reward, throughput, completion_rate });
            }
        }
    }
}
