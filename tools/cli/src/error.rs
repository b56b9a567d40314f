//! What can go wrong in a command, and how it is told.

use labtrust_assurance::AssuranceError;
use labtrust_bench::BenchError;
use labtrust_comparison::ComparisonError;
use labtrust_coordination::catalogue::CatalogueError;
use labtrust_evidence::export::ExportError;
use labtrust_evidence::keyfile::KeyFileError;
use labtrust_evidence::release::ReleaseError;
use labtrust_evidence::transparency::TransparencyError;
use labtrust_figures::FiguresError;
use labtrust_mine_study::StudyError;
use labtrust_official_pack::PackError;
use labtrust_plugin::RegistryError;
use labtrust_policy::PolicyError;
use miette::Diagnostic as _;
use std::path::PathBuf;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Bench(BenchError),
    #[error(transparent)]
    Assurance(AssuranceError),
    #[error("{count} required cell{} neither evidence nor waiver", if *count == 1 { " has" } else { "s have" })]
    NotCovered { count: usize },
    #[error("the self-check has {count} failure{}", if *count == 1 { "" } else { "s" })]
    SelfCheck { count: usize },
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Plugin(#[from] crate::plugin_files::PluginError),
    #[error("{option} {name} is given twice")]
    ParamTwice { option: &'static str, name: String },
    #[error("the agents {id} have no parameters")]
    NoParams { id: String },
    #[error("--coord-method directs all agents, so the policy {id} would direct none")]
    TwoDirectors { id: String },
    #[error("the method failed in {}; the results say when and why", if *episodes == 1 { "the episode".to_owned() } else { format!("all {episodes} episodes") })]
    MethodFailed { episodes: u64 },
    #[error(transparent)]
    Study(#[from] StudyError),
    #[error(transparent)]
    Figures(#[from] FiguresError),
    #[error(transparent)]
    Vectors(#[from] crate::cmd::run_vectors::VectorError),
    #[error(transparent)]
    Eval(#[from] crate::cmd::eval_agent::EvalError),
    #[error(transparent)]
    Train(#[from] crate::cmd::train_ppo::TrainError),
    #[error(transparent)]
    Learned(#[from] labtrust_learned::file::FileError),
    #[error(transparent)]
    Environment(#[from] labtrust_environment::EnvironmentError),
    #[error(transparent)]
    Baseline(#[from] crate::cmd::generate_official_baselines::BaselineError),
    #[error(transparent)]
    Scenario(#[from] crate::cmd::run_scenario::RunError),
    #[error(transparent)]
    Trace(#[from] crate::cmd::check_trace::CheckError),
    #[error(transparent)]
    Export(#[from] labtrust_evidence::export::ExportError),
    #[error(transparent)]
    Ui(#[from] labtrust_evidence::ui::UiError),
    #[error(transparent)]
    EpisodeBundle(#[from] labtrust_evidence::episode_bundle::EpisodeBundleError),
    #[error(transparent)]
    Fhir(#[from] labtrust_evidence::fhir::FhirError),
    #[error(transparent)]
    Transparency(#[from] labtrust_evidence::transparency::TransparencyError),
    #[error(transparent)]
    Release(#[from] labtrust_evidence::release::ReleaseError),
    #[error(transparent)]
    Log(#[from] labtrust_evidence::lines::LogError),
    #[error(transparent)]
    Disk(#[from] labtrust_evidence::disk::DiskError),
    #[error(transparent)]
    Witness(#[from] labtrust_evidence::witness::WitnessError),
    #[error("{}: {problem}", path.display())]
    Content { path: PathBuf, problem: String },
    #[error(transparent)]
    Keys(#[from] labtrust_evidence::keyfile::KeyFileError),
    #[error("Bundle not found or not a directory: {}", path.display())]
    NoBundle { path: PathBuf },
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the {what} does not hold: {count} finding{}", if *count == 1 { "" } else { "s" })]
    NotVerified { what: &'static str, count: usize },
    #[error("{flag} is not available in this version: {reason}")]
    NotAvailable { flag: &'static str, reason: &'static str },
    #[error(
        "a Parquet log is not complete before its end, so a run cannot go on with it: there are no checkpoints of it"
    )]
    ParquetCheckpoints,
    #[error(
        "there is no spec: name one with --spec; neither the laboratory profile nor the partner has one (policy/{path})"
    )]
    NoStudySpec { path: String },
    #[error("{} exists already", path.display())]
    Exists { path: PathBuf },
    #[error("{option} must not be empty")]
    Empty { option: &'static str },
    #[error("{id:?} cannot be a run id: use letters, digits, `-`, `_` and `.`")]
    RunId { id: String },
    #[error("cannot make the directory {}: {source}", path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("cannot write to stdout: {0}")]
    Stdout(std::io::Error),
    #[error("nothing below {} could be read as results", path.display())]
    NothingReadable { path: PathBuf },
    #[error("the policy has {count} finding{}", if *count == 1 { "" } else { "s" })]
    Findings { count: usize },
    #[error("the results have {count} finding{}", if *count == 1 { "" } else { "s" })]
    ResultsFindings { count: usize },
    #[error("{} and {} are different", first.display(), second.display())]
    Different { first: PathBuf, second: PathBuf },
    #[error("{task} has {specimens} specimens and released nothing")]
    NothingReleased { task: String, specimens: u64 },
    #[error(transparent)]
    CellStudy(Box<labtrust_study::StudyError>),
    #[error("--profile says how much here: {known}{}", given.as_ref().map_or_else(String::new, |given| format!("; there is no {given:?}")))]
    Amount { given: Option<String>, known: String },
    #[error(transparent)]
    Pack(Box<PackError>),
    #[error("{} of {cells} cells failed:{}", failures.len(), failures.iter().map(|one| format!("\n  {}: {}", one.cell_id, one.error)).collect::<String>())]
    CellsFailed { failures: Vec<labtrust_study::run::Failure>, cells: usize },
    #[error("the security gate is not passed: {count} cell{}", if *count == 1 { "" } else { "s" })]
    SecurityGate { count: usize },
    #[error(transparent)]
    Protocol(#[from] labtrust_protocol::ProtocolError),
    #[error("{failed} of {total} {what} checks do not hold")]
    ChecksFailed { what: &'static str, failed: usize, total: usize },
    #[error("{count} token_usage.json file{} cannot be used", if *count == 1 { "" } else { "s" })]
    TokenFindings { count: usize },
    #[error("the command {how}{}{last}", if last.is_empty() { "" } else { ": " })]
    Measured { how: String, last: String },
    #[error("two runs were not the same: {reason}")]
    NotDeterministic { reason: String },
    #[error("the run with {threads} thread{} did not end: {said}", if *threads == 1 { "" } else { "s" })]
    RunFailed { threads: usize, said: String },
    #[error("cannot start this program a second time: {source}")]
    Child { source: std::io::Error },
    #[error("{} is no checkout of LabTrust: {reason}", path.display())]
    NoCheckout { path: PathBuf, reason: String },
    #[error("{option} {value:?} is no file name")]
    NotAName { option: &'static str, value: String },
    #[error("there is no {what} {name:?}")]
    UnknownName { what: &'static str, name: String, near: Option<String> },
    #[error("profile {profile} names the domain {domain}, which is not there: {source}")]
    ProfileDomain { profile: String, domain: String, source: RegistryError },
}

impl From<BenchError> for CliError {
    fn from(error: BenchError) -> Self {
        match error {
            // Policy complaints have a form of their own, wherever they come from.
            BenchError::Policy(error) => Self::Policy(error),
            other => Self::Bench(other),
        }
    }
}

impl From<AssuranceError> for CliError {
    fn from(error: AssuranceError) -> Self {
        match error {
            AssuranceError::Policy(error) => Self::Policy(error),
            AssuranceError::Bench(error) => error.into(),
            other => Self::Assurance(other),
        }
    }
}

impl From<PackError> for CliError {
    fn from(error: PackError) -> Self {
        match error {
            // Complaints about files have forms of their own, wherever they come from.
            PackError::Policy(error) => Self::Policy(error),
            PackError::Bench(error) => error.into(),
            PackError::Assurance(error) => error.into(),
            PackError::Study(error) => (*error).into(),
            PackError::Comparison(error) => error.into(),
            PackError::Figures(error) => error.into(),
            PackError::Registry(error) => error.into(),
            PackError::Export(error) => error.into(),
            PackError::Transparency(error) => error.into(),
            PackError::Release(error) => error.into(),
            other => Self::Pack(Box::new(other)),
        }
    }
}

impl From<ComparisonError> for CliError {
    fn from(error: ComparisonError) -> Self {
        AssuranceError::from(error).into()
    }
}

impl CliError {
    /// 1, or 2 where the arguments contradict each other, or 75 where the same call may do later.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Bench(BenchError::SameFile { .. } | BenchError::NoEpisodes | BenchError::NoSteps)
            | Self::ParquetCheckpoints
            | Self::ParamTwice { .. }
            | Self::NoParams { .. }
            | Self::TwoDirectors { .. }
            | Self::Study(
                StudyError::Sweep(_)
                | StudyError::Twice { .. }
                | StudyError::NoReplications { .. }
                | StudyError::WarmUp { .. }
                | StudyError::Animation { .. },
            )
            | Self::RunId { .. }
            | Self::Amount { .. }
            | Self::NotAName { .. } => 2,
            Self::CellStudy(error) if error.is_temporary() => 75,
            _ => 1,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Bench(BenchError::Write { .. }) | Self::Directory { .. } => {
                "name a file in a directory that you may write to".to_owned()
            }
            Self::Bench(BenchError::SameFile { .. }) => "give each output a name of its own".to_owned(),
            Self::Bench(
                BenchError::NothingToSummarise { .. } | BenchError::NotADirectory { .. } | BenchError::NoResults { .. },
            ) => "name the directory that a run wrote its results to".to_owned(),
            Self::Train(error) => error.hint()?,
            Self::Registry(RegistryError::Unknown { kind: "task", .. }) => {
                "`labtrust plugins list` shows every task".to_owned()
            }
            Self::Study(StudyError::Data(error)) => return error.hint().map(str::to_owned),
            Self::Study(StudyError::Write { .. } | StudyError::NotADirectory { .. } | StudyError::NoName { .. }) => {
                "name a directory that can be made".to_owned()
            }
            Self::Study(StudyError::Exists { .. }) => {
                "choose another --out, or replace a study with --force".to_owned()
            }
            Self::Study(StudyError::NotAStudy { .. }) => "choose another --out".to_owned(),
            Self::Study(StudyError::Animation { .. }) => {
                "--animate names one of the scenarios, --animate-replication counts from 0".to_owned()
            }
            Self::Pack(error) => match **error {
                PackError::Occupied { .. } => "choose another --out".to_owned(),
                PackError::StepsFailed { .. } => {
                    "the manifest, where there is one, says how every step ended".to_owned()
                }
                _ => return None,
            },
            Self::Findings { .. } | Self::ResultsFindings { .. } => {
                "each line names its place and what to do".to_owned()
            }
            Self::UnknownName { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::UnknownName { what: "schema", .. } => "`labtrust schema` lists them".to_owned(),
            Self::SecurityGate { .. } => {
                "pack_gate.md says why; the results of each cell are in pack_results".to_owned()
            }
            Self::NothingReleased { .. } => {
                "`labtrust diff` finds where the run parts from one that released".to_owned()
            }
            Self::ParquetCheckpoints => "write checkpoints with `--log-format jsonl`".to_owned(),
            Self::CellStudy(error) => return error.hint().map(str::to_owned),
            Self::CellsFailed { .. } => {
                "the others are there; `cell.json` in the folder of a cell says why it failed".to_owned()
            }
            Self::Figures(error) => return error.hint().map(str::to_owned),
            Self::Protocol(error) => return error.hint().map(str::to_owned),
            Self::Measured { .. } => "the end of what it said is in the metrics file".to_owned(),
            Self::NoCheckout { .. } => "name the directory that `git clone` made, or leave --sdk out".to_owned(),
            Self::Exists { .. } => "choose another --run-id, or remove the directory".to_owned(),
            Self::Export(ExportError::Chain { .. }) => {
                "`labtrust recover-log` keeps what holds, and says what does not".to_owned()
            }
            Self::Export(ExportError::Sealed { .. }) => {
                "the run came to its end and listed its log; the log was changed or cut since".to_owned()
            }
            Self::Export(ExportError::NoReceipts { .. }) => {
                "a log of an older version does not name them; run the benchmark again".to_owned()
            }
            Self::Keys(KeyFileError::Mode { path, .. }) => {
                format!("`chmod 600 {}`, and a new key if somebody may have read it", path.display())
            }
            Self::Keys(KeyFileError::Exists { .. }) => "choose another --out, or `labtrust keys rotate`".to_owned(),
            Self::Transparency(TransparencyError::Rewrites { .. }) => {
                "put what is new behind what is there, or begin a log of another name".to_owned()
            }
            Self::Disk(_) => "name a place that you may write to; nothing half-written is left".to_owned(),
            Self::Release(ReleaseError::NoBundles(_)) => {
                "`labtrust export-receipts --out RELEASE/receipts/NAME` makes one".to_owned()
            }
            Self::NotCovered { .. } => "`--plan` prints what to run".to_owned(),
            Self::NoBundle { .. } => "`labtrust export-receipts` makes one: name its EvidenceBundle.v0.1".to_owned(),
            _ => return None,
        })
    }
}

/// Tells the user on stderr.
pub(crate) fn report(command: &str, error: &CliError) {
    use std::io::Write;
    let mut text = format!("labtrust {command} failed: {error}\n");
    let mut hint = error.hint();
    if let CliError::Policy(policy) = error {
        hint = policy.help().map(|help| help.to_string());
        // With the place in the file, where there is one; the drawing has the message and the hint.
        let mut drawn = String::new();
        if policy.source_code().is_some()
            && miette::GraphicalReportHandler::new().render_report(&mut drawn, policy).is_ok()
        {
            text = format!("labtrust {command} failed:\n{drawn}");
            hint = None;
        }
    }
    if let Some(hint) = hint {
        text.push_str(&format!("hint: {hint}\n"));
    }
    // A closed stderr leaves only the exit code to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
