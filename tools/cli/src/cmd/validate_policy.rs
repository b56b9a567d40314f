//! `validate-policy`: everything that is wrong with a policy, each with its place and a way out.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_assurance::findings;
use labtrust_policy::{Finding, PolicyStore};
use serde_json::{Value, json};

/// Check a policy directory: its shape, its sense, and whether the domain can load it
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Partner overlay to put on before the domain is loaded
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Domain that loads the policy; its overlay is put on first
    #[arg(long, value_name = "ID", default_value = "hospital_lab")]
    domain: String,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "validate-policy",
        notes: "Each finding has file, line and what to do ([how to](../howto/validate_policy.md)).",
        done: "no findings",
        fails: "findings, which are on stdout",
        json: Json::data(&[(
            "findings",
            "for every finding `file`, `line`, `column`, `level`, `code`, `subject`, `message`, `fix`",
        )]),
        examples: &[
            Example::shown("--policy-dir my_policy --partner hsl_like"),
            Example::tried("--policy-dir policy --partner hsl_like").needs(&["policy"]),
        ],
        refusals: &[Refusal::new("--policy-dir nowhere", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError::Findings`] when there are any, and whatever keeps the policy from being opened.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    let session = Session::open(global, None)?;
    let findings = findings(session.policy, options.partner.as_deref(), &options.domain)?;
    options.format.print::<Options>(|| text(&findings), || as_json(&findings))?;
    if findings.is_empty() {
        talk.say("no findings");
        return Ok(());
    }
    Err(CliError::Findings { count: findings.len() })
}

/// Everything that is wrong with a policy under a partner's overlay, in the order of files and lines.
///
/// # Errors
/// A domain or an overlay that there is not.
pub(crate) fn findings(policy: PolicyStore, partner: Option<&str>, domain: &str) -> Result<Vec<Finding>, CliError> {
    let registry = labtrust_builtin::registry()?;
    Ok(findings::findings(policy, partner, domain, registry.lab_domain(domain)?)?)
}

fn text(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

fn as_json(findings: &[Finding]) -> Value {
    let rows: Vec<_> = findings
        .iter()
        .map(|one| {
            json!({
                "file": one.file,
                "line": one.line,
                "column": one.column,
                "level": if one.warning { "warning" } else { "error" },
                "code": one.code(),
                "subject": one.subject,
                "message": one.message,
                "fix": one.fix,
            })
        })
        .collect();
    json!({ "findings": rows })
}
