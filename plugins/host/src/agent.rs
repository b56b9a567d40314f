//! Agent policies that are files of their own, as a team: an instance for each agent, and one worker of them all.

use crate::conversation::Conversation;
use crate::guard::Worker;
use crate::{Carrier, Failure};
use labtrust_plugin::agent::{join, site_of};
use labtrust_plugin::wire::{Create, Decision, Observation, Problem, Settings, Site, encode, encode_into};
use std::sync::Arc;

/// Instances of one plugin in an episode, in the order of their agents.
pub(crate) struct Team {
    agents: Vec<(u16, Conversation)>,
    site: Site,
    /// Bytes of the newest observation, the same for all of them, in reused memory.
    request: Vec<u8>,
}

impl Team {
    /// A fresh instance for every directed agent of `site`.
    pub(crate) fn begin(carrier: &Arc<dyn Carrier>, settings: &Settings, site: &Site) -> Result<Self, Problem> {
        let begin = |me| {
            let create = encode(&Create { settings: settings.clone(), site: site_of(site, me) });
            Ok((me, Conversation::begin(carrier.clone(), create)?))
        };
        let agents = site.directed().map(begin).collect::<Result<_, Failure>>()?;
        Ok(Self { agents, site: site.clone(), request: Vec::new() })
    }
}

impl Worker for Team {
    /// A decision of the team is one of each agent: their fuel is summed, and one that fails fails them all.
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> (u64, Result<(), String>) {
        let Self { agents, site, request, .. } = self;
        request.clear();
        encode_into(seen, request);
        let mut fuel: u64 = 0;
        let decided = agents.iter_mut().try_for_each(|(me, agent)| {
            let theirs = agent.ask::<Decision>(request);
            fuel = fuel.saturating_add(agent.fuel());
            let id = &site.agents[usize::from(*me)].id;
            let theirs = theirs.map_err(|failure| format!("agent {id}: {failure}"))?;
            join(*me, site, theirs, out).map_err(|problem| problem.message)
        });
        (fuel, decided)
    }

    /// All of them: the others count on what they decided in the failed step, and nothing of it was done.
    fn restart(&mut self) -> Result<(), String> {
        self.agents.iter_mut().try_for_each(|(_, agent)| agent.restart()).map_err(|failure| failure.to_string())
    }
}
