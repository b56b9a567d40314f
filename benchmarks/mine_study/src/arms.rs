//! Arms of a study, and how their replications are run: in parallel, and collected in order.

use crate::StudyError;
use crate::figures::{Figures, Resource, resources};
use crate::write::event_log::RowPrinter;
use labtrust_mine_haulage::{EventLog, Model, Scenario};
use labtrust_plugin::Registry;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

/// One way in which the mine is run, replicated with consecutive seeds.
pub(crate) struct Arm {
    pub(crate) model: Model,
    pub(crate) resources: Vec<Resource>,
}

impl Arm {
    /// Prepares a scenario, with the dispatch policy that it names.
    pub(crate) fn new(registry: &Registry, scenario: &Scenario) -> Result<Self, StudyError> {
        let model = Model::new(scenario, registry.mine_dispatch(&scenario.dispatch)?)?;
        let resources = resources(&model);
        Ok(Self { model, resources })
    }

    pub(crate) fn scenario(&self) -> &Scenario {
        self.model.scenario()
    }

    fn seed(&self, replication: u32) -> u64 {
        self.scenario().base_seed.wrapping_add(u64::from(replication))
    }
}

/// An arm and its replications, in the order of their seeds.
pub(crate) struct ArmResult {
    pub(crate) arm: Arm,
    pub(crate) figures: Vec<Figures>,
}

impl ArmResult {
    pub(crate) fn scenario(&self) -> &Scenario {
        self.arm.scenario()
    }

    /// A figure of every replication.
    pub(crate) fn column(&self, figure: impl Fn(&Figures) -> f64) -> Vec<f64> {
        self.figures.iter().map(figure).collect()
    }

    pub(crate) fn tonnes(&self) -> Vec<f64> {
        self.column(|figures| figures.tonnes)
    }
}

/// Takes the printed log of a replication: arm, replication, rows.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(usize, u32, &[u8]) -> Result<(), StudyError>;

/// What is waiting to be run.
struct Job {
    arm: usize,
    replication: u32,
    logged: bool,
}

/// What came of it.
struct Done {
    job: usize,
    run: Result<(Figures, Printed), StudyError>,
}

/// Rows of a log, at the beginning of a buffer.
#[derive(Default)]
struct Printed {
    text: Vec<u8>,
    length: usize,
}

/// Everything that the threads share.
struct Work<'a> {
    arms: &'a [Arm],
    printers: Vec<RowPrinter>,
    jobs: Vec<Job>,
    /// The first job that no one has taken.
    next: AtomicUsize,
    stop: AtomicBool,
    /// Buffers of logs that are written: large ones are costly to make.
    spent: Mutex<Vec<Vec<u8>>>,
}

/// Runs every replication of every arm on `threads` threads. Logs are handed to `sink` by arm and replication, however
/// many threads there are, while later replications are still running.
///
/// # Errors
/// Whatever `sink` fails with, or the first replication whose dispatch policy does.
pub(crate) fn run(
    arms: Vec<Arm>,
    threads: NonZeroUsize,
    logged: &dyn Fn(usize, u32) -> bool,
    sink: Sink<'_>,
) -> Result<Vec<ArmResult>, StudyError> {
    let replications = |(arm, of): (usize, &Arm)| (0..of.scenario().replications).map(move |number| (arm, number));
    let job = |(arm, replication)| Job { arm, replication, logged: logged(arm, replication) };
    let work = Work {
        arms: &arms,
        printers: arms.iter().map(|arm| RowPrinter::new(arm.scenario())).collect(),
        jobs: arms.iter().enumerate().flat_map(replications).map(job).collect(),
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        spent: Mutex::default(),
    };
    // Not a pool's threads: this one waits for them, and may be all that a pool has.
    let figures = std::thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        for _ in 0..threads.get().min(work.jobs.len()) {
            let (send, work) = (send.clone(), &work);
            scope.spawn(move || work.run(&send));
        }
        drop(send);
        work.collect(&receive, sink).inspect_err(|_| work.stop.store(true, Ordering::Relaxed))
    })?;
    let mut figures = figures.into_iter();
    let mut of = |arm: &Arm| {
        let count = usize::try_from(arm.scenario().replications).expect("a platform of 32 bits or more");
        figures.by_ref().take(count).map(|run| run.expect("every job was done")).collect()
    };
    Ok(arms.into_iter().map(|arm| ArmResult { figures: of(&arm), arm }).collect())
}

impl Work<'_> {
    /// Does jobs until there are none.
    fn run(&self, done: &mpsc::Sender<Done>) {
        let mut log = EventLog::new();
        while !self.stop.load(Ordering::Relaxed) {
            let job = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(Job { arm: place, replication, logged }) = self.jobs.get(job) else { break };
            let arm = &self.arms[*place];
            let outcome = arm.model.replicate(arm.seed(*replication), logged.then_some(&mut log));
            let run = outcome.map(|outcome| {
                outcome.check_books().expect("every truck and every minute is in the books once");
                let mut rows = Printed::default();
                if *logged {
                    rows.text = self.spent.lock().ok().and_then(|mut spent| spent.pop()).unwrap_or_default();
                    rows.length = self.printers[*place].print(*replication, log.rows(), &mut rows.text);
                }
                (Figures::of(&outcome, &arm.resources), rows)
            });
            let run = run.map_err(|error| StudyError::Dispatch { replication: *replication, error: Box::new(error) });
            if done.send(Done { job, run }).is_err() {
                break;
            }
        }
    }

    /// Puts what comes in into order. Of several failures the first in that order is told, however many threads there
    /// are.
    fn collect(&self, receive: &mpsc::Receiver<Done>, sink: Sink<'_>) -> Result<Vec<Option<Figures>>, StudyError> {
        let mut figures: Vec<Option<Figures>> = Vec::new();
        let mut early: Vec<Option<Result<Printed, StudyError>>> = Vec::new();
        figures.resize_with(self.jobs.len(), || None);
        early.resize_with(self.jobs.len(), || None);
        let mut due = 0;
        for Done { job, run } in receive {
            let run = run.map(|(measured, rows)| {
                figures[job] = Some(measured);
                rows
            });
            early[job] = Some(run);
            while let Some(run) = early.get_mut(due).and_then(Option::take) {
                let rows = run?;
                let Job { arm, replication, logged } = self.jobs[due];
                if logged {
                    sink(arm, replication, &rows.text[..rows.length])?;
                    if let Ok(mut spent) = self.spent.lock() {
                        spent.push(rows.text);
                    }
                }
                due += 1;
            }
        }
        Ok(figures)
    }
}
