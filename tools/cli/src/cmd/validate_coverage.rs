//! `validate-coverage`: whether every method has the evidence that its risks ask for.

use super::risk_register::{TrustOptions, matching};
use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::session::{Session, partner};
use crate::talk::Talk;
use labtrust_assurance::register::{BundleOptions, Coverage, RISK_BUNDLE, Register, State, build, crosswalk};
use labtrust_bench::date::Date;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Check that every method and risk that need evidence have it, or a waiver that has not expired
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The document to check
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "runs"])]
    bundle: Option<PathBuf>,
    /// Directory that export-risk-register wrote the document to
    #[arg(long, value_name = "DIR", default_value = "risk_register_out")]
    out: PathBuf,
    /// Do not read a document: open these runs, given as to export-risk-register
    #[arg(long, value_name = "DIR_OR_GLOB", conflicts_with = "out")]
    runs: Vec<String>,
    #[command(flatten)]
    trust: TrustOptions,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// End with 1 where evidence is missing and nothing waives it
    #[arg(long)]
    strict: bool,
    /// Day on which waivers are judged; today (UTC) when it is not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    /// Print the commands that would close the gaps, and nothing else
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "validate-coverage",
        notes: "Waivers count only with --strict, as in the reference. What counts as evidence: [risk register](risk_register.md).",
        done: "every required cell has evidence or a waiver; without --strict, the document could be read",
        fails: "with --strict, a cell without evidence and waiver; no document",
        json: Json::data(&[
            ("date", "the day on which waivers were judged"),
            ("required", "cells that need evidence [count]"),
            ("gaps", "of these, with neither evidence nor waiver [count]"),
            (
                "cells",
                "for every cell `method_id`, `risk_id`, `state` (`covered`, `waived`, `gap`) and what that rests on",
            ),
            ("commands", "what to run to close the gaps"),
        ]),
        examples: &[
            Example::new("--out risk_register_out").needs(&["risk_register_out"]),
            Example::new("--bundle register.json --plan").needs(&["register.json"]),
            Example::shown("--runs 'required_bench/*' --strict --date 2026-11-22"),
        ],
        refusals: &[
            Refusal::new("--out nowhere", 1, "nowhere"),
            Refusal::new("--bundle register.json --trust keys.pub", 1, "keys.pub").needs(&["register.json"]),
            Refusal::new("--bundle register.json --strict --date 2026-11-22", 1, "market_auction R-DATA-001")
                .needs(&["register.json"]),
            Refusal::new("--bundle register.json --date tomorrow", 2, "tomorrow").needs(&["register.json"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let policy = Session::open(global, partner(self.partner.as_deref()).as_deref())?.policy;
        let register = Register::load(&policy)?;
        let trust = self.trust.keys()?;
        let bundle = if self.runs.is_empty() {
            if trust.is_some() {
                let reason = "a document is believed as it is; --runs opens the evidence";
                return Err(CliError::NotAvailable { flag: "--trust", reason });
            }
            read(&self.bundle.clone().unwrap_or_else(|| self.out.join(RISK_BUNDLE)))?
        } else {
            let mut runs = Vec::new();
            for pattern in &self.runs {
                runs.extend(matching(pattern)?);
            }
            build(&policy, &register, &BundleOptions { runs, trust, ..BundleOptions::default() })?
        };
        if let Some(first) = crosswalk(&bundle).into_iter().next() {
            talk.say(&format!("warning: {first}"));
        }
        let date = self.date.unwrap_or_else(|| Date::of(SystemTime::now()));
        let coverage = Coverage::of(&register, &bundle, date)?;
        let commands = coverage.commands(&register);
        self.format.print::<Self>(
            || if self.plan { commands.iter().map(|line| format!("{line}\n")).collect() } else { self.text(&coverage) },
            || {
                let mut document = coverage.json();
                document["commands"] = commands.clone().into();
                document
            },
        )?;
        match coverage.gaps().count() {
            0 => Ok(()),
            _ if !self.strict => Ok(()),
            count => Err(CliError::NotCovered { count }),
        }
    }
}

impl Options {
    fn text(&self, coverage: &Coverage) -> String {
        if !self.strict {
            return match coverage.without_evidence() {
                0 => "Coverage OK: all required_bench cells evidenced or waived.\n".to_owned(),
                count => {
                    format!("Coverage: {count} required cell(s) with evidence gaps (run with --strict to fail).\n")
                }
            };
        }
        let mut text = String::new();
        for gap in coverage.gaps() {
            text.push_str(&format!("  {} {}\n", gap.cell.method, gap.cell.risk));
            if let State::Gap { reasons } = &gap.state {
                text.extend(reasons.iter().map(|reason| format!("      {reason}\n")));
            }
        }
        if text.is_empty() {
            return "Coverage OK: all required_bench cells evidenced or waived.\n".to_owned();
        }
        format!("Coverage FAIL: required risks with missing evidence (method_id, risk_id):\n{text}")
    }
}

/// A document that was written.
fn read(path: &Path) -> Result<Value, CliError> {
    let bytes = std::fs::read(path).map_err(|source| CliError::Unreadable { path: path.to_path_buf(), source })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| CliError::Content { path: path.to_path_buf(), problem: format!("it is no JSON: {error}") })
}
