//! What the commands of studies have in common: a plan from a spec, and the tools to make its cells with.

pub(crate) mod cell;
pub(crate) mod emit;
pub(crate) mod merge;
pub(crate) mod plan;
pub(super) mod progress;
pub(crate) mod status;

use crate::error::CliError;
use crate::session::{Session, partner};
use crate::talk::Talk;
use crate::{Global, plugin_files, version};
use labtrust_assurance::pack::ground::TASK;
use labtrust_figures::chart::Theme;
use labtrust_figures::{plots, report};
use labtrust_plugin::Registry;
use labtrust_policy::{COORDINATION_STUDY, PolicyStore};
use labtrust_redteam::catalogue;
use labtrust_study::StudyError;
use labtrust_study::plan::{Grounds, Identity, NAME, Plan};
use labtrust_study::run::{CELLS, Failure};
use labtrust_study::spec::{CoordinationSpec, Reading};
use labtrust_study::workshop::Tools;
use std::path::{Path, PathBuf};

/// Variable that keeps studies small.
const SMOKE_VARIABLE: &str = "LABTRUST_REPRO_SMOKE";
/// Variable that keeps studies from running that do not exercise every risk that needs evidence.
const STRICT_VARIABLE: &str = "LABTRUST_STRICT_COVERAGE";

/// Whether a variable is `1`, `true` or `yes`.
pub(super) fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| ["1", "true", "yes"].contains(&value.to_ascii_lowercase().as_str()))
}

/// Whether studies are to be kept small.
pub(super) fn is_smoke() -> bool {
    is_set(SMOKE_VARIABLE)
}

/// Draws the figures of a study and writes its page, which is named; of one without any cell that did not crash there is none.
///
/// # Errors
/// [`CliError::Figures`].
pub(super) fn draw(out: &Path) -> Result<Option<PathBuf>, CliError> {
    if !out.join("summary/summary_coord.csv").is_file() {
        return Ok(None);
    }
    plots::write(&labtrust_figures::run::Run::open(out, None)?, Theme::Light, false)?;
    Ok(Some(report::write(out, Theme::Light)?))
}

/// Whether every risk that needs evidence has to be exercised.
pub(super) fn is_strict() -> bool {
    is_set(STRICT_VARIABLE)
}

/// What a plan is made of.
#[derive(Debug, clap::Args)]
pub(super) struct PlanOptions {
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Do not add the baseline `none` where the spec does not name it
    #[arg(long)]
    no_baseline: bool,
    /// Keep the logs of all cells: log.jsonl, episodes.jsonl, coord_decisions.jsonl, METHOD_TRACE.jsonl and others
    #[arg(long)]
    logs: bool,
}

/// A plan, and what it was made with.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) registry: Registry,
    pub(super) session: Session,
}

impl PlanOptions {
    /// The plan of a spec; of the policy's own where no file is given. Tells what will not be run, and what will not be shown.
    ///
    /// # Errors
    /// [`CliError`] for the spec and the policy.
    pub(super) fn plan(&self, spec: Option<&Path>, global: &Global, talk: Talk) -> Result<Planned, CliError> {
        let registry = plugin_files::registry(global)?;
        let session = Session::open(global, partner(self.partner.as_deref()).as_deref())?;
        let reading = Reading {
            registry: &registry,
            policy: &session.policy,
            baseline: !self.no_baseline,
            most_episodes: is_smoke().then_some(1),
        };
        let spec = match spec {
            Some(spec) => CoordinationSpec::load(spec, &reading)?,
            None => {
                let (store, name) =
                    session.own(COORDINATION_STUDY, |profile| profile.coordination_study_spec_path.as_deref());
                talk.say(&format!("Spec: policy/{name}"));
                CoordinationSpec::read(&store, &name, &reading)?
            }
        };
        let identity = Identity::of(&session.policy, version::GIT_SHA, session.lab_domain())?;
        let grounds = Grounds { registry: &registry, policy: &session.policy, identity, logs: self.logs };
        let plan = Plan::make(&spec, &grounds)?;
        for method in &plan.head.not_run {
            talk.say(&format!("Not run: {}", method.reason));
        }
        for id in plan.head.injection_ids.iter().filter(|id| catalogue::is_reserved(id)) {
            talk.say(&format!("warning: {id} is a reserved name without an actor: nothing is attacked in its cells"));
        }
        for missing in &plan.head.coverage.missing {
            talk.say(&format!("warning: {}: {}", missing.risk_id, missing.message));
        }
        Ok(Planned { plan, registry, session })
    }
}

/// Refuses a plan that leaves a risk out that needs evidence, where that is asked for.
///
/// # Errors
/// [`CliError::CellStudy`].
pub(super) fn require_coverage(plan: &Plan) -> Result<(), CliError> {
    if is_strict() {
        plan.head.coverage.require()?;
    }
    Ok(())
}

/// The policy that a plan names, and the plugins of the command line.
pub(super) fn ground_of(plan: &Plan, global: &Global) -> Result<(Registry, PolicyStore), CliError> {
    let registry = plugin_files::registry(global)?;
    let identity = &plan.head.identity;
    let mut policy = PolicyStore::resolve(global.policy_dir.as_deref())?;
    if let Some(domain) = &identity.domain_id {
        policy = policy.with_domain(domain)?;
    }
    if let Some(partner) = &identity.partner_id {
        policy = policy.with_partner(partner)?;
    }
    Ok((registry, policy))
}

/// What cells of a plan are made with.
pub(super) fn tools<'a>(plan: &Plan, registry: &'a Registry, policy: &'a PolicyStore) -> Result<Tools<'a>, CliError> {
    let lab_domain = plan.head.identity.lab_domain.as_deref();
    let domain = match lab_domain {
        Some(domain) => registry.lab_domain(domain)?,
        None => registry.lab_domain(registry.task(TASK)?.domain())?,
    };
    let identity = Identity::of(policy, version::GIT_SHA, lab_domain)?;
    // Before the laboratory is loaded: another policy may not even have what it needs.
    plan.head.identity.require(&identity)?;
    Ok(Tools { registry, policy, lab: domain.load(policy)?, identity })
}

/// The directory of cells beside a plan.
pub(super) fn cells_beside(plan: &Path) -> PathBuf {
    Plan::file(plan).parent().unwrap_or(Path::new("")).join(CELLS)
}

/// Names the cells of which there are no results.
///
/// # Errors
/// [`CliError::CellsFailed`] when there are any.
pub(super) fn tell_failures(failures: &[Failure], cells: usize) -> Result<(), CliError> {
    match failures.is_empty() {
        true => Ok(()),
        false => Err(CliError::CellsFailed { failures: failures.to_vec(), cells }),
    }
}

/// Where the plan of a study lies in its directory.
pub(super) fn plan_in(out: &Path) -> PathBuf {
    out.join(NAME)
}

impl From<StudyError> for CliError {
    fn from(error: StudyError) -> Self {
        if error.is_temporary() {
            return Self::CellStudy(Box::new(error));
        }
        match error {
            // Complaints about files have forms of their own, wherever they come from.
            StudyError::Policy(error) => Self::Policy(error),
            StudyError::Assurance(error) => (*error).into(),
            StudyError::Bench(error) => (*error).into(),
            other => Self::CellStudy(Box::new(other)),
        }
    }
}
