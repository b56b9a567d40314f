//! Plays a script on both engines and puts every difference to the rules.

use super::answers::questions;
use super::case::Before;
use super::rules::{self, After};
use super::{Case, Facet, Ledger};
use labtrust_contract::StepResult;
use labtrust_hospital_lab::reference::FrozenEngine;
use labtrust_plugin::lab::{Engine, LabEngine, QueryError};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Where an episode begins, and the events that follow.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The initial state.
    pub state: Map<String, Value>,
    /// The events, in order.
    pub events: Vec<Map<String, Value>>,
}

/// The two engines.
pub struct Pair {
    there: FrozenEngine,
    here: Box<dyn LabEngine>,
}

impl Pair {
    /// Both under one policy.
    ///
    /// # Panics
    /// When the policy does not load.
    #[must_use]
    pub fn new(policy: &PolicyStore) -> Self {
        Self { there: FrozenEngine::new(policy).expect("the policy loads"), here: crate::load(policy).engine() }
    }

    fn reset(&mut self, script: &Script) {
        self.there.reset(&script.state, 1).expect("the state is good");
        self.here.reset(&script.state, 1).expect("the state is good");
        self.here.advance_to(0, &mut ());
    }

    fn play(&mut self, event: &Map<String, Value>) -> (StepResult, StepResult) {
        self.here.begin_batch();
        (self.there.play(event), self.here.play(event))
    }

    fn ask(&mut self, question: &str) -> (Value, Value) {
        let text = |answer: Result<Value, QueryError>| answer.unwrap_or_else(|error| Value::from(error.to_string()));
        (text(self.there.query(question)), text(self.here.query(question)))
    }
}

/// A difference that a rule explained.
#[derive(Clone, Debug)]
pub struct Found {
    /// The deviation.
    pub deviation: &'static str,
    /// The rule's own words.
    pub says: &'static str,
    /// Whether the states parted.
    pub parts: bool,
}

/// A difference that no rule explained.
#[derive(Clone, Debug)]
pub struct Unexplained {
    /// The step, from 0, in the script as it is in `left`.
    pub step: usize,
    /// What differs, in one line.
    pub says: String,
    /// The script, without the events that parted the states before.
    pub left: Script,
}

/// What came of a script.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// The first difference of the script; `None`: there is none.
    pub first: Option<Found>,
    /// Steps before the states parted, or all of them.
    pub together: usize,
    /// The states agreed to the end of the script as it was written.
    pub to_the_end: bool,
    /// Everything that rules explained, those of the rest of the script too.
    pub found: Vec<Found>,
    /// How often the script was played, each time without the events that parted the states before [count].
    pub ways: u32,
    /// What no rule explained, at most one.
    pub unexplained: Option<Unexplained>,
}

/// How one way through a script ended.
enum End {
    Reached,
    Parted { step: usize },
    Unexplained { step: usize, says: String },
}

/// Plays `script` until its end, leaving out every event that parts the states.
///
/// # Panics
/// When the initial state is refused.
#[must_use]
pub fn follow(pair: &mut Pair, script: &Script) -> Followed {
    let mut followed = Followed::default();
    let mut left = script.clone();
    let mut way = Way::begin(pair, &left);
    loop {
        let first_way = followed.ways == 0;
        let end = way.play(pair, &left, &mut followed.found);
        followed.ways += 1;
        if first_way {
            followed.first = followed.found.first().cloned();
            followed.to_the_end = matches!(end, End::Reached);
            followed.together = way.step;
        }
        match end {
            End::Reached => return followed,
            End::Unexplained { step, says } => {
                followed.unexplained = Some(Unexplained { step, says, left });
                return followed;
            }
            End::Parted { step } => {
                left.events.remove(step);
                // Engines cannot go back, but they can come here again.
                pair.reset(&left);
                for event in &left.events[..step] {
                    pair.play(event);
                }
            }
        }
    }
}

/// Where the comparison of a script is, all that is known before its next step.
struct Way {
    step: usize,
    questions: Vec<String>,
    /// What the laboratory answers.
    before: Vec<Value>,
    /// By question, what differs and was explained.
    carried: Vec<Option<(Value, Value)>>,
    ledger: Ledger,
    /// Records there and here [count].
    lengths: (u64, u64),
}

impl Way {
    fn begin(pair: &mut Pair, script: &Script) -> Self {
        pair.reset(script);
        let questions = questions(script);
        let before = questions.iter().map(|question| pair.ask(question).1).collect();
        let carried = vec![None; questions.len()];
        Self { step: 0, questions, before, carried, ledger: Ledger::of(&script.state), lengths: (0, 0) }
    }

    fn play(&mut self, pair: &mut Pair, script: &Script, found: &mut Vec<Found>) -> End {
        while let Some(event) = script.events.get(self.step) {
            let (there, here) = pair.play(event);
            let mut facets = compare(&there, &here);
            let lengths = (there.hashchain.length, here.hashchain.length);
            let grown = (lengths.0.saturating_sub(self.lengths.0), lengths.1.saturating_sub(self.lengths.1));
            if grown.0 != grown.1 {
                facets.push(Facet::Growth(grown.0, grown.1));
            }
            let (now, carried) = self.ask(pair, &mut facets);
            for facet in &facets {
                let before = Before { questions: &self.questions, answers: &self.before };
                let (state, ledger) = (&script.state, &self.ledger);
                let case = Case { facet, event, there: &there, here: &here, before, state, ledger };
                let Some(rule) = rules::explain(&case) else {
                    return End::Unexplained { step: self.step, says: case.to_string() };
                };
                // Two refusals for different reasons leave the states alike.
                let parts = rule.after == After::Parts && *facet != Facet::Code;
                found.push(Found { deviation: rule.deviation, says: rule.says, parts });
                if parts {
                    // What else differs follows from that.
                    return End::Parted { step: self.step };
                }
            }
            self.ledger.note(event, &there, &here, Before { questions: &self.questions, answers: &self.before });
            (self.before, self.carried, self.lengths) = (now, carried, lengths);
            self.step += 1;
        }
        End::Reached
    }

    /// Asks both; what differs now and did not differ like that before is one more facet.
    fn ask(&self, pair: &mut Pair, facets: &mut Vec<Facet>) -> (Vec<Value>, Vec<Option<(Value, Value)>>) {
        let mut now = Vec::with_capacity(self.questions.len());
        let mut carried = Vec::with_capacity(self.questions.len());
        for (question, earlier) in self.questions.iter().zip(&self.carried) {
            let (there, here) = pair.ask(question);
            now.push(here.clone());
            let differs = (there != here).then_some((there, here));
            if let (Some((there, here)), true) = (&differs, differs != *earlier) {
                let (there, here) = (there.clone(), here.clone());
                facets.push(Facet::Answer { question: question.clone(), there, here });
            }
            carried.push(differs);
        }
        (now, carried)
    }
}

fn compare(there: &StepResult, here: &StepResult) -> Vec<Facet> {
    if there.status != here.status {
        return vec![Facet::Decision];
    }
    if there.blocked_reason_code != here.blocked_reason_code {
        return vec![Facet::Code];
    }
    let mut facets = Vec::new();
    if there.emits != here.emits {
        facets.push(Facet::Emits);
    }
    if there.token_consumed != here.token_consumed {
        facets.push(Facet::Tokens);
    }
    let ids: BTreeSet<&str> =
        there.violations.iter().chain(&here.violations).map(|item| item.invariant_id.as_str()).collect();
    for id in ids {
        let find = |result: &StepResult| {
            let item = result.violations.iter().rfind(|item| item.invariant_id == id)?;
            Some((item.status, item.reason_code.clone()))
        };
        if find(there) != find(here) {
            facets.push(Facet::Finding(id.to_owned()));
        }
    }
    if there.enforcements != here.enforcements {
        facets.push(Facet::Enforcements);
    }
    facets
}
