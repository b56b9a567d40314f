//! What one replication came to.

use crate::account::{Account, Activity, Mismatch, NANOS_PER_MIN, TruckAccount, ratio};
use labtrust_kernel::{SimDuration, SimTime};
use labtrust_plugin::method::Tally;
use labtrust_plugin::wire::Problem;

/// The figures of one replication: everything that reports are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Events that happened, warm-up included [count].
    pub events: u64,
    /// The time that the accounts cover.
    pub shift: SimDuration,
    /// Tonnes of completed dumps [t].
    pub tonnes: f64,
    /// Completed dumps [count].
    pub dumps: u64,
    /// The fleet, in its order.
    pub trucks: Vec<TruckAccount>,
    /// The site's loaders, in its order; those that take no part have empty accounts.
    pub loaders: Vec<Account>,
    /// The dump point that takes the ore.
    pub dump: Account,
    /// Roads, in the order of [`Model::roads`](crate::Model::roads).
    pub roads: Vec<Account>,
    /// What was counted of the dispatch policy, where it is a file of its own.
    pub dispatch: Tally,
}

/// A dispatch policy that failed. There is no outcome then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dispatch policy {policy} fails in scenario {scenario} with seed {seed}, {}: {problem}", when(*at))]
pub struct DispatchError {
    /// The policy.
    pub policy: String,
    /// The scenario.
    pub scenario: String,
    /// The seed of the replication.
    pub seed: u64,
    /// When it was asked; none before the first truck.
    pub at: Option<SimTime>,
    /// What went wrong.
    pub problem: Problem,
}

fn when(at: Option<SimTime>) -> String {
    at.map_or_else(|| "before it begins".to_owned(), |at| format!("at {} s", at.as_secs_f64()))
}

/// Books that do not agree: the simulation lost or invented something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the books of {of} with seed {seed} do not agree: {mismatch}")]
pub struct BookError {
    /// The seed of the replication.
    pub seed: u64,
    /// Whose books, `loader 0` say.
    pub of: String,
    /// The figures.
    pub mismatch: Mismatch,
}

impl Outcome {
    /// Tonnes an hour of the shift [t/h].
    #[must_use]
    pub fn tonnes_per_hour(&self) -> f64 {
        ratio(self.tonnes, self.shift.as_secs_f64() / 3600.0)
    }

    /// Mean length of the completed cycles, from dispatch to the end of the dump [min]; 0 of none.
    #[must_use]
    pub fn mean_cycle_min(&self) -> f64 {
        let sum: u64 = self.trucks.iter().map(|truck| truck.cycle_ns).sum();
        ratio(sum as f64 / NANOS_PER_MIN, self.dumps as f64)
    }

    /// Part of the fleet's time in which trucks drove, were loaded or dumped, from 0 to 1.
    #[must_use]
    pub fn truck_utilisation(&self) -> f64 {
        let busy: u64 = self.trucks.iter().map(TruckAccount::busy_ns).sum();
        ratio(busy as f64, self.trucks.len() as f64 * self.shift.as_nanos() as f64)
    }

    /// Mean time in a loader's queue, over the arrivals at all loaders [min]; 0 of none.
    #[must_use]
    pub fn mean_loader_wait_min(&self) -> f64 {
        let wait: u64 = self.loaders.iter().map(|loader| loader.queue_wait_ns).sum();
        let arrivals: u64 = self.loaders.iter().map(|loader| loader.arrivals).sum();
        ratio(wait as f64 / NANOS_PER_MIN, arrivals as f64)
    }

    /// Whether all books agree: those of each resource, each truck's day, and trucks against resources.
    ///
    /// # Errors
    /// [`BookError`] for the first pair of figures that differs.
    pub fn check_books(&self) -> Result<(), BookError> {
        let in_book = |of: String| move |mismatch| BookError { seed: self.seed, of, mismatch };
        for (index, account) in self.loaders.iter().enumerate() {
            account.check().map_err(in_book(format!("loader {index}")))?;
        }
        self.dump.check().map_err(in_book("the dump point".to_owned()))?;
        for (index, account) in self.roads.iter().enumerate() {
            account.check().map_err(in_book(format!("road {index}")))?;
        }
        for (index, truck) in self.trucks.iter().enumerate() {
            let day = truck.activity_ns.iter().sum();
            Mismatch::unless_equal("all activities, and the shift [ns]", day, self.shift.as_nanos())
                .map_err(in_book(format!("truck {index}")))?;
        }
        let spent = |activity: Activity| self.trucks.iter().map(|truck| truck.spent_ns(activity)).sum::<u64>();
        let served = |accounts: &[Account]| accounts.iter().map(|account| account.busy_ns).sum::<u64>();
        let queued = |accounts: &[Account]| accounts.iter().map(|account| account.queue_integral_ns).sum::<u64>();
        let driving = spent(Activity::DrivingEmpty) + spent(Activity::DrivingLoaded);
        let dump = [self.dump];
        let dumps = self.trucks.iter().map(|truck| truck.dumps).sum();
        let pairs = [
            ("trucks loading, and loaders at work [ns]", spent(Activity::Loading), served(&self.loaders)),
            ("trucks dumping, and the dump point at work [ns]", spent(Activity::Dumping), served(&dump)),
            ("trucks driving, and roads in use [ns]", driving, served(&self.roads)),
            ("trucks waiting, and loaders' queues [ns]", spent(Activity::WaitingForLoader), queued(&self.loaders)),
            ("trucks waiting, and the dump point's queue [ns]", spent(Activity::WaitingForDump), queued(&dump)),
            ("trucks waiting, and roads' queues [ns]", spent(Activity::WaitingForRoad), queued(&self.roads)),
            ("dumps of trucks, and of the dump point", dumps, self.dump.completions),
            ("dumps of trucks, and of the replication", dumps, self.dumps),
        ];
        pairs
            .into_iter()
            .try_for_each(|(what, one, other)| Mismatch::unless_equal(what, one, other))
            .map_err(in_book("trucks and resources".to_owned()))
    }
}
