//! What can be found out about a plugin without running an episode: it is put to work on made-up sites.

use labtrust_plugin::method::{CoordinationMethod, Tally};
use labtrust_plugin::mine::{DispatchPolicy, LoaderId};
use labtrust_plugin::testing::{Size, dispatch_request, mine_site, observation, site};
use labtrust_plugin::wire::{Decision, Problem, ProblemKind, Setting, Settings};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is called.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was found, in words.
    pub found: String,
}

/// Sites from next to nothing to a full laboratory: zones, devices, agents, and about how much work there is.
const SITES: [(Size, usize); 5] = [
    (Size { zones: 0, devices: 0, agents: 0 }, 0),
    (Size { zones: 1, devices: 1, agents: 1 }, 1),
    (Size { zones: 3, devices: 2, agents: 3 }, 6),
    (Size { zones: 6, devices: 8, agents: 12 }, 40),
    (Size { zones: 14, devices: 30, agents: 60 }, 100),
];
/// Mines from a truck and a loader to a large fleet: trucks, loaders.
const MINES: [(u16, u16); 4] = [(1, 1), (4, 2), (12, 3), (80, 16)];
/// Observations of each site, requests in each mine [count].
const STEPS: u64 = 40;
/// A parameter that no plugin has.
const NO_PARAMETER: &str = "labtrust_check_unknown_parameter";

impl Check {
    fn new(name: &'static str, result: Result<String, String>) -> Self {
        let (passed, found) = match result {
            Ok(found) => (true, found),
            Err(found) => (false, found),
        };
        Self { name, passed, found }
    }
}

/// Puts a method to work with its default parameters.
#[must_use]
pub fn check_method(method: &dyn CoordinationMethod) -> Vec<Check> {
    let (size, _) = SITES[2];
    let mut checks = played_twice(|| play(method), |first| vec![Check::new("acts", acts(&first.decisions))]);
    checks.push(refuses_unknown(|settings| method.create(settings, &site(0, size)).is_err()));
    checks
}

/// Puts a dispatch policy to work with its default parameters.
#[must_use]
pub fn check_dispatch(policy: &dyn DispatchPolicy) -> Vec<Check> {
    let (trucks, loaders) = MINES[1];
    let mut checks = played_twice(|| play_mines(policy), |_| Vec::new());
    let mine = mine_site(0, trucks, loaders);
    checks.push(refuses_unknown(|settings| policy.dispatcher(settings, &mine).is_err()));
    checks
}

/// Whether it works, and decides the same when it begins anew; and what else there is to say of what it did.
fn played_twice<D: PartialEq>(
    play: impl Fn() -> Result<Played<D>, String>,
    more: impl FnOnce(&Played<D>) -> Vec<Check>,
) -> Vec<Check> {
    let first = match play() {
        Err(found) => return vec![Check::new("works", Err(found))],
        Ok(first) => first,
    };
    let repeatable = play().and_then(|again| first.same_as(&again));
    let mut checks = vec![Check::new("works", Ok(first.told())), Check::new("repeatable", repeatable)];
    checks.extend(more(&first));
    checks
}

/// All sites or mines, one after the other.
struct Played<D> {
    /// Those at which it works [count].
    places: usize,
    decisions: Vec<D>,
    tally: Tally,
}

impl<D> Played<D> {
    fn nothing() -> Self {
        let tally = Tally::default();
        Self { places: 0, decisions: Vec::new(), tally }
    }

    /// Counts what was done at one place. A study may go on after a failure; a check does not.
    fn count(&mut self, tally: Tally) -> Result<(), String> {
        self.places += 1;
        self.tally.fuel += tally.fuel;
        self.tally.fuel_max = self.tally.fuel_max.max(tally.fuel_max);
        tally.first_failure.map_or(Ok(()), Err)
    }
}

fn play_mines(policy: &dyn DispatchPolicy) -> Result<Played<LoaderId>, String> {
    let mut played = Played::nothing();
    for (number, (trucks, loaders)) in (0..).zip(MINES) {
        let mine = mine_site(number, trucks, loaders);
        let at = |when: String, problem: Problem| format!("{when}, with {trucks} trucks, {loaders} loaders: {problem}");
        let begun = policy.dispatcher(&Settings::default(), &mine);
        let mut at_work = begun.map_err(|problem| at("at the beginning".to_owned(), problem))?;
        for step in 0..STEPS {
            let seen = dispatch_request(number * STEPS + step, &mine);
            let chosen = at_work.choose(&seen).and_then(|chosen| seen.on_offer(chosen).map(|()| chosen));
            played.decisions.push(chosen.map_err(|problem| at(format!("for truck {step}"), problem))?);
        }
        played.count(at_work.tally())?;
    }
    Ok(played)
}

fn play(method: &dyn CoordinationMethod) -> Result<Played<Decision>, String> {
    let mut played = Played::nothing();
    for (number, (size, work)) in (0..).zip(SITES) {
        let site = site(number, size);
        let at = |step: Option<u64>, problem: Problem| {
            let step = step.map_or("at the beginning".to_owned(), |step| format!("in step {step}"));
            let Size { zones, devices, agents } = size;
            format!("{step}, with {zones} zones, {devices} devices, {agents} agents: {problem}")
        };
        let mut at_work = match method.create(&Settings::default(), &site) {
            // It may say that it cannot work at a site; some site there must be.
            Err(problem) if problem.kind == ProblemKind::Site => continue,
            begun => begun.map_err(|problem| at(None, problem))?,
        };
        for step in 0..STEPS {
            let seen = observation(number * STEPS + step, &site, work).map_err(|error| error.to_string())?;
            let mut out = Decision::default();
            let decided = at_work.decide(&seen, &mut out).and_then(|()| out.check(&site, &seen));
            decided.map_err(|problem| at(Some(step), problem))?;
            played.decisions.push(out);
        }
        played.count(at_work.tally()).map_err(|failure| at(None, Problem::new(failure)))?;
    }
    match played.places {
        0 => Err(format!("it works at none of {} made-up sites", SITES.len())),
        _ => Ok(played),
    }
}

impl<D: PartialEq> Played<D> {
    fn told(&self) -> String {
        let fuel_max = self.tally.fuel_max;
        let fuel = if fuel_max > 0 { format!(", at most {fuel_max} fuel each") } else { String::new() };
        format!("{} decisions at {} made-up sites{fuel}", self.decisions.len(), self.places)
    }

    fn same_as(&self, other: &Self) -> Result<String, String> {
        if let Some(step) = self.decisions.iter().zip(&other.decisions).position(|(one, other)| one != other) {
            return Err(format!("decision {step} came out differently the second time"));
        }
        if self.tally != other.tally {
            return Err(format!("it used {} fuel, and {} the second time", self.tally.fuel, other.tally.fuel));
        }
        // Only a sandbox counts fuel.
        let fuel = if self.tally.fuel > 0 { ", with the same fuel" } else { "" };
        Ok(format!("the same decisions{fuel}, by a new instance"))
    }
}

fn acts(decisions: &[Decision]) -> Result<String, String> {
    let acting = decisions.iter().filter(|decision| !decision.choices.is_empty()).count();
    match acting {
        0 => Err("nobody acted in any decision".to_owned()),
        _ => Ok(format!("somebody acted in {acting} of {} decisions", decisions.len())),
    }
}

/// A misspelt parameter must not pass for its default.
fn refuses_unknown(refused: impl FnOnce(&Settings) -> bool) -> Check {
    let settings = Settings([(NO_PARAMETER.to_owned(), Setting::Flag(true))].into());
    let found = match refused(&settings) {
        true => Ok("one that it does not have is refused"),
        false => Err("one that it does not have is taken; its schema should say `\"additionalProperties\": false`"),
    };
    Check::new("parameters", found.map(str::to_owned).map_err(str::to_owned))
}
