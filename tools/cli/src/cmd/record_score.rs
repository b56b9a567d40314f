//! `record-score`: what a reviewer gave, into the database of scores.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_protocol::ProtocolError;
use labtrust_protocol::date::Date;
use labtrust_protocol::scores::{RUBRIC, Score, ScoreBook, read_json, scores_csv};
use serde_json::Value;
use std::path::PathBuf;
use std::time::SystemTime;

/// Record a reviewer's points for a submission, or list and export what was recorded
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Database of scores; made with the first score
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// Scores from a JSON file: an object or a list of them; all are recorded or none
    #[arg(long, value_name = "FILE", conflicts_with_all = ["submission", "list", "export"])]
    json: Option<PathBuf>,
    /// Folder name of the submission
    #[arg(long, value_name = "NAME", required_unless_present_any = ["json", "list", "export"], requires_all = [
        "reviewer", "conceptual_modelling", "data_topology", "simulation_correctness", "experimental_design",
        "results_interpretation", "code_quality", "traceability",
    ])]
    submission: Option<String>,
    /// Who judged
    #[arg(long, value_name = "NAME")]
    reviewer: Option<String>,
    /// Day of the judgement; today (UTC) when it is not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    /// Points of 20
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    conceptual_modelling: Option<f64>,
    /// Points of 15
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    data_topology: Option<f64>,
    /// Points of 20
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    simulation_correctness: Option<f64>,
    /// Points of 15
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    experimental_design: Option<f64>,
    /// Points of 15
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    results_interpretation: Option<f64>,
    /// Points of 10
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    code_quality: Option<f64>,
    /// Points of 5
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    traceability: Option<f64>,
    /// What the reviewer has to say
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    notes: String,
    /// Print every score
    #[arg(long, conflicts_with_all = ["submission", "export"])]
    list: bool,
    /// Write every score to a file: CSV, or JSON where the name ends with .json
    #[arg(long, value_name = "FILE", conflicts_with = "submission")]
    export: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "record-score",
        notes: "Seven categories, 100 points. A reviewer has one score a submission and day; the database is SQLite.",
        writes: &[output("--db", "the database of scores"), output("--export", "every score, as CSV or JSON")],
        fails: "points out of range; that reviewer has a score of that day for that submission",
        json: Json::product(&[
            ("recorded", "scores that were recorded [count]"),
            ("scores", "those that were recorded; with `--list` and `--export` every score"),
        ]),
        examples: &[
            Example::shown(
                "--db scores.sqlite --submission 2026-01-31__001_synthetic_mine_throughput__shell__by-hand --reviewer ada --conceptual-modelling 18 --data-topology 14 --simulation-correctness 19 --experimental-design 13 --results-interpretation 12.5 --code-quality 8 --traceability 5",
            ),
            Example::new("--db scores.sqlite --json scores.json").needs(&["scores.json"]).leaves(&["scores.sqlite"]),
            Example::new("--db scores.sqlite --list").needs(&["scores.sqlite"]),
            Example::tried("--db scores.sqlite --export scores.csv").needs(&["scores.sqlite"]).leaves(&["scores.csv"]),
        ],
        refusals: &[
            Refusal::new(
                "--db new.sqlite --submission s --reviewer r --conceptual-modelling 20.5 --data-topology 1 --simulation-correctness 1 --experimental-design 1 --results-interpretation 1 --code-quality 1 --traceability 1",
                1,
                "conceptual_modelling",
            ),
            Refusal::new("--db scores.sqlite --json scores.json", 1, "already").needs(&["scores.sqlite"]),
            Refusal::new("--db scores.json --list", 1, "is no score database").needs(&["scores.json"]),
            Refusal::new("--db nothing.sqlite --list", 1, "no such file"),
            Refusal::new("--db new.sqlite --submission s", 2, "--reviewer"),
            Refusal::new("--db new.sqlite", 2, "--submission"),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let mut answer = Answer::new(options.format, talk);
    if options.list || options.export.is_some() {
        let scores = ScoreBook::open(&options.db)?.scores()?;
        let json: Vec<Value> = scores.iter().map(Score::json).collect();
        if let Some(path) = &options.export {
            let as_json = path.extension().is_some_and(|ending| ending == "json");
            let text = if as_json { format!("{:#}\n", Value::Array(json.clone())) } else { scores_csv(&scores) };
            labtrust_bench::files::write_whole(path, text.as_bytes())?;
            answer.wrote(path);
        }
        answer.figure("recorded", 0);
        answer.figure("scores", json);
        return answer.finish::<Options>(true, &if options.list { scores_csv(&scores) } else { String::new() });
    }
    let today = Date::of(SystemTime::now());
    // Before the database is opened: a score that is wrong leaves no empty database behind.
    let scores = match &options.json {
        Some(path) => read_json(path, today)?,
        None => vec![single(options, today)?],
    };
    ScoreBook::open_or_create(&options.db)?.record(&scores)?;
    answer.wrote(&options.db);
    for score in &scores {
        talk.say(&format!("{}: {} points by {} on {}", score.submission, score.total(), score.reviewer, score.date));
    }
    answer.figure("recorded", scores.len());
    answer.figure("scores", scores.iter().map(Score::json).collect::<Vec<_>>());
    answer.finish::<Options>(true, "")
}

fn single(options: &Options, today: Date) -> Result<Score, ProtocolError> {
    let given = [
        options.conceptual_modelling,
        options.data_topology,
        options.simulation_correctness,
        options.experimental_design,
        options.results_interpretation,
        options.code_quality,
        options.traceability,
    ];
    debug_assert_eq!(given.len(), RUBRIC.len());
    // clap asks for every category; one that is not there would be out of range.
    let points = given.map(|points| points.unwrap_or(f64::NAN));
    let (submission, reviewer) = (options.submission.as_deref(), options.reviewer.as_deref());
    let date = options.date.unwrap_or(today);
    Score::new(submission.unwrap_or_default(), reviewer.unwrap_or_default(), date, points, &options.notes)
}
