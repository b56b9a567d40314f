//! What is counted of a site, and what the sites come to together.
//!
//! Names and definitions are those of one laboratory ([`crate::metrics`]). What would be a list as long as all agents
//! or specimens is left out.

use super::site::Plan;
use crate::episode::{EpisodeOutcome, EpisodeSetup};
use crate::metrics::flow::FlowTally;
use crate::metrics::{number_or_null, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::lab::{EventId, StepFacts, Symbol, Symbols};
use labtrust_plugin::method::Tally;
use labtrust_plugin::wire::Observation;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is counted of a site.
#[derive(Debug, Default)]
pub(super) struct SiteFigures {
    pub(super) flow: FlowTally,
    attempts: u64,
    blocked: BTreeMap<&'static str, u64>,
    violated: BTreeMap<Symbol, u64>,
    violations: BTreeMap<String, u64>,
    walking: u64,
    decisions: u64,
    choices: u64,
    failures: u64,
    /// The step in which the method failed for good, and why.
    end: Option<(u32, String)>,
    first_failure: Option<String>,
}

impl SiteFigures {
    pub(super) fn on_step(&mut self, facts: &StepFacts<'_>) {
        if facts.action.is_some_and(|action| !matches!(action.event_id, EventId::System(_))) {
            self.attempts += 1;
            if let Some(code) = facts.outcome.reason.filter(|_| !facts.outcome.accepted) {
                *self.blocked.entry(code).or_default() += 1;
            }
        }
        for finding in facts.outcome.findings.iter().filter(|finding| finding.violated) {
            *self.violated.entry(finding.invariant).or_default() += 1;
        }
    }

    /// Takes note of who is on their way in a step.
    pub(super) fn saw(&mut self, seen: &Observation) {
        self.walking += seen.agents.walking_to.iter().filter(|to| to.is_some()).count() as u64;
        self.decisions += 1;
    }

    pub(super) fn chose(&mut self, choices: usize) {
        self.choices += choices as u64;
    }

    pub(super) fn failed(&mut self, step: u32, why: String) {
        self.end = Some((step, why));
    }

    /// What the method has to tell, and ids as text: another site may know others by the same symbols.
    pub(super) fn tell(&mut self, tally: &Tally, symbols: &Symbols) {
        self.failures = tally.failures.max(u64::from(self.end.is_some()));
        self.first_failure = tally.first_failure.clone().or_else(|| self.end.as_ref().map(|(_, why)| why.clone()));
        let text = |(id, count): (Symbol, u64)| (symbols.text(id).to_owned(), count);
        self.violations = std::mem::take(&mut self.violated).into_iter().map(text).collect();
    }
}

/// What the sites come to together.
pub(super) struct Figures {
    sum: SiteFigures,
    sites: u64,
    agents: u64,
    agent_steps: u64,
    window: u32,
    least_throughput: u64,
    most_throughput: u64,
}

impl Figures {
    pub(super) fn new(plan: &Plan, steps: u32) -> Self {
        let agents = plan.agents() as u64;
        Self {
            sum: SiteFigures::default(),
            sites: 0,
            agents,
            agent_steps: agents * u64::from(steps),
            window: plan.window,
            least_throughput: u64::MAX,
            most_throughput: 0,
        }
    }

    /// Adds a site, after the ones before.
    pub(super) fn add(&mut self, site: SiteFigures) {
        self.sites += 1;
        self.least_throughput = self.least_throughput.min(site.flow.throughput);
        self.most_throughput = self.most_throughput.max(site.flow.throughput);
        let sum = &mut self.sum;
        sum.flow.add(site.flow);
        sum.attempts += site.attempts;
        for (code, count) in site.blocked {
            *sum.blocked.entry(code).or_default() += count;
        }
        for (id, count) in site.violations {
            *sum.violations.entry(id).or_default() += count;
        }
        sum.walking += site.walking;
        sum.decisions += site.decisions;
        sum.choices += site.choices;
        sum.failures += site.failures;
        let earlier = |end: &(u32, String)| sum.end.as_ref().is_none_or(|known| end.0 < known.0);
        sum.end = site.end.filter(earlier).or(sum.end.take());
        sum.first_failure = sum.first_failure.take().or(site.first_failure);
    }

    /// The outcome of the episode.
    pub(super) fn outcome(self, setup: &EpisodeSetup<'_>, sla_s: Option<u32>, root: String) -> EpisodeOutcome {
        let Self { sum, sites, .. } = &self;
        let (steps, timing) = (setup.max_steps, setup.timing.as_str());
        let horizon_s = i64::from(steps) * i64::from(setup.task.spec().dt_s);
        let agent_steps = self.agent_steps * sites;
        let blocked: u64 = sum.blocked.values().sum();
        let violations: u64 = sum.violations.values().sum();
        let mut metrics = Metrics::new();
        sum.flow.write(sla_s, horizon_s, &mut metrics);
        let share = |part: u64| number_or_null(ratio(part, agent_steps));
        let figures = [
            ("steps", json!(steps)),
            ("timing_mode", json!(timing)),
            ("actions_attempted", json!(sum.attempts)),
            ("blocked_by_reason_code", json!(sum.blocked)),
            ("blocks_per_action", number_or_null(ratio(blocked, sum.attempts))),
            ("blocks_per_1000_actions", number_or_null(ratio(blocked * 1000, sum.attempts))),
            ("violations_by_invariant_id", json!(sum.violations)),
            ("violations_per_action", number_or_null(ratio(violations, sum.attempts))),
            ("coordination", self.coordination(setup)),
            (
                "sites",
                json!({
                    "count": sites,
                    "agents": self.agents * sites,
                    "agent_steps": agent_steps,
                    "acting_share": share(sum.attempts),
                    "walking_share": share(sum.walking),
                    "throughput_least": self.least_throughput,
                    "throughput_most": self.most_throughput,
                    "window_steps": self.window,
                    "merkle_root": root,
                }),
            ),
        ];
        metrics.extend(figures.map(|(name, value)| (name.to_owned(), value)));
        EpisodeOutcome {
            throughput: sum.flow.throughput,
            specimens_total: sum.flow.specimens,
            actions_attempted: sum.attempts,
            chain_head: root,
            metrics,
        }
    }

    /// The member `coordination`, as the director of one laboratory writes it.
    fn coordination(&self, setup: &EpisodeSetup<'_>) -> Value {
        let sum = &self.sum;
        json!({ "method": {
            "id": setup.cast.method.as_ref().map(|direction| direction.method.id()),
            "decisions": sum.decisions,
            "choices": sum.choices,
            "failures": sum.failures,
            "ended_step": sum.end.as_ref().map(|(step, _)| step),
            "end_reason": sum.end.as_ref().map(|_| crate::direction::PLUGIN_FAILED),
            "first_failure": sum.first_failure,
        } })
    }
}
