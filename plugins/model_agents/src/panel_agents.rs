//! Panel agents: every agent's model proposes for itself, and one decision is made of the proposals.
//!
//! Each idle agent has a wish by a plain rule: the nearest open work of its role, and of equally near work what is next to
//! a release; of several idle people of one role the first wishes for the first, the second for the second. The wish goes
//! through text and back: a work list in a prompt, a member of the panel, a proposal, the controls. What comes out is bid
//! for, at the price of the way to it, and each piece of work goes to the lowest bid.
//!
//! **Good for** measuring what models in all seats cost and what an attack on one of them does to the rest. **Bad at** being fast:
//! it plans nothing ahead, and reads and writes a prompt for every agent in every step. **Reads** everything but doors and
//! tokens. **Cost** O(agents x jobs) a decision, and a prompt each. The controls are those of the built-in policy.

mod wishes;
mod words;

use crate::situation::intend;
use crate::work::Task;
use labtrust_controls::panel::Member;
use labtrust_controls::pi_defense::Preset;
use labtrust_controls::shielded::{Guards, ShieldedAgent, Situation, State};
use labtrust_plugin::method::{Combined, Submission, Submitting, combine};
use labtrust_plugin::prelude::*;
use labtrust_plugin::wire::WaySite;
use labtrust_policy::PolicyStore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use wishes::{Job, Subject};

params! {
    /// Parameters, as written in a study file.
    pub struct PanelParams {
        /// Which member of the panel thinks for the agents: its name in tables.
        member: String = "honest";
        /// How long something that was refused is left alone [s].
        rest_s: u32 = 60, 0..=3600;
    }
}

/// The controls of the built-in policy. They keep nothing, and take a while to read.
static GUARDS: LazyLock<Arc<Guards>> =
    LazyLock::new(|| Arc::new(Guards::load(&PolicyStore::builtin(), Preset::Default)));

/// One agent with its model.
struct Mind {
    agent: ShieldedAgent<Arc<Guards>>,
    model: labtrust_controls::panel::PanelModel,
    asked_for: Option<Subject>,
}

/// The method.
pub struct PanelAgents {
    site: Site,
    rest_s: i64,
    minds: BTreeMap<u16, Mind>,
    /// Until when a piece of work is left alone, because it was refused [s].
    rests: BTreeMap<Subject, i64>,
    /// Results that somebody was told of, and transports that are on their way.
    done: BTreeSet<Subject>,
    /// The open work of the step, and the step.
    jobs: (Option<u32>, Vec<Job>),
}

impl Submitting for PanelAgents {
    const ID: &'static str = "panel_agents";
    const SUMMARY: &'static str = "Every agent's model proposes work for itself, behind the controls, and bids for it.";
    type Params = PanelParams;

    fn new(params: PanelParams, site: &Site) -> Result<Self, Problem> {
        let member = Member::ALL.into_iter().find(|member| member.name() == params.member);
        let Some(member) = member else {
            let known = Member::ALL.map(Member::name).join(", ");
            let message = format!("there is no member {}; there are {known}", params.member);
            return Err(Problem::of_kind(ProblemKind::Settings, message));
        };
        let mind = |me: u16| {
            let id = &site.agents[usize::from(me)].id;
            let agent = ShieldedAgent::new(Arc::clone(&GUARDS), id);
            (me, Mind { agent, model: member.model(), asked_for: None })
        };
        Ok(Self {
            site: site.clone(),
            rest_s: i64::from(params.rest_s),
            minds: site.directed().map(mind).collect(),
            rests: BTreeMap::new(),
            done: BTreeSet::new(),
            jobs: (None, Vec::new()),
        })
    }

    fn propose(&mut self, seen: &Observation, me: u16) -> Result<Option<Submission>, Problem> {
        if self.jobs.0 != Some(seen.step) {
            self.begin(seen);
        }
        let Self { site, minds, jobs: (_, jobs), .. } = self;
        let (Some(mind), Some(here)) = (minds.get_mut(&me), seen.agents.zone.get(usize::from(me)).copied().flatten())
        else {
            return Ok(None);
        };
        mind.asked_for = None;
        if !seen.is_idle(me) {
            return Ok(None);
        }
        let mine: Vec<&Job> = jobs.iter().filter(|job| seen.may(me, job.choice.act)).collect();
        let wish = wishes::wish(site, seen, me, here, &mine);
        let task = wish.as_ref().map(|(choice, _)| words::task(site, seen, here, choice));
        let situation = situation(site, seen, me, here, &mine, task.as_ref());
        let outcome = mind.agent.decide(&situation, &mut mind.model);
        let (choice, cost) = match (task, wish) {
            (Some(task), Some(wish)) if task.is(&outcome.action) => wish,
            _ => match words::choice(site, seen, me, &outcome.action) {
                Some(choice) => (choice, 0),
                None => return Ok(None),
            },
        };
        mind.asked_for = wishes::subject(seen, &choice);
        Ok(Some(match choice.act {
            // Any number of people may walk to one place.
            Act::Move => Submission::Action(choice),
            _ => Submission::Bid { work: choice, cost },
        }))
    }

    fn combine_submissions(
        &mut self,
        submissions: &[(u16, Submission)],
        seen: &Observation,
        out: &mut Decision,
    ) -> Result<(), Problem> {
        combine(submissions, out);
        for choice in &out.choices {
            if matches!(choice.act, Act::AckCriticalResult | Act::DispatchTransport) {
                self.done.extend(wishes::subject(seen, choice));
            }
        }
        let winners: BTreeSet<u16> = out.choices.iter().map(|choice| choice.agent).collect();
        for (agent, mind) in &mut self.minds {
            // Who did nothing cannot have been refused.
            mind.asked_for = mind.asked_for.take().filter(|_| winners.contains(agent));
        }
        Ok(())
    }
}
register_method!(Combined<PanelAgents>);

impl PanelAgents {
    /// Learns what was refused, and lists what there is to do.
    fn begin(&mut self, seen: &Observation) {
        for (agent, _) in &seen.agents.refused {
            if let Some(subject) = self.minds.get_mut(agent).and_then(|mind| mind.asked_for.take()) {
                self.rests.insert(subject, seen.now_s + self.rest_s);
            }
        }
        self.rests.retain(|_, until_s| *until_s > seen.now_s);
        let mut jobs = wishes::list(&self.site, seen);
        jobs.retain(|job| {
            let subject = wishes::subject(seen, &job.choice);
            subject.is_none_or(|subject| !self.rests.contains_key(&subject) && !self.done.contains(&subject))
        });
        self.jobs = (Some(seen.step), jobs);
    }
}

/// The moment of an agent, in words.
fn situation(site: &Site, seen: &Observation, me: u16, here: u16, jobs: &[&Job], task: Option<&Task>) -> Situation {
    let zone = |place: u16| site.zones.get(usize::from(place)).cloned().unwrap_or_default();
    let ends = |way: &WaySite| match (way.from, way.to) {
        (from, to) if from == here => Some((zone(to), way.guarded)),
        (from, to) if to == here => Some((zone(from), way.guarded)),
        _ => None,
    };
    let ways: Vec<(String, bool)> = site.ways.iter().filter_map(ends).collect();
    let mut state = State {
        zone: zone(here),
        restricted_zones: ways.iter().filter(|(_, guarded)| *guarded).map(|(to, _)| to.clone()).collect(),
        subjects: jobs.iter().flat_map(|job| words::names(site, seen, &job.choice)).collect(),
        ..State::default()
    };
    state.ways.insert(zone(here), ways.into_iter().map(|(to, _)| to).collect());
    for (device, head) in site.devices.iter().zip(&seen.devices.queue_head) {
        if device.zone == Some(here) {
            state.queue_heads.insert(device.id.clone(), head.map(|place| words::specimen(seen, place)));
        }
    }
    let mut offered: BTreeSet<&str> = jobs.iter().map(|job| job.choice.act.name()).collect();
    offered.extend(
        Act::ALL.into_iter().filter(|act| matches!(act, Act::Noop | Act::Move) && seen.may(me, *act)).map(Act::name),
    );
    if let Some(task) = task {
        intend(&mut state, task);
    }
    Situation {
        t_s: u64::try_from(seen.now_s).unwrap_or_default(),
        role: seen.agents.role[usize::from(me)].and_then(|role| site.roles.get(usize::from(role)).cloned()),
        state,
        allowed_actions: offered.into_iter().map(str::to_owned).collect(),
        samples: Vec::new(),
    }
}
