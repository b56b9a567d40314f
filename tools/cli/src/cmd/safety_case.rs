//! `safety-case`: what is claimed about safety, and whether it holds.

use super::validate_policy::findings;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{Session, partner};
use crate::talk::Talk;
use labtrust_assurance::files::write_json;
use labtrust_assurance::register::claims::{SAFETY_CASE, SAFETY_CASE_TEXT};
use labtrust_assurance::register::{CaseStatus, Register, SafetyCase};
use labtrust_bench::files::write_whole;
use serde_json::json;
use std::path::PathBuf;

/// The laboratory whose policy is judged.
pub(crate) const DOMAIN: &str = "hospital_lab";

/// Write the safety case: every claim with its controls, and whether the artefacts bear it out
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for SAFETY_CASE; artefacts are looked for here unless --run names another
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Directory with the artefacts
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Claim that is judged alone; may be given several times
    #[arg(long, value_name = "ID")]
    claim: Vec<String>,
    /// End with 1 unless every claim that is judged is supported
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "safety-case",
        notes: "A claim is supported where all its conditions hold of artefacts that are there: [safety case](safety_case.md).",
        writes: &[
            output("--out/SAFETY_CASE/safety_case.json", "every claim with its status, and what that rests on"),
            output("--out/SAFETY_CASE/safety_case.md", "the same for reading"),
        ],
        done: "the case is written; with --strict, and every claim is supported",
        fails: "with --strict, a claim that is not supported or was not evaluated; a claim that there is not",
        json: Json::product(&[
            ("supported", "claims [count]"),
            ("unsupported", "claims [count]"),
            ("not_evaluated", "claims [count]"),
            ("open", "for every claim that is not supported `claim_id`, `status`, `problems`"),
        ]),
        examples: &[
            Example::new("--out release_case").leaves(&["release_case/SAFETY_CASE/safety_case.json"]),
            Example::shown("--out case --run release --claim SC-DETERMINISM-001 --strict"),
        ],
        refusals: &[
            Refusal::new("--out a --claim SC-NONE-001", 1, "SC-NONE-001"),
            Refusal::new("--out a --run nowhere", 1, "nowhere"),
            Refusal::new("--out a --partner nobody", 1, "hsl_like"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let policy = Session::open(global, partner(self.partner.as_deref()).as_deref())?.policy;
        let mut register = Register::load(&policy)?;
        for id in &self.claim {
            if !register.claims.iter().any(|claim| claim.claim_id == *id) {
                return Err(CliError::UnknownName { what: "claim", name: id.clone(), near: None });
            }
        }
        register.claims.retain(|claim| self.claim.is_empty() || self.claim.contains(&claim.claim_id));
        let dir = match &self.run {
            Some(run) => super::risk_register::there(run)?,
            None => self.out.clone(),
        };
        let findings = findings(policy, None, DOMAIN)?;
        let findings: Vec<String> = findings.iter().filter(|one| !one.warning).map(ToString::to_string).collect();
        let case = SafetyCase::judge(&register, &dir, &findings);
        let mut answer = Answer::new(self.format, talk);
        let (json, text) = (self.out.join(SAFETY_CASE), self.out.join(SAFETY_CASE_TEXT));
        write_json(&json, &case.json())?;
        answer.wrote(&json);
        write_whole(&text, case.markdown().as_bytes())?;
        answer.wrote(&text);
        let mut lines = String::new();
        for claim in &case.claims {
            lines.push_str(&format!("{:<13}  {}\n", claim.status.name(), claim.id()));
            lines.extend(claim.problems().iter().map(|problem| format!("               {problem}\n")));
        }
        let count = |status: CaseStatus| case.claims.iter().filter(|claim| claim.status == status).count();
        let open: Vec<_> = case
            .open()
            .map(|claim| json!({ "claim_id": claim.id(), "status": claim.status.name(), "problems": claim.problems() }))
            .collect();
        answer.figures(json!({
            "supported": count(CaseStatus::Supported), "unsupported": count(CaseStatus::Unsupported),
            "not_evaluated": count(CaseStatus::NotEvaluated), "open": open,
        }));
        let holds = case.open().next().is_none() && !case.claims.is_empty();
        answer.finish::<Self>(holds, &lines)?;
        if self.strict && !holds {
            return Err(CliError::NotVerified { what: "safety case", count: case.open().count() });
        }
        Ok(())
    }
}
