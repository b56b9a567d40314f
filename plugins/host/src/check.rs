//! What can be found out about a plugin without running an episode: it is put to work on made-up sites.

use labtrust_plugin::method::{CoordinationMethod, Tally};
use labtrust_plugin::testing::{Size, observation, site};
use labtrust_plugin::wire::{Decision, Problem, Setting, Settings, Site};

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
/// Observations of each site [count].
const STEPS: u64 = 40;
/// A parameter that no plugin has.
const NO_PARAMETER: &str = "labtrust_check_unknown_parameter";

/// Puts a method to work with its default parameters.
#[must_use]
pub fn check_method(method: &dyn CoordinationMethod) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut check = |name, result: Result<String, String>| {
        let (passed, found) = match result {
            Ok(found) => (true, found),
            Err(found) => (false, found),
        };
        checks.push(Check { name, passed, found });
        passed
    };
    let first = play(method);
    let went = check("works", first.as_ref().map(Played::told).map_err(Clone::clone));
    if let (true, Ok(first)) = (went, &first) {
        check("repeatable", play(method).and_then(|again| first.same_as(&again)));
        check("acts", first.acts());
    }
    check("parameters", refuses_unknown(method));
    checks
}

/// All sites, one after the other.
struct Played {
    decisions: Vec<Decision>,
    tally: Tally,
}

fn play(method: &dyn CoordinationMethod) -> Result<Played, String> {
    let mut played = Played { decisions: Vec::new(), tally: Tally::default() };
    for (number, (size, work)) in (0..).zip(SITES) {
        let site = site(number, size);
        let at = |step: Option<u64>, problem: Problem| {
            let step = step.map_or("at the beginning".to_owned(), |step| format!("in step {step}"));
            let Size { zones, devices, agents } = size;
            format!("{step}, with {zones} zones, {devices} devices, {agents} agents: {problem}")
        };
        let mut at_work = method.create(&Settings::default(), &site).map_err(|problem| at(None, problem))?;
        for step in 0..STEPS {
            let seen = observation(number * STEPS + step, &site, work).map_err(|error| error.to_string())?;
            let mut out = Decision::default();
            let decided = at_work.decide(&seen, &mut out).and_then(|()| out.check(&site, &seen));
            decided.map_err(|problem| at(Some(step), problem))?;
            played.decisions.push(out);
        }
        let tally = at_work.tally();
        // A study may go on after a failure; a check does not.
        if let Some(failure) = tally.first_failure {
            return Err(at(None, Problem::new(failure)));
        }
        played.tally.decisions += STEPS;
        played.tally.fuel += tally.fuel;
        played.tally.fuel_max = played.tally.fuel_max.max(tally.fuel_max);
    }
    Ok(played)
}

impl Played {
    fn told(&self) -> String {
        let Tally { decisions, fuel_max, .. } = self.tally;
        let fuel = if fuel_max > 0 { format!(", at most {fuel_max} fuel each") } else { String::new() };
        format!("{decisions} decisions at {} made-up sites{fuel}", SITES.len())
    }

    fn same_as(&self, other: &Self) -> Result<String, String> {
        if let Some(step) = self.decisions.iter().zip(&other.decisions).position(|(one, other)| one != other) {
            return Err(format!("decision {step} came out differently the second time"));
        }
        if self.tally != other.tally {
            return Err(format!("it used {} fuel, and {} the second time", self.tally.fuel, other.tally.fuel));
        }
        Ok("the same decisions, with the same fuel, by a new instance".to_owned())
    }

    fn acts(&self) -> Result<String, String> {
        let acting = self.decisions.iter().filter(|decision| !decision.choices.is_empty()).count();
        match acting {
            0 => Err("nobody acted in any decision".to_owned()),
            _ => Ok(format!("somebody acted in {acting} of {} decisions", self.decisions.len())),
        }
    }
}

/// A misspelt parameter must not pass for its default.
fn refuses_unknown(method: &dyn CoordinationMethod) -> Result<String, String> {
    let settings = Settings([(NO_PARAMETER.to_owned(), Setting::Flag(true))].into());
    let (size, _) = SITES[2];
    let site: Site = site(0, size);
    match method.create(&settings, &site) {
        Err(_) => Ok("one that it does not have is refused".to_owned()),
        Ok(_) => {
            Err("one that it does not have is taken; its schema should say `\"additionalProperties\": false`"
                .to_owned())
        }
    }
}
