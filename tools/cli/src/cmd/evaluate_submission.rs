//! `evaluate-submission`: the protocol's checks, and whether what was handed in is possible.

use crate::Global;
use crate::answer::{Format, FormatOption, document};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_protocol::evaluate::{Report, Submission, Yardstick, evaluate};
use labtrust_protocol::physical::PhysicalCheck;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Check a submission: the protocol's checks, and a replay of its event log on the benchmark's network
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder of the benchmark; the one in this program when it is not given
    #[arg(long, value_name = "DIR")]
    benchmark_dir: Option<PathBuf>,
    /// Folder of the submission
    #[arg(long, value_name = "DIR")]
    submission_dir: PathBuf,
    /// Where its outputs are; in its folder when it is not given
    #[arg(long, value_name = "DIR")]
    outputs_dir: Option<PathBuf>,
    /// Its run metrics; run_metrics.json in its folder when it is not given
    #[arg(long, value_name = "FILE")]
    run_metrics: Option<PathBuf>,
    /// Its token usage; token_usage.json in its folder when it is not given
    #[arg(long, value_name = "FILE")]
    token_usage: Option<PathBuf>,
    /// Report file; the report goes to stdout when it is not given
    #[arg(long, value_name = "FILE")]
    report_out: Option<PathBuf>,
    /// Exit 1 also when a physical check does not hold or could not be made
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "evaluate-submission",
        notes: "The automated checks are those of the protocol, by name, order and number. The physical checks stand beside them \
                and are counted apart: they replay `event_log.csv` and recompute what can be recomputed, each finding with file, \
                row and rule; what cannot be checked says why and is never a pass.",
        writes: &[output("--report-out", "evaluation report, also when checks do not hold")],
        done: "every automated check holds, and with `--strict` every physical check too",
        fails: "a check does not hold",
        json: Json::data(&[
            ("ok", "whether the exit code is 0"),
            ("written", "the report, when it is a file"),
            ("report", "the whole report"),
        ]),
        examples: &[
            Example::new("--submission-dir submissions/2026-01-31__001_synthetic_mine_throughput__shell__by-hand --report-out report.json")
                .needs(&["submissions"])
                .leaves(&["report.json"]),
        ],
        refusals: &[
            Refusal::new("--submission-dir nowhere --report-out r.json", 1, "nowhere"),
            Refusal::new("--submission-dir submissions --benchmark-dir nowhere --report-out r.json", 1, "nowhere")
                .needs(&["submissions"]),
            Refusal::new("--submission-dir submissions", 1, "automated checks do not hold").needs(&["submissions"]),
            Refusal::new(
                "--strict --submission-dir submissions/2026-01-31__001_synthetic_mine_throughput__shell__by-hand",
                1,
                "too_few_replications",
            )
            .needs(&["submissions"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let yardstick = match &options.benchmark_dir {
        Some(dir) => Yardstick::open(dir)?,
        None => Yardstick::built_in()?,
    };
    let dir = &options.submission_dir;
    let submission = Submission {
        submission_dir: dir.clone(),
        outputs_dir: options.outputs_dir.clone().unwrap_or_else(|| dir.clone()),
        run_metrics: options.run_metrics.clone().unwrap_or_else(|| dir.join("run_metrics.json")),
        token_usage: options.token_usage.clone().unwrap_or_else(|| dir.join("token_usage.json")),
    };
    let report = evaluate(&yardstick, &submission)?;
    let bytes = report.bytes();
    if let Some(path) = &options.report_out {
        labtrust_bench::files::write_whole(path, &bytes)?;
        talk.wrote(path);
    }
    let held = report.passed() && (!options.strict || report.physical_checks.all_passed());
    match (options.format.format, &options.report_out) {
        (Format::Text, None) => talk::print(&String::from_utf8_lossy(&bytes))?,
        (Format::Text, Some(_)) => {}
        (Format::Json, out) => {
            let written: Vec<_> = out.iter().map(|path| path.display().to_string()).collect();
            talk::print(&document::<Options>(json!({ "ok": held, "written": written, "report": report })))?;
        }
    }
    talk.say(&told(&report));
    if !report.passed() {
        let checks = &report.automated_checks;
        return Err(CliError::ChecksFailed {
            what: "automated",
            failed: checks.total - checks.passed,
            total: checks.total,
        });
    }
    if !held {
        let checks = &report.physical_checks;
        return Err(CliError::ChecksFailed {
            what: "physical",
            failed: checks.total - checks.passed,
            total: checks.total,
        });
    }
    Ok(())
}

/// What a person wants to know: what does not hold, and where.
fn told(report: &Report) -> String {
    let mut text = String::new();
    let automated = &report.automated_checks;
    for check in automated.checks.iter().filter(|check| !check.passed) {
        let _ = writeln!(text, "FAILS {}: {}", check.name, plain(&check.description));
    }
    let physical = &report.physical_checks;
    for check in physical.checks.iter().filter(|check| check.passed != Some(true)) {
        physically(&mut text, check);
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {}", plain(note));
    }
    let _ = writeln!(text, "Automated checks: {} of {} hold", automated.passed, automated.total);
    let failed = physical.total - physical.passed - physical.not_checkable;
    let _ = write!(
        text,
        "Physical checks: {} of {} hold, {failed} fail, {} could not be made",
        physical.passed, physical.total, physical.not_checkable
    );
    text
}

fn physically(text: &mut String, check: &PhysicalCheck) {
    if let Some(why) = &check.not_checkable {
        let _ = writeln!(text, "NOT CHECKABLE {}: {}", check.name, plain(why));
        return;
    }
    let plural = if check.findings_total == 1 { "" } else { "s" };
    let _ = writeln!(
        text,
        "PHYSICALLY IMPOSSIBLE OR INCONSISTENT {}: {} finding{}",
        check.name, check.findings_total, plural
    );
    for finding in check.findings.iter().take(5) {
        let row = finding.row.map_or_else(String::new, |row| format!(":{row}"));
        let _ = writeln!(text, "  {}{row} {}: {}", finding.file, finding.rule, plain(&finding.detail));
    }
}

/// Texts of a submission do not move the cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
