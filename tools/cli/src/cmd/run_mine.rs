//! `run-mine`: a mine haulage study, from scenarios to tables, pictures and answers.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::plugin_files;
use crate::talk::Talk;
use labtrust_mine_haulage::{LaneModel, MineData};
use labtrust_mine_study::{Animation, Lanes, ScenarioLine, StudyDone, StudySpec, Sweep, SweepError, run_study};
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Run a mine haulage study: replications of scenarios, compared, with every table and picture
#[derive(Debug, clap::Args)]
#[group(id = "which", required = true, args = ["scenario", "all"])]
pub(crate) struct Options {
    /// Scenarios to run; the first is what others are compared with, unless one is called baseline
    #[arg(long, value_name = "ID", num_args = 1..)]
    scenario: Vec<String>,
    /// Run every scenario of the data
    #[arg(long, conflicts_with = "scenario")]
    all: bool,
    /// Replications of each scenario; what it says itself where this is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    replications: Option<u32>,
    /// Seed of the first replication, the others count up from it; what the scenario says where this is not given
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Directory of the mine's tables and scenarios; the built-in mine where this is not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Whether the two directions of a narrow road have lanes of their own: what the scenario says and the other beside it, or one only
    #[arg(long, value_name = "MODEL", default_value = "both")]
    lane_model: LaneChoice,
    /// Dispatch policy (`labtrust plugins list`); what the scenario says where this is not given
    #[arg(long, value_name = "ID")]
    dispatch: Option<String>,
    /// Minutes before the shift that are simulated and not counted; what the scenario says where this is not given
    #[arg(long, value_name = "M")]
    warmup_minutes: Option<f64>,
    /// Vary a setting of the first scenario, both ends included: fleet.truck_count=4..16, or KEY=A..B:STEP
    #[arg(long, value_name = "KEY=A..B", value_parser = sweep)]
    sweep: Option<Sweep>,
    /// Do not write event_log.csv
    #[arg(long)]
    no_event_log: bool,
    /// Scenario that animation.html shows; the first where this is not given
    #[arg(long, value_name = "ID")]
    animate: Option<String>,
    /// Replication that animation.html shows, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    animate_replication: u32,
    /// Directory to write, whole or not at all; it must not be there, or be empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace a former study
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    format: FormatOption,
}

/// Lane models as an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum LaneChoice {
    /// Each direction has a lane of its own, as the data lists it.
    PerDirection,
    /// Both directions share one lane.
    SharedPhysicalRoad,
    /// What the scenario says, and the other in lane_models.csv.
    Both,
}

impl LaneChoice {
    const fn lanes(self) -> Lanes {
        match self {
            Self::PerDirection => Lanes::Only(LaneModel::PerDirection),
            Self::SharedPhysicalRoad => Lanes::Only(LaneModel::SharedPhysicalRoad),
            Self::Both => Lanes::Both,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::PerDirection => "per_direction",
            Self::SharedPhysicalRoad => "shared_physical_road",
            Self::Both => "both",
        }
    }
}

fn sweep(text: &str) -> Result<Sweep, SweepError> {
    text.parse()
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-mine",
        notes: "A study of ore haulage by truck ([tutorial](../tutorial/mine_study.md)); columns and keys are in \
                [files of a mine study](mine_outputs.md). RAYON_NUM_THREADS sets the threads; the bytes do not depend on it.",
        writes: &[
            output("--out/results.csv", "a row for every replication of every scenario"),
            output("--out/summary.json", "means, 95 % intervals, bottlenecks, assumptions, limitations, proposals"),
            output("--out/event_log.csv", "everything that happened; not with --no-event-log"),
            output("--out/paired_differences.csv", "every scenario against the baseline, seed by seed"),
            output("--out/lane_models.csv", "with --lane-model both: every replication under both lane models"),
            output("--out/sweep.csv", "with --sweep: a row for every value, and saturation.svg, saturation.png"),
            output("--out/topology.svg", "the road network, and the same as topology.png"),
            output("--out/animation.html", "one replication as a moving map"),
            output("--out/conceptual_model.md", "what is modelled, and how"),
            output("--out/README.md", "how it was made, the results, and answers to the six decisions"),
        ],
        done: "the whole directory is there",
        fails: "a scenario cannot be simulated; --out holds something, or with --force something else than a study",
        again: "",
        usage: "a sweep that is none, a scenario named twice",
        json: Json::product(&[
            ("scenarios", "for each: id, replications, total_tonnes_mean, its interval, top_bottleneck"),
            (
                "saturation",
                "of --sweep, the first value that gains nothing that chance could not explain; otherwise null",
            ),
        ]),
        examples: &[
            Example::shown("--all --out study"),
            Example::new("--scenario baseline trucks_4 --replications 3 --out small_study").leaves(&[
                "small_study/summary.json",
                "small_study/event_log.csv",
                "small_study/topology.png",
            ]),
            Example::shown("--scenario baseline --sweep fleet.truck_count=4..16 --out sweep"),
        ],
        refusals: &[
            Refusal::new("--scenario baselin --out other_study", 1, "baseline"),
            Refusal::new("--scenario baseline --sweep fleet.truck_count=9..4 --out other_study", 2, "9"),
        ],
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    let registry = plugin_files::registry(global)?;
    let data = match &options.data {
        Some(directory) => MineData::load_dir(directory).map_err(labtrust_mine_study::StudyError::from)?,
        None => MineData::built_in(),
    };
    let scenarios = if options.all {
        data.scenario_ids().into_iter().map(str::to_owned).collect()
    } else {
        options.scenario.clone()
    };
    let spec = StudySpec {
        scenarios,
        replications: options.replications,
        base_seed: options.seed,
        lanes: options.lane_model.lanes(),
        dispatch: options.dispatch.clone(),
        warmup_minutes: options.warmup_minutes,
        sweep: options.sweep.clone(),
        event_log: !options.no_event_log,
        animation: Animation { scenario: options.animate.clone(), replication: options.animate_replication },
        threads: None,
        command: command(options),
    };
    let done = run_study(&spec, &data, &registry, &options.out, options.force)?;
    let mut answer = Answer::new(options.format, talk);
    for file in &done.files {
        answer.wrote(file);
    }
    let lines: Vec<_> = done.scenarios.iter().map(record).collect();
    answer.figure("scenarios", lines);
    answer.figure("saturation", done.saturation.clone());
    answer.finish::<Options>(true, &text(&done))
}

/// The call that makes the same study, with stand-ins for what is the caller's own.
fn command(options: &Options) -> String {
    let mut text = "labtrust run-mine".to_owned();
    if options.all {
        text.push_str(" --all");
    } else {
        let _ = write!(text, " --scenario {}", options.scenario.join(" "));
    }
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(text, " --{name} {value}");
        }
    };
    option("replications", options.replications.map(|value| value.to_string()));
    option("seed", options.seed.map(|value| value.to_string()));
    option("data", options.data.as_ref().map(|_| "DATA".to_owned()));
    option(
        "lane-model",
        Some(options.lane_model).filter(|it| *it != LaneChoice::Both).map(|it| it.as_str().to_owned()),
    );
    option("dispatch", options.dispatch.clone());
    option("warmup-minutes", options.warmup_minutes.map(|value| value.to_string()));
    option("sweep", options.sweep.as_ref().map(ToString::to_string));
    option("animate", options.animate.clone());
    option("animate-replication", Some(options.animate_replication).filter(|it| *it > 0).map(|it| it.to_string()));
    if options.no_event_log {
        text.push_str(" --no-event-log");
    }
    text + " --out DIR"
}

fn record(line: &ScenarioLine) -> serde_json::Value {
    json!({
        "id": line.id,
        "replications": line.replications,
        "total_tonnes_mean": line.tonnes_mean,
        "total_tonnes_ci95_low": line.tonnes_interval.map(|(low, _)| low),
        "total_tonnes_ci95_high": line.tonnes_interval.map(|(_, high)| high),
        "top_bottleneck": line.bottleneck,
    })
}

/// Throughput of each scenario as a table.
fn text(done: &StudyDone) -> String {
    let width = done.scenarios.iter().map(|line| line.id.len()).max().unwrap_or(0).max("scenario".len());
    let mut text = format!("{:<width$}  tonnes a shift  95 % interval        tightest\n", "scenario");
    for line in &done.scenarios {
        let interval =
            line.tonnes_interval.map_or_else(|| "-".to_owned(), |(low, high)| format!("{low:.1} to {high:.1}"));
        let tightest = line.bottleneck.as_deref().unwrap_or("-");
        let _ = writeln!(text, "{:<width$}  {:>14.1}  {interval:<19}  {tightest}", line.id, line.tonnes_mean);
    }
    if let Some(value) = &done.saturation {
        let _ = writeln!(text, "saturated at {value}");
    }
    text
}
