//! Why a benchmark could not be run or its files not be written.

use labtrust_plugin::TaskError;
use labtrust_plugin::lab::LabError;
use labtrust_policy::PolicyError;
use std::path::PathBuf;

/// Why a benchmark could not be run or its files not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A run of no episodes measures nothing.
    #[error("a run needs at least one episode")]
    NoEpisodes,
    /// A horizon of no steps measures nothing.
    #[error("an episode needs at least one step")]
    NoSteps,
    /// The seeds of the run leave the range of seeds.
    #[error("{episodes} episodes from seed {base_seed} on need seeds above {}", u64::MAX)]
    SeedOverflow {
        /// Seed of the first episode.
        base_seed: u64,
        /// Episodes asked for [count].
        episodes: u64,
    },
    /// The task names a timing that there is not.
    #[error("task {task} names the unknown timing {timing:?}")]
    TaskTiming {
        /// The task.
        task: String,
        /// What it names.
        timing: String,
    },
    /// The task cannot be run as it was asked for.
    #[error(transparent)]
    Task(TaskError),
    /// The task is one that is never disturbed.
    #[error("task {task} takes no injections")]
    NoInjections {
        /// The task.
        task: String,
    },
    /// The task asks for open workflow guards: its figures would compare with nothing.
    #[error("task {task} starts with `workflow: {workflow}`, a benchmark needs `enforced`")]
    OpenWorkflow {
        /// The task.
        task: String,
        /// What its initial state says.
        workflow: String,
    },
    /// An agent of the task is not among the agents of its initial state.
    #[error("task {task}, seed {seed}: agent {agent} has a seat but is not in the initial state")]
    SeatWithoutAgent {
        /// The task.
        task: String,
        /// The episode's seed.
        seed: u64,
        /// The agent.
        agent: String,
    },
    /// The run asks for what an episode of many laboratories cannot do.
    #[error("task {task} at this scale is many laboratories: {what}")]
    Sites {
        /// The task.
        task: String,
        /// What cannot be done, and what to do about it.
        what: &'static str,
    },
    /// The laboratory refused the initial state.
    #[error("task {task}, seed {seed}: {source}")]
    Lab {
        /// The task.
        task: String,
        /// The episode's seed.
        seed: u64,
        /// Why.
        source: LabError,
    },
    /// The method cannot begin an episode.
    #[error("method {method}, seed {seed}: {problem}")]
    Method {
        /// Its id.
        method: String,
        /// The episode's seed.
        seed: u64,
        /// Why.
        problem: labtrust_plugin::wire::Problem,
    },
    /// A policy file cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A value has no canonical text.
    #[error("cannot write {what}: {source}")]
    Canonical {
        /// What was being written.
        what: &'static str,
        /// Why.
        source: labtrust_trust::canonical::CanonicalError,
    },
    /// Two outputs would be written to one file.
    #[error("{first} and {second} would be the same file: {}", path.display())]
    SameFile {
        /// One output.
        first: &'static str,
        /// The other output.
        second: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file or directory cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A run directory is not a directory.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// The path as given.
        path: PathBuf,
    },
    /// A run directory holds nothing to summarise.
    #[error("no results file and no episodes.jsonl below {}", path.display())]
    NothingToSummarise {
        /// The directory.
        path: PathBuf,
    },
    /// Nothing that was named holds results.
    #[error("no results in {}{}", path.display(), skipped.iter().map(|reason| format!("; {reason}")).collect::<String>())]
    NoResults {
        /// The first path as given.
        path: PathBuf,
        /// Why each file that looked like results was left out.
        skipped: Vec<String>,
    },
    /// A file is not the JSON that it should be.
    #[error("{} is not JSON: {message}", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// A table is not an episode log.
    #[error("{} is no episode log: {problem}", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        problem: String,
    },
    /// Two things of different kinds were to be compared.
    #[error("{} is {first_is} and {} is {second_is}: name two of a kind", first.display(), second.display())]
    NotComparable {
        /// The first path.
        first: PathBuf,
        /// What it is.
        first_is: &'static str,
        /// The second path.
        second: PathBuf,
        /// What it is.
        second_is: &'static str,
    },
    /// A run that nobody began cannot be gone on with.
    #[error("there is no {} to go on from; begin the run without --resume-from", path.display())]
    NoCheckpoint {
        /// Where it should be.
        path: PathBuf,
    },
    /// A checkpoint cannot be read.
    #[error("{} is no checkpoint of this program: {problem}", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A checkpoint is of a run that asked for something else.
    #[error("{} is of another run: {}", path.display(), differences.join("; "))]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// What differs, each with both values.
        differences: Vec<String>,
    },
    /// A file that a checkpoint speaks of is not what it was.
    #[error("{} does not begin with the {length} bytes that the checkpoint speaks of", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How many bytes there should be, at least.
        length: u64,
    },
    /// Two processes write one file.
    #[error("{} is being written by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The threads of the run could not be started.
    #[error("cannot start {threads} threads: {message}")]
    Threads {
        /// Threads asked for [count].
        threads: usize,
        /// What went wrong.
        message: String,
    },
}

impl From<TaskError> for BenchError {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Policy(error) => Self::Policy(error),
            other => Self::Task(other),
        }
    }
}
