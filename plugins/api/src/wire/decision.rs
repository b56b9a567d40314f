//! What a method answers: for each agent it directs an action and what the action is about.

use super::{Act, Observation, Problem, ProblemKind, Site};
use serde::{Deserialize, Serialize};

/// What one agent shall do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Who: a place in [`Site::agents`].
    pub agent: u16,
    /// What.
    pub act: Act,
    /// Specimens that it is about, places in [`Observation::specimens`]: one, or several for a centrifuge. Empty: the
    /// first that fit.
    pub specimens: Vec<u32>,
    /// Device, a place in [`Site::devices`]. `None`: the first that fits.
    pub device: Option<u16>,
    /// What else it is about, by the act: MOVE the goal, a place in [`Site::zones`] (the agent makes the first step on
    /// the way, straight there if a way leads there); OPEN_DOOR a place in [`Site::doors`]; GENERATE_RESULT in [`Observation::runs`]; acts on results in
    /// [`Observation::results`]; DISPATCH_TRANSPORT in [`Observation::transports`]; acts on consignments in
    /// [`Observation::consignments`]. `None`: the first that fits.
    pub object: Option<u32>,
}

impl Choice {
    /// An action about the first that fits.
    #[must_use]
    pub const fn new(agent: u16, act: Act) -> Self {
        Self { agent, act, specimens: Vec::new(), device: None, object: None }
    }

    /// The same about this specimen; said again, about one more.
    #[must_use]
    pub fn specimen(mut self, place: u32) -> Self {
        self.specimens.push(place);
        self
    }

    /// The same at this device.
    #[must_use]
    pub const fn device(mut self, place: u16) -> Self {
        self.device = Some(place);
        self
    }

    /// The same about this zone, door, run, result, transport or consignment.
    #[must_use]
    pub const fn object(mut self, place: u32) -> Self {
        self.object = Some(place);
        self
    }
}

/// Work that one agent was given, whether it is there already or on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The work, as the choice that the agent comes to when nothing changes.
    pub choice: Choice,
    /// By when it shall be done [s]; `None` where the method sets no such time.
    pub due_s: Option<i64>,
}

/// What all agents of a method shall do; an agent that is not named does nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// At most one for each agent; their order means nothing.
    pub choices: Vec<Choice>,
    /// Who was given which work: nothing is done with it but to write it down, and only where [`Site::telemetry`] says
    /// so. Several for one agent come in the order in which it does them.
    pub intents: Vec<Intent>,
}

impl From<Vec<Choice>> for Decision {
    fn from(choices: Vec<Choice>) -> Self {
        Self { choices, intents: Vec::new() }
    }
}

impl Decision {
    /// Becomes empty, in the memory that it has.
    pub fn clear(&mut self) {
        self.choices.clear();
        self.intents.clear();
    }

    /// Writes down that the agent of `choice` was given this work.
    pub fn intend(&mut self, choice: Choice, due_s: Option<i64>) {
        self.intents.push(Intent { choice, due_s });
    }

    /// Adds a choice.
    pub fn push(&mut self, choice: Choice) {
        self.choices.push(choice);
    }

    /// Tells `agent` to do `act` about the first that fits.
    pub fn act(&mut self, agent: u16, act: Act) {
        self.push(Choice::new(agent, act));
    }

    /// Sends `agent` one step towards the zone `goal`.
    pub fn walk(&mut self, agent: u16, goal: u16) {
        self.push(Choice::new(agent, Act::Move).object(u32::from(goal)));
    }

    /// Whether every choice is about something that exists, and for an agent that the method directs.
    ///
    /// The same for all carriers: a method is not judged by how it is carried.
    ///
    /// # Errors
    /// [`ProblemKind::Decision`], naming the first choice that is wrong and why.
    pub fn check(&self, site: &Site, seen: &Observation) -> Result<(), Problem> {
        let mut named = vec![false; site.agents.len()];
        for (number, choice) in self.choices.iter().enumerate() {
            let fits = choice.check(site, seen);
            let twice = fits.is_ok() && std::mem::replace(&mut named[usize::from(choice.agent)], true);
            let again = || Err(format!("agent {} has a choice already", site.agents[usize::from(choice.agent)].id));
            (if twice { again() } else { fits }).map_err(|what| wrong("choice", number, choice.act, &what))?;
        }
        for (number, Intent { choice, .. }) in self.intents.iter().enumerate() {
            choice.check(site, seen).map_err(|what| wrong("intent", number, choice.act, &what))?;
        }
        Ok(())
    }
}

fn wrong(which: &str, number: usize, act: Act, what: &str) -> Problem {
    Problem::of_kind(ProblemKind::Decision, format!("{which} {number}, {}: {what}", act.name()))
}

impl Choice {
    /// Whether all that it names exists, and the method directs the agent; else what is wrong.
    fn check(&self, site: &Site, seen: &Observation) -> Result<(), String> {
        match site.agents.get(usize::from(self.agent)) {
            None => return Err(format!("there is no agent {}, only {}", self.agent, site.agents.len())),
            Some(agent) if !agent.directed => return Err(format!("agent {} is not directed by it", agent.id)),
            Some(_) => {}
        }
        let specimens = seen.specimens.key.len();
        if let Some(place) = self.specimens.iter().find(|&&place| place as usize >= specimens) {
            return Err(format!("there is no specimen {place}, only {specimens}"));
        }
        if let Some(place) = self.device.filter(|&place| usize::from(place) >= site.devices.len()) {
            return Err(format!("there is no device {place}, only {}", site.devices.len()));
        }
        match self.object.map(|place| (place, objects(self.act, site, seen))) {
            Some((_, None)) => Err("it is about no object".to_owned()),
            Some((place, Some((name, count)))) if place as usize >= count => {
                Err(format!("there is no {name} {place}, only {count}"))
            }
            _ => Ok(()),
        }
    }
}

/// What the object of an act is, and how many there are.
fn objects(act: Act, site: &Site, seen: &Observation) -> Option<(&'static str, usize)> {
    Some(match act {
        Act::Move => ("zone", site.zones.len()),
        Act::OpenDoor => ("door", site.doors.len()),
        Act::GenerateResult => ("run", seen.runs.key.len()),
        Act::HoldResult
        | Act::ReleaseResult
        | Act::RerunRequest
        | Act::NotifyCriticalResult
        | Act::AckCriticalResult
        | Act::EscalateCriticalResult => ("result", seen.results.key.len()),
        Act::DispatchTransport => ("transport", seen.transports.waiting.len()),
        Act::TransportTick | Act::ChainOfCustodySign | Act::ReceiveTransport => {
            ("consignment", seen.consignments.key.len())
        }
        _ => return None,
    })
}
