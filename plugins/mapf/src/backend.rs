//! The back-ends by name, what each promises, and the one interface to all of them.

use crate::error::MapfError;
use crate::graph::Graph;
use crate::instance::{Agent, Reservation};
use crate::plan::Plan;
use crate::rolling::Router;
use std::sync::Arc;

/// A way to plan. All of them respect capacities, travel times, doors and exclusive edges.
///
/// | back-end | finds a plan if there is one | ends if there is none | cost | reservations with a time | source |
/// | --- | --- | --- | --- | --- | --- |
/// | `whca` | no | by its limits | no promise | yes | Silver 2005; Ma et al. 2019 |
/// | `pibt` | no | by its limits | no promise | yes, one step ahead | Okumura et al. 2022 |
/// | `lacam` | yes | yes | no promise | refused | Okumura 2023 |
/// | `cbs` | yes | by its budget | least | yes | Sharon et al. 2015 |
/// | `ecbs` | yes | by its budget | at most `w` times the least | yes | Barer et al. 2014 |
/// | `rhcr` | no | by its limits | no promise | yes | Li et al. 2021; Ma et al. 2019 |
/// | `lns` | no | by its budget | no promise | yes | Li et al. 2022 |
///
/// "If there is one": given the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backend {
    /// Windowed cooperative A*.
    Whca,
    /// Priority inheritance with backtracking.
    Pibt,
    /// Lazy constraints addition search.
    Lacam,
    /// Conflict-based search.
    Cbs,
    /// Enhanced conflict-based search.
    Ecbs,
    /// Rolling-horizon collision resolution with priority-based search.
    Rhcr,
    /// Large neighbourhood search that repairs an infeasible plan.
    Lns,
}

/// What a back-end promises. See the table at [`Backend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// It finds a plan to all goals whenever there is one, given the budget.
    pub complete: bool,
    /// It ends with [`MapfError::NoPlan`] when there is no plan, given the budget, and that is a proof.
    pub refutes: bool,
    /// Its cost is at most this ratio of the least, if it promises anything. [`Options::w`] is meant where that is the ratio.
    pub bounded: bool,
    /// It takes reservations that begin or end at a step.
    pub timed_reservations: bool,
    /// Papers.
    pub source: &'static str,
}

impl Backend {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Whca, Self::Pibt, Self::Lacam, Self::Cbs, Self::Ecbs, Self::Rhcr, Self::Lns];

    /// Its name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whca => "whca",
            Self::Pibt => "pibt",
            Self::Lacam => "lacam",
            Self::Cbs => "cbs",
            Self::Ecbs => "ecbs",
            Self::Rhcr => "rhcr",
            Self::Lns => "lns",
        }
    }

    /// The back-end of that name; spaces around it and capitals do not matter.
    ///
    /// # Errors
    /// [`MapfError::UnknownBackend`], which lists the names. No name stands for another back-end.
    pub fn parse(name: &str) -> Result<Self, MapfError> {
        let wanted = name.trim().to_lowercase();
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == wanted)
            .ok_or_else(|| MapfError::UnknownBackend { name: name.into(), known: Self::ALL.map(Self::name).join(", ") })
    }

    /// What it promises.
    pub const fn features(self) -> Features {
        let none = Features { complete: false, refutes: false, bounded: false, timed_reservations: true, source: "" };
        match self {
            Self::Whca => Features { source: "Silver, AIIDE 2005; Ma et al., AAAI 2019", ..none },
            Self::Pibt => Features { source: "Okumura et al., AIJ 310, 2022", ..none },
            Self::Lacam => Features {
                complete: true,
                refutes: true,
                timed_reservations: false,
                source: "Okumura, AAAI 2023",
                ..none
            },
            Self::Cbs => Features { complete: true, bounded: true, source: "Sharon et al., AIJ 219, 2015", ..none },
            Self::Ecbs => Features { complete: true, bounded: true, source: "Barer et al., SoCS 2014", ..none },
            Self::Rhcr => Features { source: "Li et al., AAAI 2021; Ma et al., AAAI 2019", ..none },
            Self::Lns => Features { source: "Li et al., AAAI 2022", ..none },
        }
    }

    /// A planner on a graph. It keeps distances, and some back-ends priorities, from call to call.
    ///
    /// # Errors
    /// [`MapfError::BadValue`] for options that cannot be.
    pub fn planner(self, graph: Arc<Graph>, options: Options) -> Result<Box<dyn Planner>, MapfError> {
        options.check()?;
        Ok(Box::new(Router::new(self, graph, options)))
    }
}

/// A ratio of whole numbers, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    over: u32,
    under: u32,
}

impl Ratio {
    /// Nothing above the least.
    pub const ONE: Self = Self { over: 1, under: 1 };

    /// `over / under`; `None` below 1 or with a divisor of 0.
    pub const fn new(over: u32, under: u32) -> Option<Self> {
        if under == 0 || over < under { None } else { Some(Self { over, under }) }
    }

    /// Whether `cost` is at most this many times `least`.
    pub fn covers(self, cost: u64, least: u64) -> bool {
        u128::from(cost) * u128::from(self.under) <= u128::from(least) * u128::from(self.over)
    }
}

/// Parameters of a planner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Window of `whca` and `rhcr` when they solve an instance [steps], 1 to 64. A call for a window says its own length.
    pub window: u32,
    /// Steps of it that are carried out before the next is planned [steps], at least 1.
    pub commit: u32,
    /// Node expansions of one call [count]: one place of one agent, looked at once. `pibt` and `lacam` spend one for each
    /// agent and step.
    pub budget: u64,
    /// Cost that `ecbs` may have over the least.
    pub w: Ratio,
    /// What decides between equals in `pibt`, `lacam` and `lns`.
    pub seed: u64,
    /// Steps after which `whca`, `pibt` and `rhcr` give an instance up [steps].
    pub max_steps: u32,
    /// Whether a window that the back-end does not find a plan for is planned by `pibt`. [`Effort::fallbacks`] counts them.
    pub fallback: bool,
}

impl Default for Options {
    fn default() -> Self {
        let w = Ratio { over: 6, under: 5 };
        Self { window: 16, commit: 8, budget: 4_000_000, w, seed: 0, max_steps: 10_000, fallback: true }
    }
}

impl Options {
    fn check(&self) -> Result<(), MapfError> {
        let bad = |what: &str, value: u32, hint| {
            Err(MapfError::BadValue { what: what.into(), problem: format!("{value} is out of range"), hint })
        };
        match self {
            Self { window: 0 | 65.., .. } => bad("window", self.window, "give 1 to 64 steps"),
            Self { commit: 0, .. } => bad("commit", 0, "give 1 to the window's steps"),
            _ => Ok(()),
        }
    }
}

/// What is asked of [`Planner::plan`].
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Everybody, in the same order in every call: where they are, where they are to go, and who has a token.
    pub agents: &'a [Agent],
    /// What is taken by others, counted from now.
    pub reservations: &'a [Reservation],
    /// Steps that are wanted [steps], at least 1.
    pub steps: u32,
}

/// A plan and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Where everybody is at each step. Free of violations in all of it.
    pub plan: Plan,
    /// What it took.
    pub effort: Effort,
}

/// What a call took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Effort {
    /// Node expansions [count].
    pub expansions: u64,
    /// Windows planned [count].
    pub windows: u32,
    /// Of them planned by `pibt` because the back-end found nothing within its budget [count].
    pub fallbacks: u32,
}

/// Something that plans for everybody at once.
///
/// A planner is deterministic: the same calls in the same order give the same plans.
pub trait Planner: Send {
    /// Which back-end it is.
    fn backend(&self) -> Backend;

    /// The next [`Window::steps`] steps of everybody.
    ///
    /// Back-ends that only plan to the end (`lacam`, `cbs`, `ecbs`, `lns`) do that and give the beginning; when more agents
    /// share a goal than fit there, the nearest go on and the others wait without a goal. Agents may be on their way in the
    /// last row; carry at most the window out and ask again.
    ///
    /// # Errors
    /// [`MapfError::UnknownVertex`], [`MapfError::StartFull`], [`MapfError::Unreachable`] and [`MapfError::Unsupported`] for
    /// what is asked; [`MapfError::Exhausted`] and [`MapfError::NoPlan`] when nothing is found, by the fallback neither.
    fn plan(&mut self, window: &Window<'_>) -> Result<Planned, MapfError>;

    /// A plan that brings everybody to their goals.
    ///
    /// # Errors
    /// As [`Planner::plan`]; [`MapfError::GoalFull`] when more agents share a goal than fit there; [`MapfError::TooLong`] when
    /// a back-end that plans by windows has not finished after [`Options::max_steps`]. There is no fallback but in windows.
    fn solve(&mut self, agents: &[Agent], reservations: &[Reservation]) -> Result<Planned, MapfError>;
}
