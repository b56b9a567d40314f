//! Actors on the network of a method, and in the software of two of those who speak on it.

use super::Kit;
use crate::catalogue::Trick;
use crate::ledger::Event;
use labtrust_comms::protocols::commit_reveal::commitment;
use labtrust_kernel::Stream;
use labtrust_plugin::{Fate, Heard, Injector, Passing, Sensors, SharedTap, Taint, WireTap};
use serde_json::{Number, Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Messages that an eavesdropper remembers [count].
const REMEMBERED: usize = 256;
/// Copies of one message in a flood [count].
const COPIES: usize = 40;
/// From when to when a disturbance of the network lasts, as parts of the episode [1/16].
const SPELL: (u32, u32) = (4, 10);
/// Length of a step on a disturbed network [ms]: as long as a message may be under way.
const STEP_MS: u32 = 200;
/// How often a network sends again what was lost, where it does [count].
const RETRIES: u32 = 4;
/// What one bids who wants all of it: less than nothing [s].
const TOO_LITTLE: i64 = -1;
/// What one bids who wants none of it [s].
const TOO_MUCH: i64 = 1_000_000;
/// The secret of a liar's commitment.
const NONCE: &str = "mine";
/// How much old messages are older than what still counts [steps].
const STALE_BY: u32 = 3;

/// Sits on the network.
pub(super) struct Wire {
    kit: Kit,
    tap: Arc<Mutex<Tap>>,
}

impl Wire {
    pub(super) fn new(kit: Kit, trick: Trick) -> Self {
        let tap = Tap::new(kit.clone(), trick);
        Self { kit, tap: Arc::new(Mutex::new(tap)) }
    }
}

impl Injector for Wire {
    fn on_view(&mut self, sensors: &mut Sensors<'_>) {
        self.kit.learn(sensors.step, sensors.view);
        self.kit.meet(sensors.view, sensors.symbols);
    }

    fn tap(&mut self) -> Option<SharedTap> {
        Some(self.tap.clone())
    }
}

/// Several on one network, one behind the other.
pub(crate) struct Taps(pub(crate) Vec<SharedTap>);

impl Taps {
    fn each(&self, mut with: impl FnMut(&mut (dyn WireTap + 'static))) {
        for tap in &self.0 {
            with(&mut *tap.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl WireTap for Taps {
    fn on_step(&mut self, step: u32) -> Option<String> {
        let mut settings = None;
        self.each(|tap| settings = tap.on_step(step).or_else(|| settings.take()));
        settings
    }

    fn tempts(&self) -> bool {
        let mut tempts = false;
        self.each(|tap| tempts |= tap.tempts());
        tempts
    }

    fn on_say(&mut self, step: u32, me: u32, said: &mut Value) -> Option<Taint> {
        let mut taint = None;
        self.each(|tap| taint = tap.on_say(step, me, said).or(taint));
        taint
    }

    fn on_send(&mut self, step: u32, passing: &mut Passing, extra: &mut Vec<Passing>) -> Fate {
        let mut fate = Fate::Pass;
        self.each(|tap| {
            if fate == Fate::Pass {
                fate = tap.on_send(step, passing, extra);
            }
        });
        fate
    }

    fn on_heard(&mut self, step: u32, me: u32, taint: Option<Taint>, heard: Heard, blamed: Option<u32>) {
        // Each knows its own marks.
        self.each(|tap| tap.on_heard(step, me, taint, heard, blamed));
    }
}

/// What sits on the network.
struct Tap {
    kit: Kit,
    trick: Trick,
    acts: Stream,
    what: Stream,
    /// Messages that passed, with their steps.
    heard: VecDeque<(u32, Passing)>,
    /// Whose clocks are wrong, and who of an agreement: drawn when they first speak.
    chosen: BTreeMap<u32, bool>,
    /// Who sent what bears a mark.
    sources: BTreeMap<Taint, String>,
    /// What was called last, and so what a bid is about.
    jobs: Vec<u32>,
    /// Steps of which something is on record already, of disturbances that have no messages of their own.
    told: BTreeSet<u32>,
}

impl Tap {
    fn new(kit: Kit, trick: Trick) -> Self {
        let (acts, what) = (kit.stream("acts"), kit.stream("what"));
        let jobs = Vec::new();
        let (heard, chosen, sources, told) = (VecDeque::new(), BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { kit, trick, acts, what, heard, chosen, sources, jobs, told }
    }

    fn attempt(&mut self, step: u32, what: String, source: String) -> Taint {
        let mut ledger = self.kit.ledger.open();
        let taint = ledger.attempt(step, "message", what);
        ledger.note(step, taint, Event::Delivered);
        self.sources.insert(taint, source);
        taint
    }

    /// Whether somebody is of those whom the actor has chosen, about one in so many.
    fn is_chosen(&mut self, who: u32, one_in: u64) -> bool {
        let what = &mut self.what;
        *self.chosen.entry(who).or_insert_with(|| what.below(one_in) == 0)
    }

    /// Whether a spell of bad network lasts in this step.
    fn spell(&self, step: u32) -> bool {
        let steps = self.kit.steps();
        (steps * SPELL.0 / 16..steps * SPELL.1 / 16).contains(&step)
    }

    fn remember(&mut self, step: u32, passing: &Passing) {
        if self.heard.len() == REMEMBERED {
            self.heard.pop_front();
        }
        self.heard.push_back((step, passing.clone()));
    }
}

/// What is said in a letter: all of one that is open, the payload of an envelope.
fn said(passing: &mut Passing) -> Option<&mut Value> {
    if passing.signed { passing.letter.get_mut("payload")?.get_mut("say") } else { Some(&mut *passing.letter) }
}

/// Whether a field says which step it is.
fn is_time(field: &str) -> bool {
    matches!(field, "step" | "epoch" | "round")
}

/// Whole numbers in a value, by their paths, but not those that say which step it is.
fn numbers(value: &Value, path: &mut Vec<String>, found: &mut Vec<String>) {
    match value {
        Value::Number(number)
            if (number.is_i64() || number.is_u64()) && !path.last().is_some_and(|last| is_time(last)) =>
        {
            found.push(format!("/{}", path.join("/")));
        }
        Value::Array(list) => {
            for (place, item) in list.iter().enumerate() {
                path.push(place.to_string());
                numbers(item, path, found);
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                path.push(key.replace('~', "~0").replace('/', "~1"));
                numbers(item, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Changes one whole number of what is said. Returns how, or `None` where there is none.
fn alter(said: &mut Value, draws: &mut Stream) -> Option<String> {
    let mut found = Vec::new();
    if said.is_number() {
        found.push(String::new());
    } else {
        numbers(said, &mut Vec::new(), &mut found);
    }
    let place = usize::try_from(draws.below(u64::try_from(found.len()).ok().filter(|count| *count > 0)?)).ok()?;
    let number = said.pointer_mut(found.get(place)?)?;
    let was = number.as_i64().unwrap_or_default();
    // To a neighbour, to nothing, or to something large: what is a place, a time or a price alike.
    let is = match draws.below(4) {
        0 => was.saturating_add(1),
        1 => (was - 1).max(0),
        2 => 0,
        _ => was.saturating_add(600),
    };
    *number = Value::Number(Number::from(is));
    (is != was).then(|| format!("{was} becomes {is}"))
}

impl WireTap for Tap {
    fn on_step(&mut self, step: u32) -> Option<String> {
        let intensity = self.kit.setting.intensity;
        let spell = self.spell(step) && self.kit.is_open(step);
        let settings = match self.trick {
            Trick::Delay => {
                let mean = 50.0 + 100.0 * intensity;
                format!("p50_ms={mean},p95_ms={},step_ms={STEP_MS}", mean * 2.0)
            }
            Trick::Drop => format!("drop_rate={}", intensity.min(0.95)),
            Trick::Reorder => {
                let window = ((intensity * 5.0) as u32).max(1);
                format!("p50_ms=80,p95_ms=320,reorder_window={window},step_ms={}", 2 * STEP_MS)
            }
            Trick::Spike | Trick::Partition => format!("drop_rate={}", if spell { 0.97 } else { 0.0 }),
            _ => return None,
        };
        // Whether what is lost is sent again is the network's affair and not the attacker's.
        let settings = if self.kit.retransmits { format!("{settings},retries={RETRIES}") } else { settings };
        let lasts = match self.trick {
            Trick::Spike | Trick::Partition => spell,
            _ => self.kit.is_open(step),
        };
        if !lasts {
            return Some(String::new());
        }
        if self.told.insert(step) {
            self.attempt(step, settings.clone(), "network".to_owned());
        }
        Some(settings)
    }

    fn tempts(&self) -> bool {
        matches!(self.trick, Trick::Underbid | Trick::Overbid | Trick::Cartel)
    }

    fn on_say(&mut self, step: u32, me: u32, said: &mut Value) -> Option<Taint> {
        if let Some(called) = said["word"].get("Call").and_then(Value::as_array) {
            self.jobs = called.iter().filter_map(|job| u32::try_from(job.as_u64()?).ok()).collect();
            return None;
        }
        let others = u64::try_from(self.kit.people()).ok()?;
        let price = match self.trick {
            Trick::Underbid => TOO_LITTLE,
            Trick::Overbid => TOO_MUCH,
            // In turns: one wants nothing, the other everything.
            Trick::Cartel if (u64::from(step) / 8 + u64::from(me)).is_multiple_of(2) => TOO_MUCH,
            Trick::Cartel => TOO_LITTLE,
            _ => return None,
        };
        let first = u32::try_from(self.kit.seed() % others.max(1)).ok()?;
        let second = u32::try_from((u64::from(first) + 1) % others.max(1)).ok()?;
        let lies = me == first || (self.trick == Trick::Cartel && me == second);
        if !lies || !self.kit.is_open(step) {
            return None;
        }
        // A liar who is asked to commit commits to the lie.
        let name = self.kit.name_of(me)?.to_owned();
        let text: String = self.jobs.iter().map(|job| format!("{job}:{price};")).collect();
        if said["word"].get("Commit").is_some() {
            said["word"]["Commit"] = commitment(&name, &text, NONCE, u64::from(step)).into();
            return None;
        }
        if said["word"].get("Bid").is_none() || self.jobs.is_empty() {
            return None;
        }
        let nonce = said["word"]["Bid"].get(1).and_then(Value::as_str).is_some_and(|nonce| !nonce.is_empty());
        let bids: Vec<(u32, i64)> = self.jobs.iter().map(|job| (*job, price)).collect();
        said["word"]["Bid"] = json!([bids, if nonce { NONCE } else { "" }]);
        Some(self.attempt(step, format!("{name} bids {price} for everything"), me.to_string()))
    }

    fn on_send(&mut self, step: u32, passing: &mut Passing, extra: &mut Vec<Passing>) -> Fate {
        let trick = self.trick;
        if matches!(trick, Trick::Skew) {
            return self.skew(step, passing, extra);
        }
        if !matches!(
            trick,
            Trick::Alter | Trick::Equivocate | Trick::Blame | Trick::Repeat | Trick::Stale | Trick::Flood
        ) {
            return Fate::Pass;
        }
        if passing.taint.is_some() {
            return Fate::Pass;
        }
        // One insider's own chatter floods the others.
        let people = u64::try_from(self.kit.people()).unwrap_or(1).max(1);
        if trick == Trick::Flood && u64::from(passing.from) != self.kit.seed() % people {
            return Fate::Pass;
        }
        let acts = self.kit.acts(step, &mut self.acts);
        if trick == Trick::Stale {
            self.remember(step, passing);
        }
        if !acts {
            return Fate::Pass;
        }
        let from = passing.from;
        match trick {
            Trick::Alter | Trick::Blame => {
                let Some(how) = said(passing).and_then(|said| alter(said, &mut self.what)) else { return Fate::Pass };
                if trick == Trick::Blame {
                    // Somebody else on the network, who has said nothing.
                    passing.from = if from == 0 { 1 } else { from - 1 };
                }
                passing.taint = Some(self.attempt(step, format!("from {from}: {how}"), "wire".to_owned()));
            }
            Trick::Equivocate => {
                // To one half of those who hear it, another state.
                if !passing.to.is_multiple_of(2) {
                    return Fate::Pass;
                }
                let Some(how) = said(passing).and_then(|said| alter(said, &mut self.what)) else { return Fate::Pass };
                passing.taint =
                    Some(self.attempt(step, format!("from {from} to {}: {how}", passing.to), "wire".to_owned()));
            }
            Trick::Repeat | Trick::Flood => {
                let copies = if trick == Trick::Flood { COPIES } else { 1 };
                for _ in 0..copies {
                    let source = if trick == Trick::Flood { from.to_string() } else { "wire".to_owned() };
                    let taint = self.attempt(step, format!("from {from}, once more"), source);
                    extra.push(Passing { taint: Some(taint), ..passing.clone() });
                }
            }
            Trick::Stale => {
                let old = self.heard.iter().filter(|(then, _)| *then + STALE_BY <= step).count();
                let Some(place) = u64::try_from(old).ok().filter(|old| *old > 0).map(|old| self.what.below(old)) else {
                    return Fate::Pass;
                };
                let Some((then, old)) = usize::try_from(place).ok().and_then(|place| self.heard.get(place)).cloned()
                else {
                    return Fate::Pass;
                };
                let taint = self.attempt(step, format!("from {} of step {then}", old.from), "wire".to_owned());
                extra.push(Passing { taint: Some(taint), ..old });
            }
            _ => {}
        }
        Fate::Pass
    }

    fn on_heard(&mut self, step: u32, me: u32, taint: Option<Taint>, heard: Heard, blamed: Option<u32>) {
        let Some((taint, source)) = taint.and_then(|taint| Some((taint, self.sources.get(&taint)?.clone()))) else {
            return;
        };
        let mut ledger = self.kit.ledger.open();
        match heard {
            Heard::Believed => {
                ledger.note(step, taint, Event::Believed { by: me.to_string() });
                ledger.note(step, taint, Event::Effect { entity: format!("agent {me}") });
                // What is to be believed twice, or too late, has reached its goal by that alone.
                if matches!(self.trick, Trick::Repeat | Trick::Stale | Trick::Flood | Trick::Skew) {
                    ledger.note(step, taint, Event::Goal);
                }
            }
            Heard::Refused(code) => {
                let blamed = blamed.map(|blamed| blamed.to_string());
                ledger.note(step, taint, Event::Control { code: code.to_owned(), blamed, truth: source });
            }
        }
    }
}

impl Tap {
    /// What one with a wrong clock says arrives with the time of some steps ago: held back, and let through later.
    fn skew(&mut self, step: u32, passing: &mut Passing, extra: &mut Vec<Passing>) -> Fate {
        if passing.taint.is_some() {
            return Fate::Pass;
        }
        while self.heard.front().is_some_and(|(then, _)| then + STALE_BY <= step) {
            if let Some((then, old)) = self.heard.pop_front() {
                let taint =
                    self.attempt(step, format!("from {} with the time of step {then}", old.from), "clock".to_owned());
                extra.push(Passing { taint: Some(taint), ..old });
            }
        }
        if self.kit.is_open(step) && self.is_chosen(passing.from, 3) && self.acts.bernoulli(self.kit.setting.intensity)
        {
            self.remember(step, passing);
            return Fate::Drop;
        }
        Fate::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_kernel::Streams;
    use serde_json::json;

    #[test]
    fn one_number_changes_and_never_the_step() {
        let was = json!({"step": 3, "word": {"Bid": [[[7, 30], [8, 40]], ""]}});
        let mut draws = Streams::new(1).stream("a", "b");
        for _ in 0..100 {
            let mut is = was.clone();
            if alter(&mut is, &mut draws).is_some() {
                assert_ne!(is, was);
            }
            assert_eq!(is["step"], 3);
        }
        assert!(alter(&mut json!({"step": 3}), &mut draws).is_none());
    }
}
