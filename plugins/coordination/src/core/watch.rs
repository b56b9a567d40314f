//! A method that is watched: a detector compares what each worker was asked with what is seen of them, and whom it gives the alarm about
//! does nothing for a while.
//!
//! [`Watched`] is a method over any other, however that is carried. What the other decides passes through it, less what is for
//! those who are contained; so a contained worker is asked for nothing, whatever the other method thinks of it.

use super::detector::{Alarm, Budget, Detector, Residuals};
use labtrust_plugin::lab::contract::Rows;
use labtrust_plugin::method::{CoordinationMethod, Coordinator, Evidence, EvidenceKind, Figure, MethodCard, Tally};
use labtrust_plugin::wire::{Act, Decision, Observation, Problem, Settings, Site};
use labtrust_plugin::{Origin, SharedTap};
use std::collections::BTreeMap;

/// Somebody was contained.
const CONTAINED: &str = "SEC_INJ_CONTAINMENT_TRIGGERED";

/// How a method is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How many false alarms there may be.
    pub budget: Budget,
    /// How long whom it gives the alarm about does nothing [steps].
    pub contained_steps: u32,
}

impl Terms {
    /// With so many false alarms in 1000 steps at most.
    #[must_use]
    pub const fn with_budget(alarms_per_1000_steps: u32) -> Self {
        Self { budget: Budget { alarms_per_1000_steps }, contained_steps: 50 }
    }
}

/// A method that is watched. It has the other's id, parameters and card.
pub struct Watched<'a> {
    method: &'a dyn CoordinationMethod,
    terms: Terms,
}

impl<'a> Watched<'a> {
    /// `method`, watched.
    #[must_use]
    pub const fn new(method: &'a dyn CoordinationMethod, terms: Terms) -> Self {
        Self { method, terms }
    }
}

impl CoordinationMethod for Watched<'_> {
    fn id(&self) -> &str {
        self.method.id()
    }

    fn summary(&self) -> &str {
        self.method.summary()
    }

    fn params_schema(&self) -> String {
        self.method.params_schema()
    }

    fn card(&self) -> Option<MethodCard> {
        self.method.card()
    }

    fn origin(&self) -> Option<&Origin> {
        self.method.origin()
    }

    fn lacks(&self, settings: &Settings) -> Option<String> {
        self.method.lacks(settings)
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        let directed: Vec<u16> = site.directed().collect();
        Ok(Box::new(Watching {
            inner: self.method.create(settings, site)?,
            contained_steps: self.terms.contained_steps,
            detector: Detector::new(self.terms.budget, directed.len()),
            directed,
            site: site.clone(),
            asked: BTreeMap::new(),
            contained: BTreeMap::new(),
            alarms: Vec::new(),
            told: 0,
            held_back: 0,
        }))
    }
}

/// What somebody was last seen to be and asked to do.
#[derive(Clone, Copy, Debug)]
struct Asked {
    zone: Option<u16>,
    /// Where they are on their way to.
    walking_to: Option<u16>,
    refused: bool,
    /// Where they were sent; they stand there in the next step, or a part of the way on.
    to: Option<u16>,
    /// The first part of that way.
    hop: Option<u16>,
    /// Whether they were asked for anything.
    any: bool,
}

/// A watched method at work.
struct Watching {
    inner: Box<dyn Coordinator>,
    contained_steps: u32,
    detector: Detector,
    directed: Vec<u16>,
    site: Site,
    /// Of the last step, by agent.
    asked: BTreeMap<u16, Asked>,
    /// Until which step each does nothing.
    contained: BTreeMap<u16, u32>,
    alarms: Vec<Alarm>,
    /// How many of them are on record.
    told: usize,
    held_back: u64,
}

impl Watching {
    /// Compares what each was asked with what is seen of them now.
    fn residuals(&self, seen: &Observation) -> Vec<(u16, u32, Residuals)> {
        let refused = |agent| seen.refused(agent).is_some();
        let judged = self.directed.iter().filter(|agent| !self.contained.contains_key(agent));
        let residuals = |&agent: &u16| {
            let row = usize::from(agent);
            let before = self.asked.get(&agent)?;
            let (zone, walking_to) = (*seen.agents.zone.get(row)?, *seen.agents.walking_to.get(row)?);
            let sent = [before.zone, before.walking_to, before.to, before.hop];
            let elsewhere = |place: Option<u16>| place.is_some() && !sent.contains(&place);
            // A refusal stays in sight, so one that is new belongs to what was done last.
            let is_new = refused(agent) && (before.any || !before.refused);
            let stays = before.to.is_some() && before.to != before.zone && zone == before.zone && walking_to.is_none();
            let residuals = Residuals {
                strayed: elsewhere(zone) || elsewhere(walking_to) || (is_new && !before.any),
                disobeyed: stays && !refused(agent),
                refused: is_new,
                ..Residuals::default()
            };
            Some((agent, *seen.agents.may.get(row)?, residuals))
        };
        judged.filter_map(residuals).collect()
    }

    fn remember(&mut self, seen: &Observation, out: &Decision) {
        self.asked.clear();
        for &agent in &self.directed {
            let row = usize::from(agent);
            let Some((&zone, &walking_to)) = seen.agents.zone.get(row).zip(seen.agents.walking_to.get(row)) else {
                continue;
            };
            let refused = seen.refused(agent).is_some();
            self.asked.insert(agent, Asked { zone, walking_to, refused, to: None, hop: None, any: false });
        }
        for choice in &out.choices {
            if let Some(asked) = self.asked.get_mut(&choice.agent) {
                asked.any |= choice.act != Act::Noop;
                if choice.act == Act::Move {
                    asked.to = choice.object.and_then(|zone| u16::try_from(zone).ok());
                    asked.hop = asked.zone.zip(asked.to).and_then(|(from, to)| self.site.hop(from, to));
                }
            }
        }
    }
}

impl Coordinator for Watching {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.contained.retain(|_, until| *until > seen.step);
        let residuals = self.residuals(seen);
        for alarm in self.detector.judge(seen.step, &residuals) {
            self.contained.insert(alarm.agent, seen.step.saturating_add(self.contained_steps));
            self.alarms.push(alarm);
        }
        self.inner.decide(seen, out)?;
        let before = out.choices.len();
        out.choices.retain(|choice| !self.contained.contains_key(&choice.agent));
        out.intents.retain(|intent| !self.contained.contains_key(&intent.choice.agent));
        self.held_back += (before - out.choices.len()) as u64;
        self.remember(seen, out);
        Ok(())
    }

    fn rows(&mut self) -> Option<&mut Rows> {
        self.inner.rows()
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        self.inner.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.inner.unreached()
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.inner.evidence(out);
        let fresh = self.alarms.iter().skip(self.told);
        out.extend(fresh.map(|alarm| Evidence {
            kind: EvidenceKind::Detector,
            agent: Some(alarm.agent),
            code: CONTAINED,
            figures: vec![("score", alarm.last.score() as i64), ("contained_steps", i64::from(self.contained_steps))],
        }));
        self.told = self.alarms.len();
    }

    fn tally(&self) -> Tally {
        let mut tally = self.inner.tally();
        let mut by_agent: BTreeMap<String, u64> = BTreeMap::new();
        for alarm in &self.alarms {
            *by_agent.entry(alarm.agent.to_string()).or_default() += 1;
        }
        let detector = [
            ("alarm_count", Figure::Count(self.alarms.len() as u64)),
            ("alarms_by_agent", Figure::By(by_agent)),
            ("held_back_count", Figure::Count(self.held_back)),
        ];
        tally.told.insert("detector", detector.into());
        tally
    }
}
