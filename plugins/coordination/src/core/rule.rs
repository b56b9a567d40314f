//! What a method is, beside what all methods share: how urgent it finds work, and who gets it.

use super::{Floor, Job, Plan, Routing, Step, rank};
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, MethodCard, Told};
use labtrust_plugin::params::Params;
use labtrust_plugin::wire::{Act, Priority, Problem, ProblemKind};

/// The idea of a method. [`Driver`](super::Driver) makes a [`Method`](labtrust_plugin::method::Method) of it.
///
/// A rule is a function of what it was given: chance comes from streams named by the episode's seed and a purpose.
pub trait Rule: Send + Sized + 'static {
    /// The published id.
    const ID: &'static str;
    /// What it does, in one sentence.
    const SUMMARY: &'static str;
    /// Where it belongs, what it costs, where it comes from.
    const CARD: MethodCard;
    /// How often a job that was refused may be given to somebody else before it is left alone for a minute [count].
    const AWARDED_AGAIN: u32 = 0;
    /// Its parameters; one of them is `core`.
    type Params: Params;

    /// The rule at the start of an episode.
    ///
    /// # Errors
    /// [`Problem`] for parameters that make no sense.
    fn new(params: Self::Params, floor: &Floor) -> Result<Self, Problem>;

    /// How urgent a piece of work is: the least first, among work of one [`rank`](super::rank) [s].
    ///
    /// By itself: what has waited longest, as if STAT work had come a quarter of an hour earlier.
    fn urgency(&self, job: &Job, now_s: i64) -> i64 {
        let _ = now_s;
        job.arrival_s.saturating_sub(head_start_s(job.priority))
    }

    /// By when a piece of work is due [s], for a rule that sets such times: what telemetry says of it.
    fn due_s(&self, job: &Job) -> Option<i64> {
        let _ = job;
        None
    }

    /// What comes first whatever its urgency, the least first: by itself, what is nearer to a release.
    fn rank(&self, act: Act) -> u8 {
        rank(act)
    }

    /// Whether those without work are sent to their posts. A rule that moves everybody itself says no.
    fn stages(&self) -> bool {
        true
    }

    /// How it finds ways where there is little room.
    fn routing(&self) -> Routing {
        Routing::Shortest
    }

    /// Called once a step before work is listed: whether and how the rule learns.
    fn begin(&mut self, step: &Step<'_>) {
        let _ = step;
    }

    /// Gives work to idle workers, or sends them somewhere.
    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan);

    /// What it wants on record beside its newest decision: messages that were not believed, for instance.
    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        let _ = out;
    }

    /// What it has to tell of itself, for the metrics.
    fn told(&self) -> Told {
        Told::new()
    }

    /// Puts somebody on the wire ([`Talk::tap`](super::talk::Talk::tap)); whether there is a network.
    fn tap(&mut self, tap: SharedTap) -> bool {
        let _ = tap;
        false
    }

    /// Who heard nothing of what was sent to them in the newest step ([`Talk::unreached`](super::talk::Talk::unreached)).
    fn unreached(&self) -> &[u16] {
        &[]
    }
}

/// By how much urgent work overtakes routine work that has waited [s].
#[must_use]
pub const fn head_start_s(priority: Priority) -> i64 {
    match priority {
        Priority::Stat => 900,
        Priority::Urgent => 450,
        Priority::Routine => 0,
    }
}

/// Whether a method has its algorithmic core, or works without it to show what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// As published.
    On,
    /// Without: its card says what is in its place.
    Off,
}

impl Core {
    /// The value of the parameter `core`.
    ///
    /// # Errors
    /// [`ProblemKind::Settings`] for anything but `on` and `off`.
    pub fn read(text: &str) -> Result<Self, Problem> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            other => {
                let message = format!("core: {other:?} is neither \"on\" nor \"off\"");
                Err(Problem::of_kind(ProblemKind::Settings, message))
            }
        }
    }

    /// Whether the core is there.
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}
