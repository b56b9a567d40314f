//! A release: two studies repeated, with receipts, FHIR bundles, plots, tables and a manifest over every file.
//!
//! Nothing stands in for something that was not made. What depends on the machine is not in it: the same seed gives the
//! same bytes.

use crate::reproduce::{self, Profile, STUDIES};
use crate::sealed::{self, MADE_OF, METADATA, copy, names, read, remove};
use crate::steps::{Step, Steps, require};
use crate::{Ground, PackError, evidence};
use labtrust_bench::Building;
use labtrust_bench::files::write_whole;
use labtrust_bench::summary::{UncertaintyMapping, summarise_results};
use labtrust_evidence::export::BUNDLE;
use labtrust_evidence::fhir;
use labtrust_evidence::release::{FILES, pretty};
use serde_json::{Value, json};
use std::path::Path;

/// A release to make.
pub struct Request<'a> {
    /// What it is made with.
    pub ground: &'a Ground<'a>,
    /// How much is repeated.
    pub profile: Profile,
    /// Everything is drawn from it.
    pub seed_base: u64,
    /// One episode of each condition.
    pub smoke: bool,
    /// Keep [`MADE_OF`].
    pub keep: bool,
    /// Where it goes.
    pub out: &'a Path,
    /// Is told of every step when it has ended.
    pub told: &'a (dyn Fn(&Step) + Sync),
}

/// Makes a release and verifies it.
///
/// # Errors
/// [`PackError::Occupied`] where `out` is something else than a release; [`PackError::StepsFailed`] naming what failed: there is
/// then no release, and one that was there is what it was.
pub fn release(request: &Request<'_>) -> Result<Vec<Step>, PackError> {
    crate::pack::vacant(request.out, FILES, "a release")?;
    let building = Building::new(request.out)?;
    let out = building.path();
    let made_of = out.join(MADE_OF);
    let Request { ground, profile, seed_base, smoke, told, .. } = *request;
    let studies = reproduce::Request { ground, profile, seed_base, smoke, out: &made_of, told };
    let mut all = reproduce::reproduce(&studies)?;
    require(&all)?;
    let mut steps = Steps::new(told);
    steps.run("receipts", &[], || {
        each(&made_of, |label, study, condition| {
            let log = study.join("logs").join(condition).join("log.jsonl");
            evidence::export_one(ground, &log, &out.join(evidence::RECEIPTS).join(label))
        })
    });
    steps.run("fhir", &["receipts"], || each(&made_of, |label, _, _| fhir_of(out, label)));
    steps.run("results", &[], || {
        each(&made_of, |label, study, condition| {
            let task = label.strip_suffix(condition).unwrap_or(label).trim_end_matches('_');
            let name = Path::new("results").join(condition).join("results.json");
            copy(&study.join(&name), &out.join("results").join(task).join(condition).join("results.json"))
        })
    });
    steps.run("plots_and_tables", &[], || drawn(&made_of, out));
    steps.run("summary", &["results"], || summary(ground, out));
    steps.run("about", &[], || about(request, &made_of, out));
    if !request.keep {
        remove(&made_of)?;
    }
    require(steps.all())?;
    steps.run("manifest", &[], || sealed::manifest(out));
    steps.run("verify", &["manifest"], || sealed::hold(ground, out));
    require(steps.all())?;
    building.finish(request.out)?;
    all.extend(steps.all().iter().cloned());
    Ok(all)
}

/// Calls `work` with every condition of every study: its label, the directory of its study, its id.
fn each(made_of: &Path, work: impl Fn(&str, &Path, &str) -> Result<(), PackError>) -> Result<(), PackError> {
    for (task, ..) in STUDIES {
        let study = made_of.join(task);
        for condition in names(&study.join("results"))? {
            work(&format!("{task}_{condition}"), &study, &condition)?;
        }
    }
    Ok(())
}

fn fhir_of(out: &Path, label: &str) -> Result<(), PackError> {
    let told = |error: &dyn std::fmt::Display| PackError::NotGood(format!("{label}: {error}"));
    let bundle = fhir::export(&out.join(evidence::RECEIPTS).join(label).join(BUNDLE)).map_err(|error| told(&error))?;
    write_whole(&out.join("fhir").join(label).join("fhir_bundle.json"), &pretty(&bundle))?;
    Ok(())
}

/// Figures and the tables behind them, under the name of their task.
fn drawn(made_of: &Path, out: &Path) -> Result<(), PackError> {
    for (task, ..) in STUDIES {
        let figures = made_of.join(task).join("figures");
        for (from, to) in [(figures.join("data_tables"), "tables"), (figures, "plots")] {
            for name in names(&from)?.iter().filter(|name| from.join(name).is_file() && !name.ends_with(".md")) {
                copy(&from.join(name), &out.join(to).join(format!("{task}_{name}")))?;
            }
        }
    }
    Ok(())
}

fn summary(ground: &Ground<'_>, out: &Path) -> Result<(), PackError> {
    let kinds = UncertaintyMapping::load(ground.policy)?;
    for (name, text) in summarise_results(&[out.join("results")], "summary", &[], &kinds)?.files {
        write_whole(&out.join(name), text.as_bytes())?;
    }
    Ok(())
}

/// What the release is, and what the program was built of.
fn about(request: &Request<'_>, made_of: &Path, out: &Path) -> Result<(), PackError> {
    let Request { ground, profile, seed_base, .. } = *request;
    let mut manifests = Vec::new();
    for (task, ..) in STUDIES {
        let path = made_of.join(task).join("manifest.json");
        let manifest: Value = serde_json::from_slice(&read(&path)?)
            .map_err(|error| PackError::NotGood(format!("{}: {error}", path.display())))?;
        manifests.push(manifest);
    }
    let results = json!({ "manifests": manifests, "profile": profile.name(), "seed_base": seed_base });
    write_whole(&out.join("results.json"), &pretty(&results))?;
    let metadata = sealed::metadata(ground, profile.name(), seed_base, json!({}))?;
    write_whole(&out.join(METADATA), &pretty(&metadata))?;
    write_whole(&out.join("BENCHMARK_CARD.md"), card(request).as_bytes())?;
    sealed::environment(ground, out)
}

fn card(request: &Request<'_>) -> String {
    let episodes = if request.smoke { 1 } else { request.profile.episodes() };
    format!(
        "# Benchmark card\n\n\
         Two tasks (throughput_sla, qc_cascade), each with and without the trust skeleton and with and without dual approval, on the\n\
         same seeds. {episodes} episodes of each condition from seed {} on; profile `{}`.\n\n\
         | file | is |\n| --- | --- |\n\
         | `results/` | results of every condition |\n\
         | `receipts/` | an evidence bundle of every condition; `labtrust verify-release --release-dir .` verifies them |\n\
         | `fhir/` | the receipts as FHIR |\n\
         | `plots/`, `tables/` | figures, and the numbers behind them |\n\
         | `summary*` | means over episodes |\n\
         | `ENV/` | what the program was built of |\n\
         | `{FILES}` | the digest of every file |\n\n\
         The laboratory is simulated, and so are its patients. Few episodes are no estimate: they show that the same seed gives the\n\
         same files, and what is in them.\n",
        request.seed_base,
        request.profile.name()
    )
}
