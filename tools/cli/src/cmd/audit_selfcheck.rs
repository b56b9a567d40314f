//! `audit-selfcheck`: whether what an auditor relies on works here.

use super::safety_case::DOMAIN;
use super::validate_policy::findings;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use crate::version::{GIT_SHA, line};
use labtrust_assurance::files::write_json;
use labtrust_assurance::register::{
    BundleOptions, RISK_BUNDLE, Register, build, crosswalk, placeholders, schema_complaints,
};
use labtrust_bench::date::timestamp;
use labtrust_policy::{POLICY_DIR_VARIABLE, PolicyStore};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// The report.
const REPORT: &str = "AUDIT_SELF_CHECK.json";

/// Check what an auditor relies on: the policy, its overlay, and that the risk register can be made
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for the report and the risk register
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "audit-selfcheck",
        notes: "The report has the time of the check and how long each step took, so it is not the same twice; the risk register is.",
        writes: &[
            output("--out/AUDIT_SELF_CHECK.json", "every check and every step, with what went wrong"),
            output("--out/risk_register/RISK_REGISTER_BUNDLE.v0.1.json", "the risk register that was made"),
        ],
        done: "everything passed",
        fails: "something did not, which the report tells",
        json: Json::product(&[
            ("overall_pass", "whether everything passed"),
            ("steps", "for every step `name` and `pass`"),
        ]),
        examples: &[Example::new("--out selfcheck").leaves(&["selfcheck/AUDIT_SELF_CHECK.json"])],
        refusals: &[
            Refusal::new("--out results.json", 1, "results.json").needs(&["results.json"]),
            Refusal::new("--out a --policy-dir nowhere", 1, "nowhere"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let policy = Session::open(global, None)?.policy;
        std::fs::create_dir_all(&self.out).map_err(|source| CliError::Directory { path: self.out.clone(), source })?;
        let bundle = self.out.join("risk_register").join(RISK_BUNDLE);
        let checks = checks(&policy);
        let steps = [
            step("no_placeholders", || nothing(placeholders::find(&policy))),
            step("validate_policy", || valid(&policy, None)),
            step("validate_policy_hsl_like", || valid(&policy, Some("hsl_like"))),
            step("export_risk_register", || export(&policy, &bundle)),
            step("risk_register_contract_gate", || contract(&policy, &bundle)),
        ];
        let failed = checks.iter().filter(|check| check["status"] == "fail").count()
            + steps.iter().filter(|step| step["pass"] != true).count();
        let links = if bundle.is_file() {
            json!({ "risk_register_bundle": format!("risk_register/{RISK_BUNDLE}") })
        } else {
            json!({})
        };
        let report = json!({
            "timestamp_utc": timestamp(SystemTime::now()), "git_sha": GIT_SHA,
            "python_version": format!("none; {}", line()), "toolchain": env!("CARGO_PKG_RUST_VERSION"),
            "checks": checks, "steps": steps, "overall_pass": failed == 0, "artifact_links": links,
        });
        let path = self.out.join(REPORT);
        write_json(&path, &report)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&path);
        if bundle.is_file() {
            answer.wrote(&bundle);
        }
        let told = |step: &Value| json!({ "name": step["name"], "pass": step["pass"] });
        answer.figures(json!({ "overall_pass": failed == 0, "steps": steps.iter().map(told).collect::<Vec<_>>() }));
        let row = |step: &Value| {
            let word = if step["pass"] == true { "pass" } else { "FAIL" };
            let why = step["error"].as_str().map_or_else(String::new, |error| format!(": {error}"));
            format!("{word}  {}{why}\n", step["name"].as_str().unwrap_or_default())
        };
        answer.finish::<Self>(failed == 0, &steps.iter().map(row).collect::<String>())?;
        if failed == 0 { Ok(()) } else { Err(CliError::SelfCheck { count: failed }) }
    }
}

/// What the surroundings are like.
fn checks(policy: &PolicyStore) -> Vec<Value> {
    let check = |id: &str, status: &str, detail: String, remediation: &str| json!({ "id": id, "status": status, "detail": detail, "remediation": remediation });
    let commit = GIT_SHA.is_some();
    let variable = std::env::var_os(POLICY_DIR_VARIABLE).is_some_and(|value| !value.is_empty());
    vec![
        check("program", "pass", line(), ""),
        check(
            "commit",
            if commit { "pass" } else { "warn" },
            if commit {
                "the program knows the commit it was built from"
            } else {
                "the program does not know its commit"
            }
            .to_owned(),
            if commit { "" } else { "build it in a checkout" },
        ),
        check("policy", "pass", policy.source().to_string(), ""),
        check(
            "policy_variable",
            if variable { "warn" } else { "pass" },
            format!("{POLICY_DIR_VARIABLE} is {}", if variable { "set" } else { "not set" }),
            if variable {
                "name the policy with --policy-dir, so that the command line says what was checked"
            } else {
                ""
            },
        ),
    ]
}

/// Does a step and says what came of it.
fn step(name: &str, work: impl FnOnce() -> Result<(), String>) -> Value {
    let began = Instant::now();
    let outcome = work();
    let took = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let mut row = json!({ "name": name, "pass": outcome.is_ok(), "duration_s": took });
    if let Err(error) = outcome {
        row["error"] = error.into();
    }
    row
}

/// Nothing may be found.
fn nothing(found: Vec<String>) -> Result<(), String> {
    match found.first() {
        None => Ok(()),
        Some(first) => Err(format!("{first} ({} in all)", found.len())),
    }
}

fn valid(policy: &PolicyStore, partner: Option<&str>) -> Result<(), String> {
    let found = findings(policy.clone(), partner, DOMAIN).map_err(|error| error.to_string())?;
    nothing(found.iter().map(ToString::to_string).collect())
}

fn made(policy: &PolicyStore) -> Result<Value, String> {
    let options = BundleOptions { git_commit: GIT_SHA.map(str::to_owned), ..BundleOptions::default() };
    let register = Register::load(policy).map_err(|error| error.to_string())?;
    build(policy, &register, &options).map_err(|error| error.to_string())
}

fn export(policy: &PolicyStore, path: &Path) -> Result<(), String> {
    write_json(path, &made(policy)?).map_err(|error| error.to_string())
}

/// What was written has the shape of its schema, refers to nothing that it does not have, and comes out the same again.
fn contract(policy: &PolicyStore, path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let bundle: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let mut found = crosswalk(&bundle);
    found.extend(schema_complaints(&bundle));
    if made(policy)? != bundle {
        found.push("made again, it is another document".to_owned());
    }
    nothing(found)
}
