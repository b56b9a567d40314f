//! Agent policies: one mind for one agent.
//!
//! An author writes an [`Agent`]: parameters, a constructor, and at most one choice a step. It is told what a coordination
//! method is told, at a site where it directs exactly one agent. The same source is compiled in (`register_agent!`) or
//! becomes a file of its own (`export_wasm!`); the program sees a [`CoordinationMethod`] either way: a team, in which
//! each agent has an instance of its own that shares nothing with the others.

use crate::method::{CoordinationMethod, Coordinator};
use crate::params::Params;
use crate::sdk::{Answering, Begun, Spoken, unreadable};
use crate::wire::{
    Choice, Create, DecideReply, Decision, Manifest, Observation, Problem, ProblemKind, Settings, Site, decode, encode,
};
use std::marker::PhantomData;

/// Name of this kind of plugin.
pub const KIND: &str = "agent-policy";

/// An agent policy, as its author writes it.
///
/// It is a function of what it was given: its parameters, the site, who it is, and the observations so far. It has no
/// clock, and chance only from [`Site::seed`].
pub trait Agent: Send + Sized + 'static {
    /// The id, `org.example.runner`.
    const ID: &'static str;
    /// What it does, in one sentence.
    const SUMMARY: &'static str;
    /// Its parameters; made with [`params!`](crate::params!).
    type Params: Params;

    /// The policy of the agent `me`, a place in [`Site::agents`], at the start of an episode.
    ///
    /// # Errors
    /// [`Problem`] when it cannot work with these parameters, or at this site.
    fn new(params: Self::Params, site: &Site, me: u16) -> Result<Self, Problem>;

    /// What the agent `me` shall do now; `None` for nothing. The choice is for `me` and nobody else.
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on; what happens then is the study's choice.
    fn decide(&mut self, seen: &Observation, me: u16) -> Result<Option<Choice>, Problem>;
}

/// The site as an instance for the agent `me` is told of it: the one that it directs.
#[must_use]
pub fn site_of(site: &Site, me: u16) -> Site {
    let mut site = site.clone();
    for (place, agent) in (0..).zip(&mut site.agents) {
        agent.directed = place == me;
    }
    site
}

/// Adds what the agent `me` has decided to what the agents before it have.
///
/// # Errors
/// [`ProblemKind::Decision`] when it decides for somebody else, or more than once.
pub fn join(me: u16, site: &Site, theirs: Decision, team: &mut Decision) -> Result<(), Problem> {
    let wrong = |what: String| Err(Problem::of_kind(ProblemKind::Decision, what));
    let id = |place: u16| site.agents.get(usize::from(place)).map_or("nobody", |agent| agent.id.as_str());
    if let Some(other) = theirs.intents.iter().map(|intent| intent.choice.agent).find(|&agent| agent != me) {
        return wrong(format!("agent {} gives work to agent {other}, {}", id(me), id(other)));
    }
    team.intents.extend(theirs.intents);
    match theirs.choices.as_slice() {
        [] => {}
        [choice] if choice.agent == me => team.choices.extend(theirs.choices),
        [choice] => return wrong(format!("agent {} decides for agent {}, {}", id(me), choice.agent, id(choice.agent))),
        choices => return wrong(format!("agent {} makes {} choices in one step", id(me), choices.len())),
    }
    Ok(())
}

/// An [`Agent`] that is compiled in, as a team.
pub struct Compiled<A>(PhantomData<fn() -> A>);

impl<A> Compiled<A> {
    /// The policy, for the registry.
    pub const NEW: Self = Self(PhantomData);
}

impl<A: Agent> CoordinationMethod for Compiled<A> {
    fn id(&self) -> &str {
        A::ID
    }

    fn summary(&self) -> &str {
        A::SUMMARY
    }

    fn params_schema(&self) -> String {
        A::Params::schema()
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        let agent = |me| Ok((me, A::new(A::Params::read(settings)?, &site_of(site, me), me)?));
        let agents = site.directed().map(agent).collect::<Result<_, Problem>>()?;
        Ok(Box::new(Team { agents, site: site.clone() }))
    }
}

/// Compiled-in agents in one episode, each with its place.
struct Team<A> {
    agents: Vec<(u16, A)>,
    site: Site,
}

impl<A: Agent> Coordinator for Team<A> {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        out.clear();
        let joined = self.agents.iter_mut().try_for_each(|(me, agent)| {
            let choices: Vec<Choice> = agent.decide(seen, *me)?.into_iter().collect();
            join(*me, &self.site, choices.into(), out)
        });
        joined.inspect_err(|_| out.clear())
    }
}

/// Keeps agents apart from other kinds where the compiler looks for what a file speaks ([`Spoken`]).
pub enum Kind {}

impl<A: Agent> Spoken<Kind> for A {
    fn manifest(version: &str) -> Manifest {
        Manifest::ours(KIND, A::ID, version, A::SUMMARY, A::Params::schema())
    }

    fn begin(request: &[u8]) -> Begun {
        let Create { settings, site } = decode(request).map_err(unreadable)?;
        let directed: Vec<u16> = site.directed().collect();
        let &[me] = directed.as_slice() else {
            let message = format!("an agent policy directs one agent of a site, not {}", directed.len());
            return Err(Problem::of_kind(ProblemKind::Site, message));
        };
        let agent = A::new(A::Params::read(&settings)?, &site, me)?;
        Ok(Box::new(Spoke { agent, me, site, seen: Observation::default() }))
    }
}

/// An agent in one episode that is told of it in messages.
struct Spoke<A> {
    agent: A,
    me: u16,
    site: Site,
    seen: Observation,
}

impl<A: Agent> Spoke<A> {
    fn decided(&mut self, request: &[u8]) -> DecideReply {
        let Self { agent, me, site, seen } = self;
        seen.read_from(request).map_err(unreadable)?;
        seen.check(site).map_err(unreadable)?;
        let choices: Vec<Choice> = agent.decide(seen, *me)?.into_iter().collect();
        Ok(choices.into())
    }
}

impl<A: Agent> Answering for Spoke<A> {
    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        encode(&self.decided(request))
    }
}

/// Registers a compiled-in agent policy: `register_agent!(Runner);` beside the type.
#[cfg(feature = "compiled-in")]
#[macro_export]
macro_rules! register_agent {
    ($agent:ty) => {
        $crate::register_plugin!(AgentPolicy, $crate::agent::Compiled::<$agent>::NEW);
    };
}
