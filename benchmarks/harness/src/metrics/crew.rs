//! What the crew did with its time, and how work was dealt out among those who could do it.

use super::{number_or_null, ratio};
use labtrust_contract::Metrics;
use labtrust_kernel::SymbolMap;
use labtrust_plugin::lab::{ActionKind, AgentView, Symbols, WorldView, contract::INDEX};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec};
use serde_json::json;

/// Time and fairness of the crew.
pub(super) struct CrewMetric;

labtrust_plugin::register_plugin!(Metric, CrewMetric);

const SPECS: &[MetricSpec] = &[
    MetricSpec::new(
        "travel_share",
        "1",
        "part of the crew's steps in which somebody walks: is on the way when agents decide, or begins to move. A crew's \
         steps are the steps of the episode times the agents that are no attackers; each step of an agent counts once",
    )
    .lower(),
    MetricSpec::new("idle_share", "1", "part of the crew's steps in which an agent neither walks nor asks for anything"),
    MetricSpec::new(
        "work_gini",
        "1",
        "Gini coefficient of work done, over all of the crew whose role ever allows some: twice the sum of rank times \
         work (ascending, from 1) over n times the sum of work, less (n + 1) / n; 0 when all do equally much. Work is an \
         accepted action other than to move, to look, to open a door, to ask for a token; null when nobody did any",
    )
    .lower(),
    MetricSpec::new(
        "work_fairness",
        "1",
        "Jain's index of the same: the square of the sum of work over n times the sum of its squares; 1 when all do \
         equally much, 1 / n when one does everything",
    )
    .higher(),
    MetricSpec::new(
        "longest_standstill_steps",
        "count",
        "most steps in a row in each of which the crew asked for something and got nothing",
    )
    .lower(),
];

impl Metric for CrewMetric {
    fn id(&self) -> &'static str {
        "crew"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        SPECS
    }

    fn meter(&self, start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        let mut crew = Crew::default();
        for seat in start.facts.seats.iter().filter(|seat| !seat.attacker) {
            if crew.places.get(seat.agent).is_none() {
                crew.places.insert(seat.agent, crew.members.len());
                crew.members.push(Member::default());
            }
        }
        Box::new(crew)
    }
}

/// Whether an action is work.
const fn is_work(kind: ActionKind) -> bool {
    !matches!(
        kind,
        ActionKind::Noop | ActionKind::Tick | ActionKind::Move | ActionKind::OpenDoor | ActionKind::MintToken
    )
}

/// One of the crew.
#[derive(Clone, Copy, Debug, Default)]
struct Member {
    work: u64,
    /// Whether its role has allowed some work at some time.
    able: bool,
    /// Whether this step of it was counted already.
    counted: bool,
}

/// Follows the crew.
#[derive(Default)]
struct Crew {
    places: SymbolMap<usize>,
    members: Vec<Member>,
    travelled: u64,
    asked: u64,
    /// In this step: whether somebody asked for something, and whether anybody got it.
    step: (bool, bool),
    standstill: u64,
    longest_standstill: u64,
}

impl Crew {
    /// The step before is over.
    fn end_step(&mut self) {
        let (asked, got) = std::mem::take(&mut self.step);
        self.standstill = if asked && !got { self.standstill + 1 } else { 0 };
        self.longest_standstill = self.longest_standstill.max(self.standstill);
    }
}

fn may_work(agent: &AgentView) -> bool {
    INDEX.iter().any(|&kind| is_work(kind) && agent.may.contains(kind.id()))
}

impl Meter for Crew {
    fn on_snapshot(&mut self, view: &WorldView, _: &Symbols) {
        self.end_step();
        for agent in &view.agents {
            let Some(member) = self.places.get(agent.id).and_then(|&place| self.members.get_mut(place)) else {
                continue;
            };
            member.able = member.able || may_work(agent);
            member.counted = agent.walking_to.is_some();
            self.travelled += u64::from(member.counted);
        }
    }

    fn on_step(&mut self, step: MeterStep<'_>) {
        let Some(action) = step.facts.action else { return };
        let Some(member) = self.places.get(action.agent).and_then(|&place| self.members.get_mut(place)) else { return };
        let (kind, accepted) = (action.decision.kind, step.facts.outcome.accepted);
        self.step = (true, self.step.1 || accepted);
        member.work += u64::from(accepted && is_work(kind));
        if !std::mem::replace(&mut member.counted, true) {
            let side = if accepted && kind == ActionKind::Move { &mut self.travelled } else { &mut self.asked };
            *side += 1;
        }
    }

    fn finish(&mut self, end: &EpisodeEnd<'_>, out: &mut Metrics) {
        self.end_step();
        let all = u64::from(end.facts.steps) * self.members.len() as u64;
        let idle = all.saturating_sub(self.travelled + self.asked);
        let mut work: Vec<u64> = self.members.iter().filter(|member| member.able).map(|member| member.work).collect();
        work.sort_unstable();
        for (name, value) in [
            ("travel_share", ratio(self.travelled, all)),
            ("idle_share", ratio(idle, all)),
            ("work_gini", gini(&work)),
            ("work_fairness", jain(&work)),
        ] {
            out.insert(name.to_owned(), number_or_null(value));
        }
        out.insert("longest_standstill_steps".to_owned(), json!(self.longest_standstill));
    }
}

/// Gini coefficient of ascending amounts; `None` when there is nothing.
fn gini(sorted: &[u64]) -> Option<f64> {
    let (n, sum) = (sorted.len() as u64, sorted.iter().sum::<u64>());
    let ranked: u64 = (1..).zip(sorted).map(|(rank, amount)| rank * amount).sum();
    ratio((2 * ranked).saturating_sub((n + 1) * sum), n * sum)
}

/// Jain's index; `None` when there is nothing.
fn jain(amounts: &[u64]) -> Option<f64> {
    let (n, sum) = (amounts.len() as u64, amounts.iter().sum::<u64>());
    ratio(sum * sum, n * amounts.iter().map(|amount| amount * amount).sum::<u64>())
}

#[cfg(test)]
mod tests {
    use super::{gini, jain};
    use proptest::prelude::*;

    #[test]
    fn equal_work_is_fair_and_one_who_does_all_is_not() {
        assert_eq!((gini(&[3, 3, 3, 3]), jain(&[3, 3, 3, 3])), (Some(0.0), Some(1.0)));
        assert_eq!((gini(&[0, 0, 0, 8]), jain(&[0, 0, 0, 8])), (Some(0.75), Some(0.25)));
        assert_eq!(gini(&[1, 2, 3]), Some(4.0 / 18.0));
        assert_eq!((gini(&[]), jain(&[0, 0])), (None, None));
    }

    proptest! {
        #[test]
        fn both_are_shares_and_agree_with_their_definitions(mut work in proptest::collection::vec(0u64..1000, 1..30)) {
            work.sort_unstable();
            prop_assume!(work.iter().any(|&amount| amount > 0));
            let (n, sum) = (work.len() as f64, work.iter().sum::<u64>() as f64);
            // Mean absolute difference over twice the mean.
            let pairs = work.iter().flat_map(|&a| work.iter().map(move |&b| a.abs_diff(b) as f64)).sum::<f64>();
            prop_assert!((gini(&work).unwrap() - pairs / (2.0 * n * sum)).abs() < 1e-9);
            prop_assert!((1.0 / n - 1e-9..=1.0).contains(&jain(&work).unwrap()));
        }
    }
}
