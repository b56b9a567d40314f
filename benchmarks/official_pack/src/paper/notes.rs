//! What a release of a paper says of itself: notes and cards. Every figure in them is in a file beside them.

use super::{Came, Episodes, FIGURES, Request, STUDY_TASK, TABLES};
use crate::{PackError, card, page, reports};
use labtrust_comparison::matrix;
use std::fmt::Write as _;

/// `RELEASE_NOTES.md`.
pub(super) fn release(request: &Request<'_>, came: &Came) -> String {
    let Episodes { baselines, study } = request.episodes();
    let mut text = format!(
        "# Release notes\n\nThe release `{}` of a paper, drawn from seed {}. It was verified before it had its name:\n\n```\n\
         labtrust verify-release --release-dir . --strict-fingerprints\n\
         labtrust package-release --profile {} --out AGAIN --seed-base {}{}\n```\n\n\
         The second line makes it again, with the same bytes for the same program and policy{}.\n\n## Pack summary\n\n\
         The benchmark that the paper is about. `labtrust run-official-pack` plays all of it.\n\n",
        super::PROFILE,
        request.seed_base,
        super::PROFILE,
        request.seed_base,
        if request.coordination_pack { " --include-coordination-pack" } else { "" },
        if request.smoke { ", where `LABTRUST_PAPER_SMOKE` is 1" } else { "" },
    );
    text.push_str(&page::table(&page::definition(request.pack)));
    let _ = write!(
        text,
        "\n## Baselines\n\nResults released in an episode, over {} of each task of the official registry, in explicit \
         timing. A floor of 0 asks for something to be released.\n\n",
        episodes(baselines)
    );
    if let Some(all) = &came.baselines {
        let _ = writeln!(
            text,
            "| task | played by | throughput | by `{}` | floor |\n| --- | --- | ---: | ---: | ---: |",
            all.reference_agents
        );
        for row in &all.rows {
            let floor = page::shown_floor(row.floor);
            let (own, other) = (row.throughput_mean, row.reference_throughput_mean);
            let _ = writeln!(text, "| {} | {} | {own:.2} | {other:.2} | {floor} |", row.task, row.baseline_id);
        }
    }
    let _ = write!(
        text,
        "\n## Study\n\n`{STUDY_TASK}` with and without `strict_signatures`, {} of each condition on the same seeds: \
         [{TABLES}/paper_table.md]({TABLES}/paper_table.md), figures in `{FIGURES}/`.\n\n## Evidence\n\n\
         An evidence bundle of the first episode of every core task is in `receipts/`, with what its verification came to; all \
         are in the transparency log. How the claims of the safety case stand is in \
         [SAFETY_CASE/safety_case.md](SAFETY_CASE/safety_case.md).\n",
        episodes(study)
    );
    let suite = if request.smoke { "short" } else { "full" };
    let _ = writeln!(text, "Every attack of the {suite} security suite was stopped.");
    text.push_str("\n## Files\n\n");
    text.push_str(&page::tree(&files(came)));
    text.push_str("\n## What is not in it\n\n");
    if came.gate.is_none() {
        text.push_str(
            "- `_coordination_pack/` and `COORDINATION_MATRIX/`: the coordination security pack was not asked for \
             (`--include-coordination-pack`), and there is no matrix without it.\n",
        );
    }
    text.push_str(
        "- anything of a language model: there is none in this version.\n\
         - how long anything took: it is not the same twice.\n\n\
         The laboratory is simulated, and so are its patients.\n",
    );
    text
}

fn episodes(count: u64) -> String {
    format!("{count} episode{}", if count == 1 { "" } else { "s" })
}

fn files(came: &Came) -> Vec<(&'static str, &'static str)> {
    let mut files = vec![
        ("_baselines/", "results of every task of the official registry, with tables"),
        ("_study/", "the study: spec, results, logs, figures"),
        ("TABLES/", "means over both, paper_table.md, and the numbers behind the figures"),
        ("FIGURES/", "figures, as SVG and PNG"),
        ("_repr/<task>/", "log, episode record and results of the first episode of every core task"),
        ("receipts/<task>/", "EvidenceBundle.v0.1 of each, and what its verification came to"),
        ("TRANSPARENCY_LOG/", "the log over them, with proofs"),
        ("SECURITY/", "the security suite and the securitization packet"),
        ("SAFETY_CASE/", "every claim with its status"),
    ];
    if came.gate.is_some() {
        files.push(("_coordination_pack/", "the coordination security pack with its report and decision"));
    }
    if came.matrix {
        files.push(("COORDINATION_MATRIX/", "its methods in one table, for programs"));
    }
    files.extend([
        ("_coordination_policy/", "the rules that coordination is judged by, and their fingerprint"),
        ("ENV/", "what the program was built of"),
        ("metadata.json", "what the release is"),
        ("BENCHMARK_CARD.md", "what is measured, and what that does not say"),
        ("COORDINATION_CARD.md", "where coordination methods stand in it"),
        ("COORDINATION_LLM_CARD.md", "what language models had to do with it"),
        ("MANIFEST.v0.1.json", "the digest of every file"),
        ("RELEASE_MANIFEST.v0.1.json", "the digests of manifest and bundles"),
    ]);
    files
}

/// `BENCHMARK_CARD.md`.
pub(super) fn benchmark(request: &Request<'_>) -> String {
    let Episodes { baselines, study } = request.episodes();
    let mut text = format!(
        "# Benchmark card\n\n{} tasks of a simulated hospital laboratory: specimens are accepted, moved, measured and released, by \
         crews that follow rules, disturbed in some tasks. The first number of every task is its throughput, results released in \
         an episode; beside it stand turnaround times, violations of invariants and refusals by reason.\n\n",
        request.pack.tasks().count()
    );
    let _ = writeln!(
        text,
        "| | |\n| --- | --- |\n| baselines | {} of each task, from seed {} on, one seed an episode |\n\
         | study | {} of each condition of `{STUDY_TASK}`, the same seeds in each |\n\
         | timing | explicit: services take no time of their own |\n| domain | `{}` |\n",
        episodes(baselines),
        request.seed_base,
        episodes(study),
        request.ground.lab_domain.unwrap_or(reports::DOMAIN)
    );
    text.push_str(
        "**What it is good for.** Comparing agents and controls on the same seeds, and showing what a control costs and stops.\n\n\
         **What it does not say.** Nothing about a real laboratory: workloads, times and failure rates are those of the policy. ",
    );
    text.push_str(if request.smoke {
        "This release was made with an episode or two of everything: it shows that the parts work together, and its means are none.\n"
    } else {
        "Means are over independent episodes; a difference between two of them is a difference only where the intervals in the \
         tables say so.\n"
    });
    text
}

/// `COORDINATION_CARD.md`.
pub(super) fn coordination(request: &Request<'_>, came: &Came) -> Result<String, PackError> {
    let mut text = String::from(
        "# Coordination card\n\nMethods decide who does what next. They see the same laboratories under the same seeds, undisturbed and \
         under each injection.\n\n",
    );
    let methods: Vec<String> = request.pack.methods().iter().map(|id| format!("`{id}`")).collect();
    let sizes: Vec<&str> = request.pack.sizes().iter().map(|(id, _)| *id).collect();
    text.push_str(&page::table(&[
        ("methods of the pack", methods.join(", ")),
        ("sizes of the pack", sizes.join(", ")),
        ("injections of the pack", request.pack.injections.join(", ")),
    ]));
    text.push_str("\n## In this release\n\n");
    match &came.gate {
        None => text.push_str(
            "No coordination method was run for it: the coordination security pack was not asked for. `labtrust run-official-pack` \
             compares the methods, and `--include-coordination-pack` puts the security pack into a release.\n",
        ),
        Some(gate) => {
            let words = |key: &str| gate[key].as_str().map_or_else(|| gate[key].to_string(), str::to_owned);
            text.push_str(&page::table(&[
                ("preset", words("matrix_preset")),
                ("cells", words("cells")),
                ("passed", words("passed")),
                ("failed", words("failed")),
                ("show nothing", words("skipped")),
                ("decision", words("verdict")),
            ]));
            let _ = writeln!(text, "\nThe report is `{}/LAB_COORDINATION_REPORT.md`.", super::COORDINATION_PACK);
            if came.matrix {
                let _ = writeln!(text, "All methods in one table: `{}/{}`.", super::MATRIX, matrix::FILE);
            }
        }
    }
    text.push_str(&card::rules(request.ground)?);
    Ok(text)
}

/// `COORDINATION_LLM_CARD.md`.
pub(super) fn models(request: &Request<'_>, came: &Came) -> Result<String, PackError> {
    let ran = if came.gate.is_some() { "the methods of `_coordination_pack/`" } else { "none" };
    let mut text = String::from(
        "# Coordination and language models\n\nWhat language models had to do with this release, for readers who did not make it.\n\n\
         ## The release\n\n",
    );
    text.push_str(&page::table(&[
        ("profile", super::PROFILE.to_owned()),
        ("seed", request.seed_base.to_string()),
        ("coordination methods that were run", ran.to_owned()),
    ]));
    text.push_str(card::MODELS);
    text.push_str(&card::rules(request.ground)?);
    Ok(text)
}
