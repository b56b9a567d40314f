//! `train-ppo`: trains a policy for a whole crew. The training itself is Python's; what it leaves is played without.

use super::Timing;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use crate::{Global, plugin_files, python};
use labtrust_kernel::ClockMode;
use labtrust_learned::file;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Variable that names the policy for the child.
const POLICY_VARIABLE: &str = "LABTRUST_POLICY_DIR";

/// Train a policy by proximal policy optimisation, one for all seats but attackers'; needs the Python package
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Task to train on
    #[arg(long, value_name = "ID", default_value = "throughput_sla")]
    task: String,
    /// Steps of all environments together; an update that is begun is finished
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    timesteps: Option<u64>,
    /// Seed of all that is drawn, and of the first episode
    #[arg(long, value_name = "SEED", default_value_t = 123)]
    seed: u64,
    /// Directory for what is written
    #[arg(long, value_name = "DIR", default_value = "runs/ppo")]
    out: PathBuf,
    /// Hidden layers, `64,64`
    #[arg(long, value_name = "SIZES", value_parser = layers)]
    net_arch: Option<String>,
    /// Write a checkpoint every so many steps
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: Option<u64>,
    /// How many of the checkpoints are kept, those with the greatest mean reward; the policy is then the best of them
    #[arg(long, value_name = "N", default_value_t = 0)]
    keep_best: u64,
    /// Settings as a JSON file; options outrank it
    #[arg(long, value_name = "FILE")]
    train_config: Option<PathBuf>,
    /// How many observations the policy sees at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=64))]
    obs_history_len: Option<u64>,
    /// Learning rate of the first update; it falls to nothing
    #[arg(long, value_name = "RATE", value_parser = rate)]
    learning_rate: Option<f64>,
    /// Steps of one environment between two updates; an episode's where this is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    n_steps: Option<u64>,
    /// Who moves time; the task decides where this is not given
    #[arg(long, value_name = "MODE")]
    timing: Option<Timing>,
    /// Tell what would be started, and start nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "train-ppo",
        notes: "Starts `python3 -m labtrust.ppo train`, with the interpreter of LABTRUST_PYTHON where that is set, which has to have the Python package. The policy is played by `run-benchmark --coord-method marl_ppo --coord-param model_path=FILE` and `eval-ppo`, without Python. Where neither an option nor --train-config says otherwise, there are 50000 steps and two hidden layers of 64. [How to](../howto/train_policy.md).",
        writes: &[
            output("train_config.json", "in --out, first: the settings"),
            output("policy.bin", "the policy"),
            output("eval_metrics.json", "mean reward of 5 held-out episodes"),
            output("train.json", "settings, SHA-256 of the policy, reward of every update"),
            output("checkpoint_STEPS.bin", "with --checkpoint-every"),
            output("best_model.bin", "with --keep-best: the best checkpoint, which is the policy then"),
        ],
        json: Json::product(&[
            ("started", "the process, word by word"),
            ("mean_reward?", "of 5 held-out episodes, the mean over the agents"),
            ("policy_sha256?", "SHA-256 of `policy.bin`"),
        ]),
        fails: "an unknown task; Python or its package is not there; the training breaks off",
        examples: &[
            Example::shown("--task throughput_sla --timing simulated --timesteps 100000 --out model"),
            Example::new("--timesteps 100000 --checkpoint-every 20000 --keep-best 3 --dry-run"),
        ],
        refusals: &[
            Refusal::new("--task no_such_task", 1, "no_such_task"),
            Refusal::new("--net-arch 64,wide", 2, "64,64"),
            Refusal::new("--keep-best 2", 1, "--checkpoint-every"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

fn layers(text: &str) -> Result<String, String> {
    let size = |size: &str| size.trim().parse().is_ok_and(|size: u32| (1..=4096).contains(&size));
    let sizes: Vec<&str> = text.trim_start_matches('[').trim_end_matches(']').split(',').collect();
    match sizes.len() <= 8 && sizes.iter().all(|text| size(text)) {
        true => Ok(sizes.join(",")),
        false => Err("should be sizes of hidden layers, such as 64,64".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "should be a number".to_owned())?;
    if rate > 0.0 && rate <= 1.0 { Ok(rate) } else { Err("should be above 0, 1 at most".to_owned()) }
}

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrainError {
    #[error("--keep-best keeps checkpoints, and there are none")]
    NoCheckpoints,
    #[error("cannot start {python}: {source}")]
    NoPython { python: String, source: std::io::Error },
    #[error("{python} has no package labtrust with training in it: {said}")]
    NoPackage { python: String, said: String },
    #[error("the training broke off ({status})")]
    BrokeOff { status: std::process::ExitStatus },
    #[error("{}: {problem}", path.display())]
    Left { path: PathBuf, problem: String },
}

impl TrainError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoCheckpoints => "say with --checkpoint-every when one is written".to_owned(),
            Self::NoPython { .. } => format!("name an interpreter with {}", python::VARIABLE),
            Self::NoPackage { .. } => format!(
                "`pip install labtrust`, or from a checkout `pip install ./tools/python`; or name another interpreter with {}",
                python::VARIABLE
            ),
            Self::BrokeOff { .. } => "what it said is above".to_owned(),
            Self::Left { .. } => return None,
        })
    }
}

/// Starts an interpreter and waits.
fn start(
    command: &[String],
    global: &Global,
    arguments: &[String],
    stderr: Stdio,
) -> Result<std::process::Output, TrainError> {
    let mut child = Command::new(&command[0]);
    child.args(&command[1..]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    if let Some(dir) = &global.policy_dir {
        child.env(POLICY_VARIABLE, dir);
    }
    let failed = |source| TrainError::NoPython { python: command[0].clone(), source };
    child.spawn().and_then(std::process::Child::wait_with_output).map_err(failed)
}

fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    // Whatever can be told without Python is told before it is started.
    plugin_files::registry(global)?.task(&options.task)?;
    if options.keep_best > 0 && options.checkpoint_every.is_none() {
        return Err(TrainError::NoCheckpoints.into());
    }
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    let command = python::module("labtrust.ppo");
    let arguments = options.arguments();
    let words = || command.iter().chain(&arguments).map(String::as_str);
    let mut answer = Answer::new(options.format, talk);
    answer.figure("started", words().collect::<Vec<_>>());
    if options.dry_run {
        let line = shlex::try_join(words()).unwrap_or_else(|_| words().collect::<Vec<_>>().join(" "));
        return answer.finish::<Options>(true, &format!("{line}\n"));
    }
    let there = start(&command, global, &["--help".to_owned()], Stdio::piped())?;
    if !there.status.success() {
        let said = String::from_utf8_lossy(&there.stderr).lines().last().unwrap_or("it says nothing").to_owned();
        return Err(TrainError::NoPackage { python: command[0].clone(), said }.into());
    }
    let told = if talk.is_quiet() { Stdio::null() } else { Stdio::inherit() };
    let ended = start(&command, global, &arguments, told)?;
    if !ended.status.success() {
        return Err(TrainError::BrokeOff { status: ended.status }.into());
    }
    let policy = file::open(&options.out.join("policy.bin"))?;
    let metrics = options.out.join("eval_metrics.json");
    let mean_reward = mean_reward(&metrics)?;
    for name in ["train_config.json", "policy.bin", "eval_metrics.json", "train.json"] {
        answer.wrote(&options.out.join(name));
    }
    answer.figure("mean_reward", mean_reward);
    answer.figure("policy_sha256", policy.sha256());
    answer.finish::<Options>(true, &format!("Mean reward: {mean_reward:.2}\n"))
}

fn mean_reward(path: &Path) -> Result<f64, TrainError> {
    let left = |problem: String| TrainError::Left { path: path.to_path_buf(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| left(error.to_string()))?;
    let metrics: Value = serde_json::from_str(&text).map_err(|error| left(error.to_string()))?;
    metrics["mean_reward"].as_f64().ok_or_else(|| left("it has no mean_reward".to_owned()))
}

impl Options {
    /// For Python.
    fn arguments(&self) -> Vec<String> {
        let number = |value: Option<u64>| value.map(|value| value.to_string());
        let path = |path: &Path| path.display().to_string();
        let timing = self.timing.map(|timing| ClockMode::from(timing).as_str().to_owned());
        let given = [
            ("--task", Some(self.task.clone())),
            ("--timing", timing),
            ("--seed", Some(self.seed.to_string())),
            ("--out", Some(path(&self.out))),
            ("--timesteps", number(self.timesteps)),
            ("--net-arch", self.net_arch.clone()),
            ("--checkpoint-every", number(self.checkpoint_every)),
            ("--keep-best", Some(self.keep_best.to_string()).filter(|_| self.keep_best > 0)),
            ("--train-config", self.train_config.as_deref().map(path)),
            ("--obs-history-len", number(self.obs_history_len)),
            ("--learning-rate", self.learning_rate.map(|rate| rate.to_string())),
            ("--n-steps", number(self.n_steps)),
        ];
        let mut arguments = vec!["train".to_owned()];
        for (name, value) in given {
            arguments.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        }
        arguments
    }
}
