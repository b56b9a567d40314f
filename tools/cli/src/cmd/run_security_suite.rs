//! `run-security-suite`: the attacks of the security suite, each with its control and without, and the securitization packet.

use super::common_options::ThreadsOption;
use super::deps_inventory;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{Session, partner};
use crate::talk::Talk;
use crate::{Global, version};
use labtrust_assurance::suite::matrix::Matrices;
use labtrust_assurance::suite::model::Suite;
use labtrust_assurance::suite::report::{self, About};
use labtrust_assurance::suite::scene::Bench;
use labtrust_assurance::suite::{PackRef, SuiteReport, SuiteRun, baseline, packet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Make the attacks of the security suite, each with its control and without, and write the securitization packet
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for SECURITY/
    #[arg(long, value_name = "DIR", default_value = "runs/security_suite")]
    out: PathBuf,
    /// Only the attacks of the short suite; so it is without --full
    #[arg(long)]
    smoke: bool,
    /// All attacks
    #[arg(long, conflicts_with = "smoke")]
    full: bool,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Seed of episodes
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Time limit of an attack [s]; no attack starts a program, so none needs one, and it is only put on record
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
    /// Recorded payloads of an attacker are always tried; with --llm-backend a language model would write new ones
    #[arg(long)]
    llm_attacker: bool,
    /// Allow a language model to be asked over the network
    #[arg(long)]
    allow_network: bool,
    /// Language model that writes payloads
    #[arg(long, value_name = "BACKEND", value_parser = ["openai_live", "prime_intellect_live", "ollama_live", "anthropic_live"])]
    llm_backend: Option<String>,
    /// Name of the model
    #[arg(long, value_name = "NAME", requires = "llm_backend")]
    llm_model: Option<String>,
    /// Longest payload that is taken from a model [characters]
    #[arg(long, value_name = "N", default_value_t = 2000)]
    llm_attacker_max_chars: u32,
    /// Rounds of a model's attempt, where the attack does not say
    #[arg(long, value_name = "N", requires = "llm_backend")]
    llm_attacker_rounds: Option<u32>,
    /// Leave out the attacks on the whole system; they are then neither passed nor failed
    #[arg(long)]
    skip_system_level: bool,
    /// Who drives agents; every attack goes the way of an agent at work
    #[arg(long, value_name = "MODE", value_parser = ["single", "multi_agentic"])]
    agent_driven_mode: Option<String>,
    /// Go the whole way from observation to engine; every attack does
    #[arg(long)]
    use_full_driver_loop: bool,
    /// Play in a made-up environment; there is none
    #[arg(long)]
    use_mock_env: bool,
    /// Only this attack, as often as needed
    #[arg(long, value_name = "ATTACK", conflicts_with_all = ["smoke", "full"])]
    only: Vec<String>,
    /// Do without a control of the suite, as often as needed, to see that its attacks then fail
    #[arg(long, value_name = "CONTROL")]
    without: Vec<String>,
    /// Try again the payloads of an earlier run's llm_attacker_baseline.json that were blocked there
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadsOption,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-security-suite",
        notes: "What is tried, and what came of it: [security suite](security_suite.md).",
        writes: &[
            output("--out/SECURITY/attack_results.json", "a row for every attack, the same bytes every time"),
            output("--out/SECURITY/attack_results.json.sha256", "its digest"),
            output("--out/SECURITY/suite_fingerprint.json", "the digest of the suite"),
            output("--out/SECURITY/llm_attacker_baseline.json", "with recorded payloads: what each came to"),
            output(
                "--out/SECURITY/coverage.json",
                "which attacks stand for which risk; `coverage.md` is the same for people",
            ),
            output("--out/SECURITY/reason_codes.md", "reason codes that are about security"),
            output(
                "--out/SECURITY/deps_inventory.json",
                "digests of the policy; `deps_inventory_runtime.json`: of the program",
            ),
            output("--out/SECURITY/timings.json", "how long each attack took [ms]"),
        ],
        done: "every attack that was not left out on demand passed",
        fails: "an attack did not pass, a text that has to stay harmless did not, a baseline does not hold or cannot be read, the policy has no suite",
        json: Json::product(&[
            ("total", "attacks [count]"),
            ("passed", "[count]"),
            ("failed", "[count]"),
            ("skipped", "left out on demand, neither passed nor failed [count]"),
        ]),
        examples: &[
            Example::shown("--full --skip-system-level --out runs/security_suite"),
            Example::new("--only SEC-TOOL-001 --out suite").leaves(&["suite/SECURITY/attack_results.json"]),
        ],
        refusals: &[
            Refusal::new("--only SEC-TOOL-001 --partner nobody --out suite", 1, "hsl_like"),
            Refusal::new("--only SEC-NOTHING-001 --out suite", 1, "SEC-NOTHING-001"),
            Refusal::new("--only SEC-TOOL-001 --without CTRL-NOTHING --out suite", 1, "CTRL-NOTHING"),
            Refusal::new("--only SEC-TOOL-001 --baseline nowhere.json --out suite", 1, "nowhere.json"),
            Refusal::new("--llm-attacker --allow-network --llm-backend openai_live", 1, "--llm-backend"),
            Refusal::new("--use-mock-env", 1, "--use-mock-env"),
            Refusal::new("--llm-attacker-rounds 2", 2, "--llm-backend"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

impl Options {
    /// What is asked for and not there.
    fn refuse(&self) -> Result<(), CliError> {
        let missing = |flag, reason| Err(CliError::NotAvailable { flag, reason });
        if self.llm_backend.is_some() {
            return missing(
                "--llm-backend",
                "there are no language models yet; recorded payloads are tried without it",
            );
        }
        if self.agent_driven_mode.as_deref() == Some("multi_agentic") {
            return missing(
                "--agent-driven-mode multi_agentic",
                "there are no language models yet that agents could drive themselves with",
            );
        }
        if self.use_mock_env {
            return missing("--use-mock-env", "attacks are made in a laboratory at work, and in no other place");
        }
        if self.out.as_os_str().is_empty() {
            return Err(CliError::Empty { option: "--out" });
        }
        Ok(())
    }
}

fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    options.refuse()?;
    let session = Session::open(global, partner(options.partner.as_deref()).as_deref())?;
    let registry = labtrust_builtin::registry()?;
    let suite = Suite::load(&session.policy)?;
    let lab = registry.lab_domain("hospital_lab")?.load(&session.policy)?;
    let threads =
        options.threads.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let (seed, policy) = (options.seed, &session.policy);
    let matrices = Matrices { registry: &registry, policy, lab: Arc::clone(&lab), seed, threads };
    let bench = Bench::new(lab, policy)?;
    let pack = |wanted: &PackRef| matrices.run(wanted);
    let run = SuiteRun {
        suite: &suite,
        bench: &bench,
        registry: &registry,
        seed: options.seed,
        smoke_only: !options.full,
        only: options.only.clone(),
        skip_system_level: options.skip_system_level,
        taken: options.without.iter().cloned().collect(),
        threads,
        pack: Some(&pack),
    };
    let report = run.run()?;
    let baseline =
        options.baseline.as_deref().map(|path| baseline::check(path, &suite, &bench, &run.taken)).transpose()?;
    let about = About {
        timeout_s: options.timeout,
        git_sha: version::GIT_SHA.map(str::to_owned),
        partner: session.policy.partner().map(str::to_owned),
    };
    let mut answer = Answer::new(options.format, talk);
    let written = report::write(&options.out, &session.policy, &suite, &report, &about)?;
    let packet = packet::write(&options.out, &session.policy, &suite, &deps_inventory::inventory())?;
    for path in written.iter().chain(&packet) {
        answer.wrote(path);
    }
    let (counted, passed) = (report.counted(), report.passed());
    answer.figure("total", report.rows.len());
    answer.figure("passed", passed);
    answer.figure("failed", counted - passed);
    answer.figure("skipped", report.rows.len() - counted);
    let broken = baseline.map(|came| came.failures).unwrap_or_default();
    let good = report.is_good() && broken.is_empty();
    answer.finish::<Options>(good, &text(&report, &broken))?;
    if good {
        return Ok(());
    }
    let texts = report::regression_failures(&report).len();
    let failed = counted - passed + texts + broken.len();
    let total = counted + report.regression.len() + broken.len();
    Err(CliError::ChecksFailed { what: "security", failed, total })
}

fn text(report: &SuiteReport, broken: &[String]) -> String {
    let mut text = String::new();
    for row in report.rows.iter().filter(|row| !row.passed) {
        let how = if row.skipped { "SKIPPED" } else { "FAILED" };
        let _ = writeln!(text, "{how} {}: {}", row.attack.attack_id, row.error.as_deref().unwrap_or_default());
    }
    for failure in report::regression_failures(report) {
        let _ = writeln!(text, "FAILED {failure} is not harmless any more");
    }
    for place in broken {
        let _ = writeln!(text, "FAILED baseline, {place}: it was blocked, and comes through now");
    }
    let _ = writeln!(text, "{} of {} attacks passed", report.passed(), report.counted());
    text
}
