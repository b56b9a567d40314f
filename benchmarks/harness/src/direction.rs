//! A coordination method, or a team of agent policies, in an episode: it directs honest agents; attackers act as they like.
//!
//! The method sees one observation a step, made of the view that all agents share. What it chooses becomes the same
//! actions that the agents themselves would take, and passes the same gates. Its failures never reach the laboratory.

use crate::BenchError;
use crate::telemetry::{EpisodeTelemetry, Told};
use labtrust_plugin::SharedTap;
use labtrust_plugin::lab::method::{Assignment, Observer, carry_out};
use labtrust_plugin::lab::{ActionKind, AgentContext, Decision, Symbols, WorldView};
use labtrust_plugin::method::{CoordinationMethod, Coordinator, Evidence, Figure};
use labtrust_plugin::wire::{Decision as Chosen, Settings};
use serde_json::{Map, Value, json};

/// Why an episode ended before its horizon, as its metrics say it.
pub const PLUGIN_FAILED: &str = "PLUGIN_FAILED";

/// What directs, and so where results name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directing<'a> {
    /// A method, all agents but attackers.
    Everybody,
    /// An agent policy, with an instance for each of them.
    Team,
    /// An agent policy, in the seat of this name.
    Seat(&'a str),
}

/// The method of a run.
#[derive(Clone, Copy)]
pub struct Direction<'a> {
    /// Whom it directs.
    pub directing: Directing<'a>,
    /// The method, or the policy as a method.
    pub method: &'a dyn CoordinationMethod,
    /// Its parameters.
    pub settings: &'a Settings,
    /// Which file it comes from and what holds for it, copied into the `config` of results.
    pub facts: &'a Map<String, Value>,
}

impl Direction<'_> {
    /// The method's name where results name who acted.
    #[must_use]
    pub fn baseline_id(&self) -> String {
        self.method.id().replace('.', "_")
    }

    /// Whether it says what the honest agent in this seat does.
    pub(crate) fn directs(&self, seat: &str) -> bool {
        match self.directing {
            Directing::Everybody | Directing::Team => true,
            Directing::Seat(name) => seat == name,
        }
    }

    /// What the `config` of results says of it.
    pub(crate) fn config(&self) -> [(&'static str, Value); 3] {
        let settings = self.settings.0.iter().map(|(name, setting)| (name.clone(), setting.to_json()));
        let names = match self.directing {
            Directing::Everybody => ["coord_method", "coord_params", "coord_plugin"],
            Directing::Team => ["agent_set", "agent_params", "agent_plugin"],
            Directing::Seat(_) => ["agent_policy", "agent_params", "agent_plugin"],
        };
        let [id, params, plugin] = names;
        [
            (id, self.method.id().into()),
            (params, Value::Object(settings.collect())),
            (plugin, Value::Object(self.facts.clone())),
        ]
    }
}

/// The method at work in one episode.
pub(crate) struct Director {
    id: String,
    observer: Observer,
    at_work: Box<dyn Coordinator>,
    /// The seat of each agent of the view; none of those who have no seat or are not directed.
    seats: Vec<Option<usize>>,
    /// Why the last action of each agent of the view was refused.
    refused: Vec<Option<&'static str>>,
    chosen: Chosen,
    /// What the method wants on record of the newest step.
    evidence: Vec<Evidence>,
    decisions: u64,
    choices: u64,
    /// The step in which it failed for good, and why.
    end: Option<(u32, String)>,
}

fn figure_json(figure: &Figure) -> Value {
    match figure {
        Figure::Count(count) => (*count).into(),
        Figure::Decimal(digits, places) => {
            // Both are exact, so the quotient is the number nearest to the decimal.
            let unit = (0..*places).fold(1.0, |unit, _| unit * 10.0);
            (*digits as f64 / unit).into()
        }
        Figure::Text(text) => text.as_str().into(),
        Figure::By(counts) => counts.iter().map(|(name, count)| (name.clone(), Value::from(*count))).collect(),
    }
}

/// One seat, as the director sees it.
pub(crate) struct DirectedSeat {
    /// The agent's place in the view.
    pub(crate) place: usize,
    pub(crate) directed: bool,
    /// Why its last action was refused.
    pub(crate) refused: Option<&'static str>,
}

impl Director {
    /// Tells the method where it works.
    ///
    /// # Errors
    /// [`BenchError::Method`] when it cannot work there, or with its parameters.
    pub(crate) fn new(
        direction: &Direction<'_>,
        view: &WorldView,
        symbols: &Symbols,
        seats: &[DirectedSeat],
        (seed, dt_s): (u64, u32),
        telemetry: Option<&mut EpisodeTelemetry>,
    ) -> Result<Self, BenchError> {
        let directed: Vec<_> = seats.iter().filter(|seat| seat.directed).map(|seat| seat.place).collect();
        let assignment = Assignment { seed, dt_s, directed: &directed, telemetry: telemetry.is_some() };
        let observer = Observer::new(view, symbols, &assignment);
        let id = direction.method.id().to_owned();
        let failed = |problem| BenchError::Method { method: id.clone(), seed, problem };
        let at_work = direction.method.create(direction.settings, observer.site()).map_err(failed)?;
        if let Some(telemetry) = telemetry {
            telemetry.begin(&id, observer.site());
        }
        let mut places = vec![None; view.agents.len()];
        for (number, seat) in seats.iter().enumerate().filter(|(_, seat)| seat.directed) {
            places[seat.place] = Some(number);
        }
        Ok(Self {
            id,
            observer,
            at_work,
            seats: places,
            refused: Vec::new(),
            chosen: Chosen::default(),
            evidence: Vec::new(),
            decisions: 0,
            choices: 0,
            end: None,
        })
    }

    /// Fills in what the directed seats do in this step. Returns whether the episode goes on.
    pub(crate) fn decide(
        &mut self,
        step: u32,
        view: &WorldView,
        symbols: &mut Symbols,
        seats: impl Iterator<Item = DirectedSeat>,
        decisions: &mut [Option<Decision>],
        telemetry: Option<&mut EpisodeTelemetry>,
    ) -> bool {
        self.refused.clear();
        self.refused.resize(view.agents.len(), None);
        for seat in seats {
            self.refused[seat.place] = seat.refused;
        }
        self.observer.observe(step, view, symbols, &self.refused);
        if let Some(rows) = self.at_work.rows() {
            let directed = (0..).zip(&self.seats).filter_map(|(place, seat)| seat.map(|_| place));
            rows.look(step, view, symbols, directed, &self.refused);
        }
        let seen = self.observer.seen();
        self.decisions += 1;
        // What is compiled in is checked like everything else: a method is not judged by how it is carried.
        let decided = self.at_work.decide(seen, &mut self.chosen);
        if let Err(problem) = decided.and_then(|()| self.chosen.check(self.observer.site(), seen)) {
            self.end = Some((step, problem.message));
            return false;
        }
        self.choices += self.chosen.choices.len() as u64;
        for choice in &self.chosen.choices {
            let me = usize::from(choice.agent);
            if let Some(Some(seat)) = self.seats.get(me) {
                let mut ctx = AgentContext { view, symbols, me, refused: self.refused[me] };
                decisions[*seat] = carry_out(&mut ctx, choice);
            }
        }
        if let Some(telemetry) = telemetry {
            self.evidence.clear();
            self.at_work.evidence(&mut self.evidence);
            telemetry.decided(&Told {
                step,
                site: self.observer.site(),
                seen: self.observer.seen(),
                view,
                symbols,
                chosen: &self.chosen,
                actions: &self.actions(decisions),
                evidence: &self.evidence,
            });
        }
        true
    }

    /// Tells what those who are directed do in this step after all, whatever has changed it.
    pub(crate) fn tell(
        &self,
        step: u32,
        symbols: &Symbols,
        decisions: &[Option<Decision>],
        telemetry: &mut EpisodeTelemetry,
    ) {
        telemetry.acted(step, self.observer.site(), symbols, &self.actions(decisions));
    }

    /// What those who are directed do, by place; who does nothing is not there.
    fn actions<'d>(&self, decisions: &'d [Option<Decision>]) -> Vec<(u16, &'d Decision)> {
        let seats = (0..).zip(&self.seats);
        let acts = seats.filter_map(|(place, seat)| Some((place, decisions[(*seat)?].as_ref()?)));
        acts.filter(|(_, decision)| decision.kind != ActionKind::Noop).collect()
    }

    /// Lets somebody sit on the network of the method, where it has one.
    pub(crate) fn tap(&mut self, tap: SharedTap) {
        self.at_work.tap(tap);
    }

    /// Places of agents to whom something was said in the newest step and who heard nothing of it.
    pub(crate) fn unreached(&self) -> &[u16] {
        self.at_work.unreached()
    }

    /// The member `coordination` of the episode's metrics.
    pub(crate) fn metrics(&self) -> Value {
        let tally = self.at_work.tally();
        let mut method = json!({
            "id": self.id,
            "decisions": self.decisions,
            "choices": self.choices,
            "failures": tally.failures.max(u64::from(self.end.is_some())),
            "ended_step": self.end.as_ref().map(|(step, _)| step),
            "end_reason": self.end.as_ref().map(|_| PLUGIN_FAILED),
            "first_failure": tally.first_failure.as_deref().or(self.end.as_ref().map(|(_, why)| why.as_str())),
        });
        if tally.fuel > 0 {
            method["fuel"] = tally.fuel.into();
            method["fuel_max"] = tally.fuel_max.into();
        }
        let mut blocks = Map::new();
        for (name, figures) in &tally.told {
            let figures = figures.iter().map(|(name, figure)| ((*name).to_owned(), figure_json(figure)));
            blocks.insert((*name).to_owned(), Value::Object(figures.collect()));
        }
        // Last: nobody else's block is called so.
        blocks.insert("method".to_owned(), method);
        Value::Object(blocks)
    }
}
