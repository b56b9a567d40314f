//! `bench scaling`: what an agent-step costs from two hundred agents to a million.

use super::method_options::ChosenMethod;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::plugin_files;
use crate::session::Session;
use crate::talk::Talk;
use crate::version;
use labtrust_bench::BenchError;
use labtrust_bench::files::write_whole;
use labtrust_bench::scaling::{Growth, Measured, Probe, Sizing, growth, measure, plot};
use labtrust_plugin::Task;
use labtrust_plugin::wire::Settings;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// The task whose scales are measured.
const TASK: &str = "coord_scale";

/// Measure the processor time of an agent-step at several scales, and draw how it grows
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for `scaling.json` and `scaling.svg`
    #[arg(long, value_name = "DIR", default_value = "scaling")]
    out: PathBuf,
    /// Coordination methods to measure
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        default_value = "kernel_centralized_edf,hierarchical_hub_rr,swarm_reactive"
    )]
    methods: Vec<String>,
    /// Scales to measure, the smallest first: the peak of memory is that of the process
    #[arg(long, value_name = "ID", value_delimiter = ',', default_value = "corridor_heavy,xl_10k,xl_100k")]
    scales: Vec<String>,
    /// Steps of an episode instead of the scale's own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Seed of the episodes
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    seed: u64,
    /// Least processor time of a measurement [ms]; small scales are repeated until then
    #[arg(long, value_name = "MS", default_value_t = 500)]
    least_ms: u64,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "bench scaling",
        notes: "An agent-step is one agent advanced one step, acting, walking or waiting; opening the laboratories is not \
                part of it. It is measured with the audit chain and without. All but times and memory depends on the \
                seed only. What was measured: [scaling](../explanation/scaling.md).",
        writes: &[
            output("scaling.json", "in --out: every measurement and the growth of each method"),
            output("scaling.svg", "in --out: the plot, both axes by their logarithms"),
        ],
        json: Json::product(&[
            (
                "measured",
                "for every method, scale and chain mode: agents, shares, completed, `ns_per_agent_step`, `bytes_per_agent`",
            ),
            ("growth", "for every method and chain mode the `exponent` of the cost in the number of agents"),
        ]),
        fails: "an unknown method or scale",
        examples: &[
            Example::shown("--methods kernel_centralized_edf --scales corridor_heavy,xl_10k,xl_100k,xl_1m"),
            Example::tried(
                "--methods kernel_centralized_edf --scales small_smoke,xl_smoke --steps 5 --least-ms 1 --out scaling",
            )
            .leaves(&["scaling/scaling.json", "scaling/scaling.svg"]),
        ],
        refusals: &[
            Refusal::new("--steps 0", 2, "--steps"),
            Refusal::new("--scales xl_1k", 1, "xl_10k"),
            Refusal::new("--methods nobody", 1, "nobody"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    let registry = plugin_files::registry(global)?;
    let session = Session::open(global, None)?;
    let plain = registry.task(TASK)?;
    let lab = session.load_lab(&registry, plain)?;
    let method = |id: &String| ChosenMethod::new(id, Settings::default(), &registry, &global.plugins, &session.policy);
    let methods = options.methods.iter().map(method).collect::<Result<Vec<_>, _>>()?;
    let mut scales = Vec::new();
    for id in &options.scales {
        scales.push((id, plain.bind(&session.policy, Some(id)).map_err(BenchError::from)?));
    }
    let probe = Probe { processor: &processor_time, memory: &memory };
    let mut measured: Vec<Measured> = Vec::new();
    for (scale, bound) in &scales {
        let task: &dyn Task = bound.as_deref().unwrap_or(plain);
        for method in &methods {
            // Without record first: what is in memory is the same, and the peak is told for the first.
            for recorded in [false, true] {
                let sizing = Sizing {
                    task,
                    lab: &*lab,
                    direction: method.direction(),
                    scale,
                    steps: options.steps,
                    seed: options.seed,
                    recorded,
                    least_ms: options.least_ms,
                };
                let one = measure(&sizing, probe)?;
                talk.say(&line(&one));
                measured.push(one);
            }
        }
    }
    let growth = growth(&measured);
    let mut answer = Answer::new(options.format, talk);
    let document = json!({
        "commit": version::GIT_SHA,
        "program_version": env!("CARGO_PKG_VERSION"),
        "seed": options.seed,
        "measured": measured,
        "growth": growth,
    });
    std::fs::create_dir_all(&options.out).map_err(|source| BenchError::Write { path: options.out.clone(), source })?;
    for (name, content) in [("scaling.json", format!("{document:#}\n")), ("scaling.svg", plot(&measured))] {
        let path = options.out.join(name);
        write_whole(&path, content.as_bytes())?;
        answer.wrote(&path);
    }
    answer.figures(json!({ "measured": measured, "growth": growth }));
    let lines: String = growth.iter().map(grows).collect();
    answer.finish::<Options>(true, &lines)
}

fn line(one: &Measured) -> String {
    let Measured { method, scale, agents, ns_per_agent_step, .. } = one;
    let chain = if one.chain { "on" } else { "off" };
    let busy = 100.0 * (one.acting_share + one.walking_share);
    let bytes = one.bytes_per_agent.map_or_else(String::new, |bytes| format!(", {bytes:.0} bytes an agent"));
    format!(
        "{method} {scale}: {agents} agents, chain {chain}: {ns_per_agent_step:.0} ns an agent-step, {busy:.1} % busy, {:.1} \
         completed a laboratory{bytes}",
        one.completed_per_site
    )
}

fn grows(growth: &Growth) -> String {
    let chain = if growth.chain { "on" } else { "off" };
    let exponent = growth.exponent.map_or_else(|| "unknown from one size".to_owned(), |n| format!("{n:.3}"));
    format!("{}, chain {chain}: growth exponent {exponent}\n", growth.method)
}

/// Processor time of this process, of all its threads.
#[cfg(unix)]
fn processor_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Where the system does not tell, the time on the wall.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGUN.elapsed()
}

/// Memory that the process has, and the most it had [bytes], where the system tells it as Linux does.
fn memory() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    };
    Some((of("VmRSS:")?, of("VmHWM:")?))
}
