//! The attacks that were asked for, in parallel, and a row for each.

use super::defences;
use super::exercises::{self, Grounds};
use super::model::{Attack, Kind, PackRef, Suite};
use super::panel::{self, RegressionCame};
use super::scene::Bench;
use super::trial::Trial;
use crate::AssuranceError;
use crate::pack::gate::{FailedCell, GateSummary};
use labtrust_plugin::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What came of a matrix of the pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackVerdict {
    /// Whether the gate held, over all cells.
    pub gate_passed: bool,
    /// Cells that passed [count].
    pub passed_cells: u64,
    /// Cells that failed, as `scale/method/injection`.
    pub failed_cells: Vec<String>,
    /// Cells that were not run [count]; they are neither.
    pub not_run: u64,
}

impl From<&GateSummary> for PackVerdict {
    fn from(gate: &GateSummary) -> Self {
        let name = |cell: &FailedCell| format!("{}/{}/{}", cell.scale_id, cell.method_id, cell.injection_id);
        Self {
            gate_passed: gate.overall_pass,
            passed_cells: gate.passed as u64,
            failed_cells: gate.failed_cells.iter().map(name).collect(),
            not_run: gate.not_run as u64,
        }
    }
}

/// Runs a matrix of the pack.
pub type RunPack<'a> = dyn Fn(&PackRef) -> Result<PackVerdict, AssuranceError> + Sync + 'a;

/// What to run.
pub struct SuiteRun<'a> {
    /// What the policy says.
    pub suite: &'a Suite,
    /// The laboratory.
    pub bench: &'a Bench,
    /// What is compiled in.
    pub registry: &'a Registry,
    /// Seed of episodes.
    pub seed: u64,
    /// Only attacks of the short suite.
    pub smoke_only: bool,
    /// Only these attacks, whatever suite they are in; with none, all. Texts that have to stay harmless are left out then.
    pub only: Vec<String>,
    /// Attacks on the whole system are left out on demand.
    pub skip_system_level: bool,
    /// Controls that the whole run does without, to see that it fails.
    pub taken: BTreeSet<String>,
    /// Threads [count]; the report does not depend on it.
    pub threads: usize,
    /// Runs matrices of the pack; where nothing does, their attacks fail.
    pub pack: Option<&'a RunPack<'a>>,
}

/// What came of one attack.
#[derive(Clone, Debug)]
pub struct Row {
    /// The attack.
    pub attack: Attack,
    /// Whether it passed. A row that was left out has not.
    pub passed: bool,
    /// Why not.
    pub error: Option<String>,
    /// Left out on demand.
    pub skipped: bool,
    /// What was seen.
    pub observed: Option<&'static str>,
    /// Its courses; nothing of matrices and of what could not be run.
    pub trial: Option<Trial>,
    /// Of a matrix, what came of it.
    pub pack: Option<PackVerdict>,
}

/// What came of a suite.
#[derive(Clone, Debug)]
pub struct SuiteReport {
    /// A row an attack, in the order of the suite.
    pub rows: Vec<Row>,
    /// Texts that have to stay harmless.
    pub regression: Vec<RegressionCame>,
    /// How long each attack took [s].
    pub seconds: BTreeMap<String, f64>,
    /// Seed of episodes.
    pub seed: u64,
    /// Only attacks of the short suite.
    pub smoke_only: bool,
    /// The attacks that the run was about, where it was not about all.
    pub only: Vec<String>,
    /// Controls that the run did without.
    pub taken: BTreeSet<String>,
}

impl SuiteReport {
    /// Rows that were not left out on demand [count].
    #[must_use]
    pub fn counted(&self) -> usize {
        self.rows.iter().filter(|row| !row.skipped).count()
    }

    /// Rows that passed [count].
    #[must_use]
    pub fn passed(&self) -> usize {
        self.rows.iter().filter(|row| row.passed).count()
    }

    /// Whether everything that was asked for passed, and something was.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.counted() > 0 && self.passed() == self.counted() && self.regression.iter().all(|text| text.held)
    }
}

impl SuiteRun<'_> {
    /// Runs it. Same policy and seed, same report, whatever the number of threads; only the seconds differ.
    ///
    /// # Errors
    /// [`AssuranceError::Unknown`] for an attack or a control to take away that there is not, [`AssuranceError::Invalid`] when nothing is
    /// left to run. What goes wrong within an attack is in its row.
    pub fn run(&self) -> Result<SuiteReport, AssuranceError> {
        if let Some(unknown) = self.taken.iter().find(|id| !defences::ALL.contains(&id.as_str())) {
            let (name, known) = (unknown.clone(), defences::ALL.join(", "));
            return Err(AssuranceError::Unknown { what: "control", name, known });
        }
        let chosen = self.chosen()?;
        if chosen.is_empty() {
            return Err(AssuranceError::Invalid {
                file: super::model::SUITE.to_owned(),
                place: "attacks".to_owned(),
                problem: "none of them is in the short suite; --full runs all".to_owned(),
            });
        }
        let done: Vec<(Row, f64)> = self.spread(&chosen, |attack| {
            let begun = Instant::now();
            let row = self.row(attack);
            (row, begun.elapsed().as_secs_f64())
        });
        let texts: Vec<_> = self.suite.regression.iter().filter(|_| self.only.is_empty()).collect();
        let regression = self.spread(&texts, |text| panel::regression(self.bench, text, &self.taken));
        let mut seconds = BTreeMap::new();
        let mut rows = Vec::with_capacity(done.len());
        for (row, took) in done {
            seconds.insert(row.attack.attack_id.clone(), took);
            rows.push(row);
        }
        Ok(SuiteReport {
            rows,
            regression: regression.into_iter().collect::<Result<_, _>>()?,
            seconds,
            seed: self.seed,
            smoke_only: self.smoke_only,
            only: self.only.clone(),
            taken: self.taken.clone(),
        })
    }

    /// The attacks that were asked for, in the order of the suite.
    fn chosen(&self) -> Result<Vec<&Attack>, AssuranceError> {
        let all = &self.suite.attacks;
        if let Some(unknown) = self.only.iter().find(|id| all.iter().all(|attack| attack.attack_id != **id)) {
            let known: Vec<&str> = all.iter().map(|attack| attack.attack_id.as_str()).collect();
            return Err(AssuranceError::Unknown { what: "attack", name: unknown.clone(), known: known.join(", ") });
        }
        let is_asked_for = |attack: &&Attack| {
            if self.only.is_empty() { attack.smoke || !self.smoke_only } else { self.only.contains(&attack.attack_id) }
        };
        Ok(all.iter().filter(is_asked_for).collect())
    }

    /// Does something for each of a list, on several threads; what comes of it is in the order of the list.
    ///
    /// Not by way of rayon: exercises run benchmarks, which have pools of their own, and a thread of rayon's that waits for
    /// one of these does another attack meanwhile, so that nobody could say how long any of them took.
    fn spread<T: Sync, R: Send>(&self, items: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(items.len()));
        std::thread::scope(|scope| {
            for _ in 0..self.threads.clamp(1, items.len().max(1)) {
                scope.spawn(|| {
                    while let Some((at, item)) = take(&next, items) {
                        let one = each(item);
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((at, one));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, one)| one).collect()
    }

    fn row(&self, attack: &Attack) -> Row {
        let row = |passed, error, observed, trial| Row {
            attack: attack.clone(),
            passed,
            error,
            skipped: false,
            observed,
            trial,
            pack: None,
        };
        if let Kind::Pack(pack) = &attack.kind {
            return self.system(attack, pack);
        }
        match self.trial(attack) {
            Ok(trial) => {
                let verdict = trial.verdict(attack.expected, &attack.control_id);
                row(verdict.why_not.is_none(), verdict.why_not, Some(verdict.observed.name()), Some(trial))
            }
            Err(error) => row(false, Some(error.to_string()), None, None),
        }
    }

    fn trial(&self, attack: &Attack) -> Result<Trial, AssuranceError> {
        let unknown = |what, name: &str| AssuranceError::Unknown {
            what,
            name: name.to_owned(),
            known: "those of the policy".to_owned(),
        };
        let suite = self.suite;
        match &attack.kind {
            Kind::Scenario(id) => {
                let scenario = suite.scenarios.get(id).ok_or_else(|| unknown("scenario", id))?;
                panel::scenario(self.bench, attack, scenario, suite.bound(id), &self.taken)
            }
            Kind::Attacker { .. } => {
                let recorded =
                    suite.payloads.get(&attack.attack_id).ok_or_else(|| unknown("payload of", &attack.attack_id))?;
                panel::recorded(self.bench, attack, recorded, suite.bound(&attack.attack_id), &self.taken)
            }
            Kind::Exercise(test_ref) => {
                if !suite.allowlist.contains(test_ref) {
                    return Err(AssuranceError::Invalid {
                        file: super::model::ALLOWLIST.to_owned(),
                        place: attack.attack_id.clone(),
                        problem: format!("{test_ref:?} is not among the exercises that may be run"),
                    });
                }
                let exercise = exercises::find(&attack.attack_id, test_ref)?;
                exercise(&Grounds {
                    bench: self.bench,
                    registry: self.registry,
                    attack,
                    seed: self.seed,
                    taken: &self.taken,
                })
            }
            Kind::Pack(_) => Err(unknown("attack of this kind", &attack.attack_id)),
        }
    }

    /// An attack on the whole system. A matrix that could not be run is no pass, and one that was left out is no result.
    fn system(&self, attack: &Attack, pack: &PackRef) -> Row {
        let row = |passed, error: Option<String>, skipped, verdict| Row {
            attack: attack.clone(),
            passed,
            error,
            skipped,
            observed: None,
            trial: None,
            pack: verdict,
        };
        if self.skip_system_level {
            return row(false, Some("coord_pack_ref skipped (--skip-system-level)".to_owned()), true, None);
        }
        let Some(run) = self.pack else {
            return row(false, Some("this program runs no matrices of the pack".to_owned()), false, None);
        };
        match run(pack) {
            Err(error) => row(false, Some(error.to_string()), false, None),
            Ok(verdict) => {
                let named = verdict.failed_cells.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
                let why = if !verdict.gate_passed || !verdict.failed_cells.is_empty() {
                    Some(format!("{} cells fail the gate: {named}", verdict.failed_cells.len()))
                } else if verdict.passed_cells == 0 {
                    // No cell that passed is no evidence, whatever the criterion.
                    Some(format!("no cell passed; {} were not run", verdict.not_run))
                } else {
                    None
                };
                let observed = if why.is_none() { Some(attack.expected.name()) } else { Some("accepted") };
                Row { observed, ..row(why.is_none(), why, false, Some(verdict)) }
            }
        }
    }
}

/// The next of a list that nobody has taken yet, with its place.
fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    items.get(at).map(|item| (at, item))
}
