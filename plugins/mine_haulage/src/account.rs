//! The books of one replication: what each resource and each truck did with the shift.
//!
//! A resource is accounted for twice. One book integrates its state over time: trucks inside, trucks waiting. The other
//! adds what each truck spent there, measured by the truck's own arrivals and starts. Those still inside at the end of
//! the shift are in both, up to the end. The two must agree to the nanosecond on every run: that is the utilisation law
//! and Little's law as identities of a sample path, and a run whose books differ has lost or invented a truck.

use labtrust_kernel::SimDuration;

/// The account of a loader, a dump point or a road over the shift.
///
/// Trucks that are inside when the accounts begin (after a warm-up) count as arriving, or starting, at that moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Trucks that came [count].
    pub arrivals: u64,
    /// Trucks whose service (or traversal) began [count].
    pub starts: u64,
    /// Trucks whose service (or traversal) ended [count].
    pub completions: u64,
    /// Trucks that had to wait before they started, or are waiting still [count].
    pub waited: u64,
    /// Integral of the trucks in service over time [truck ns].
    pub busy_ns: u64,
    /// Sum of the times that trucks spent in service [ns].
    pub service_ns: u64,
    /// Integral of the queue's length over time [truck ns].
    pub queue_integral_ns: u64,
    /// Sum of the times that trucks spent in the queue [ns].
    pub queue_wait_ns: u64,
    /// Longest queue [trucks].
    pub max_queue: u32,
    /// Trucks in service at the end [count].
    pub in_service_at_end: u32,
    /// Trucks in the queue at the end [count].
    pub waiting_at_end: u32,
}

impl Account {
    /// Part of the capacity in use, from 0 to 1; 0 for a window of no length.
    #[must_use]
    pub fn utilisation(&self, capacity: u32, window: SimDuration) -> f64 {
        ratio(self.busy_ns as f64, f64::from(capacity) * window.as_nanos() as f64)
    }

    /// Mean time in the queue of those that came, those included that did not wait [min]; 0 of none.
    #[must_use]
    pub fn mean_wait_min(&self) -> f64 {
        ratio(self.queue_wait_ns as f64 / NANOS_PER_MIN, self.arrivals as f64)
    }

    /// Mean time in service of those that started [min]; 0 of none.
    #[must_use]
    pub fn mean_service_min(&self) -> f64 {
        ratio(self.service_ns as f64 / NANOS_PER_MIN, self.starts as f64)
    }

    /// Mean length of the queue over time [trucks]; 0 for a window of no length.
    #[must_use]
    pub fn mean_queue(&self, window: SimDuration) -> f64 {
        ratio(self.queue_integral_ns as f64, window.as_nanos() as f64)
    }

    /// Whether the two books of this account agree.
    ///
    /// # Errors
    /// The first pair of figures that differs.
    pub fn check(&self) -> Result<(), Mismatch> {
        let pairs = [
            ("time in service, by state and by truck [ns]", self.busy_ns, self.service_ns),
            ("time in the queue, by state and by truck [ns]", self.queue_integral_ns, self.queue_wait_ns),
            ("arrivals, and starts with those waiting", self.arrivals, self.starts + u64::from(self.waiting_at_end)),
            (
                "starts, and completions with those in service",
                self.starts,
                self.completions + u64::from(self.in_service_at_end),
            ),
        ];
        pairs.into_iter().try_for_each(|(what, one, other)| Mismatch::unless_equal(what, one, other))
    }
}

/// Two figures that must be equal and are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {one} is not {other}")]
pub struct Mismatch {
    /// What was compared.
    pub what: &'static str,
    /// One figure.
    pub one: u64,
    /// The other.
    pub other: u64,
}

impl Mismatch {
    pub(crate) fn unless_equal(what: &'static str, one: u64, other: u64) -> Result<(), Self> {
        if one == other { Ok(()) } else { Err(Self { what, one, other }) }
    }
}

/// What a truck does at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activity {
    /// On a road, empty.
    DrivingEmpty,
    /// On a road, loaded.
    DrivingLoaded,
    /// At the entry of a road whose lane is full.
    WaitingForRoad,
    /// In a loader's queue.
    WaitingForLoader,
    /// In the dump point's queue.
    WaitingForDump,
    /// Being loaded.
    Loading,
    /// Dumping.
    Dumping,
}

impl Activity {
    /// Every activity, in the order of [`TruckAccount::activity_ns`].
    pub const ALL: [Self; 7] = [
        Self::DrivingEmpty,
        Self::DrivingLoaded,
        Self::WaitingForRoad,
        Self::WaitingForLoader,
        Self::WaitingForDump,
        Self::Loading,
        Self::Dumping,
    ];

    /// Whether a truck that does this is of use: it drives, is loaded or dumps.
    #[must_use]
    pub const fn is_busy(self) -> bool {
        matches!(self, Self::DrivingEmpty | Self::DrivingLoaded | Self::Loading | Self::Dumping)
    }
}

/// A truck's account over the shift.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TruckAccount {
    /// Time in each activity, in the order of [`Activity::ALL`] [ns].
    pub activity_ns: [u64; 7],
    /// Completed dumps [count].
    pub dumps: u64,
    /// Tonnes of the completed dumps [t].
    pub tonnes: f64,
    /// Sum of the completed cycles, each from dispatch to the end of its dump [ns].
    pub cycle_ns: u64,
}

impl TruckAccount {
    /// Time in `activity` [ns].
    #[must_use]
    pub const fn spent_ns(&self, activity: Activity) -> u64 {
        self.activity_ns[activity as usize]
    }

    /// Time that the truck was of use: driving, being loaded, dumping [ns].
    #[must_use]
    pub fn busy_ns(&self) -> u64 {
        Activity::ALL.into_iter().filter(|activity| activity.is_busy()).map(|activity| self.spent_ns(activity)).sum()
    }

    /// Time on roads [ns].
    #[must_use]
    pub const fn driving_ns(&self) -> u64 {
        self.spent_ns(Activity::DrivingEmpty) + self.spent_ns(Activity::DrivingLoaded)
    }

    /// Time in queues [ns].
    #[must_use]
    pub fn waiting_ns(&self) -> u64 {
        Activity::ALL.into_iter().filter(|activity| !activity.is_busy()).map(|activity| self.spent_ns(activity)).sum()
    }
}

/// Nanoseconds in a minute.
pub const NANOS_PER_MIN: f64 = 60e9;

pub(crate) fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
