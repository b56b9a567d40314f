//! `validate-policy`: everything that is wrong with a policy, each with its place and a way out.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_plugin::lab::ActionKind;
use labtrust_policy::{Finding, PolicyError, PolicyStore, validate};
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
    let registry = labtrust_builtin::registry()?;
    let domain = registry.lab_domain(&options.domain)?;
    let (policy, overlay) = overlaid(session.policy, options);
    let loading = overlay.or_else(|| domain.load(&policy).err());
    if let Some(error @ PolicyError::UnknownOverlay { .. }) = loading {
        return Err(error.into());
    }
    let findings = validate(&policy, &actions(), loading.as_ref());
    options.format.print::<Options>(|| text(&findings), || as_json(&findings))?;
    if findings.is_empty() {
        talk.say("no findings");
        return Ok(());
    }
    Err(CliError::Findings { count: findings.len() })
}

/// The actions that a role may be given; what the laboratory does by itself is nobody's.
pub(crate) fn actions() -> Vec<&'static str> {
    use ActionKind as K;
    let by_itself =
        |kind: &&K| matches!(kind, K::ReceiveBatch | K::Alarm | K::DeviceFault | K::DeviceRepaired | K::AblateControls);
    K::ALL.iter().filter(|kind| !by_itself(kind)).map(|kind| kind.name()).collect()
}

/// The policy with its overlays on; with an overlay that cannot be put on, the policy below it and the complaint.
fn overlaid(policy: PolicyStore, options: &Options) -> (PolicyStore, Option<PolicyError>) {
    let mut policy = policy;
    // A domain needs no overlay, and a profile may have put it on already.
    if policy.domain().is_none() && policy.domains().contains(&options.domain) {
        match policy.with_domain(&options.domain) {
            Ok(with) => policy = with,
            Err(error) => return (policy, Some(error)),
        }
    }
    match options.partner.as_deref().filter(|_| policy.partner().is_none()) {
        None => (policy, None),
        Some(partner) => match policy.with_partner(partner) {
            Ok(with) => (with, None),
            Err(error) => (policy, Some(error)),
        },
    }
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
