//! `run-study`: one task under every combination of a few controls, on the same seeds.

use super::Timing;
use super::common_options::ThreadsOption;
use super::study::is_smoke;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{Session, partner};
use crate::talk::Talk;
use crate::{Global, plugin_files, version};
use labtrust_bench::files::write_whole;
use labtrust_policy::CONDITIONS_STUDY;
use labtrust_study::ablation::run::{MANIFEST, PAIRED};
use labtrust_study::ablation::{AblationSpec, Request, run};
use serde_json::json;
use std::path::PathBuf;

/// What the study says of the machine; the one file that differs between equal studies.
const PROVENANCE: &str = "provenance.json";

/// Run a task with and without controls, and tell what each of them changes
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Spec of the study; unless given that of the laboratory profile or of the partner
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Directory for the study
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names, or the spec)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Who moves time, whatever the spec says
    #[arg(long, value_name = "MODE")]
    timing: Option<Timing>,
    #[command(flatten)]
    threads: ThreadsOption,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-study",
        notes: "Axes and their values, and the columns of the table of differences: [studies](studies.md#ablation-studies). `LABTRUST_REPRO_SMOKE=1` runs one episode a condition.",
        writes: &[
            output("--out/manifest.json", "what the study is, with the digest of every results file"),
            output("--out/conditions.jsonl", "a line for every condition"),
            output("--out/results/", "for every condition results.json"),
            output("--out/logs/", "for every condition log.jsonl and episodes.jsonl"),
            output("--out/paired_differences.csv", "what each condition changes, episode by episode, with intervals"),
            output("--out/README.md", "the same for people, in short"),
            output(
                "--out/provenance.json",
                "program, machine and paths; the one file that differs between equal studies",
            ),
        ],
        json: Json::product(&[
            ("task", "its id"),
            ("conditions", "[count]"),
            ("episodes", "episodes of a condition [count]"),
        ]),
        done: "the study is written",
        fails: "an axis or a value that there is not: those that there are are listed; an unknown task",
        examples: &[Example::new("--spec ablations.yaml --out ablated").needs(&["ablations.yaml"]).leaves(&[
            "ablated/manifest.json",
            "ablated/paired_differences.csv",
            "ablated/README.md",
        ])],
        refusals: &[
            Refusal::new("--spec nowhere.yaml --out a", 1, "nowhere.yaml"),
            Refusal::new("--out a", 1, "--spec"),
            Refusal::new("--spec ablations_typo.yaml --out a", 1, "trust_skeleton").needs(&["ablations_typo.yaml"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let (spec, session, place) = self.open(global)?;
        let registry = plugin_files::registry(global)?;
        let task = registry.task(&spec.task)?;
        let domain = registry.lab_domain(session.lab_domain().unwrap_or_else(|| task.domain()))?;
        let bar = talk.progress(spec.episodes * spec.conditions.len() as u64, "episodes");
        let request = Request {
            spec: &spec,
            registry: &registry,
            policy: &session.policy,
            domain,
            threads: self.threads.threads,
            git_sha: version::GIT_SHA.map(str::to_owned),
            out: &self.out,
            progress: &|| bar.inc(1),
        };
        let ran = run(&request);
        bar.finish_and_clear();
        let ran = ran?;
        let provenance = json!({
            "program": version::line(),
            "os": std::env::consts::OS,
            "arch": std::env::consts::ARCH,
            "policy": session.policy.source().to_string(),
            "spec_path": place,
            "out_dir": self.out.display().to_string(),
            "threads": self.threads.threads,
        });
        let mut answer = Answer::new(self.format, talk);
        write_whole(&self.out.join(PROVENANCE), format!("{provenance:#}\n").as_bytes())?;
        for name in [MANIFEST, PAIRED, "README.md", PROVENANCE] {
            answer.wrote(&self.out.join(name));
        }
        talk.say(&format!("Next: labtrust make-plots --run {}", self.out.display()));
        answer.figure("task", spec.task.as_str());
        answer.figure("conditions", ran.len());
        answer.figure("episodes", spec.episodes);
        answer.finish::<Self>(true, "")
    }
}

impl Options {
    /// The spec, the policy that it is run under, and where the spec was found.
    fn open(&self, global: &Global) -> Result<(AblationSpec, Session, String), CliError> {
        let most_episodes = is_smoke().then_some(1);
        let named = partner(self.partner.as_deref());
        let (mut spec, session, place) = match &self.spec {
            Some(path) => {
                let spec = AblationSpec::load(path, most_episodes)?;
                let session = Session::open(global, named.or_else(|| spec.partner_id.clone()).as_deref())?;
                (spec, session, path.display().to_string())
            }
            None => {
                let session = Session::open(global, named.as_deref())?;
                let (store, name) = session.own(CONDITIONS_STUDY, |profile| profile.study_spec_path.as_deref());
                if !store.contains(&name) {
                    return Err(CliError::NoStudySpec { path: name });
                }
                (AblationSpec::read(&store, &name, most_episodes)?, session, format!("policy/{name}"))
            }
        };
        if let Some(timing) = self.timing {
            spec.timing = timing.into();
        }
        Ok((spec, session, place))
    }
}
