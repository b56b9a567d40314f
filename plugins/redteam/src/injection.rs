//! From an entry of the catalogue to an injection of the registry.

use crate::actors::{self, Kit};
use crate::catalogue::{self, Actor, COMPOUNDS, Class, CompoundEntry, Entry};
use crate::defences::Defences;
use crate::ledger::{Ledger, Shared};
use crate::report::{Findings, detector, robustness};
use crate::settings::{self, Setting};
use labtrust_plugin::lab::{Action, Outcome, StepFacts, Symbols};
use labtrust_plugin::{
    Course, Forged, Injection, Injector, Opening, Report, Sensors, SharedTap, Taint, Terms, Turn, UNTOUCHED,
};
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::json;
use std::sync::Arc;

/// How many marks one actor may make before those of the next begin [count].
const MARKS: u32 = 1 << 24;

/// An injection of the catalogue.
#[derive(Clone, Debug)]
pub struct Injected {
    id: &'static str,
    bound: Option<(Setting, Arc<Defences>)>,
}

impl Injected {
    /// The injection of an id of [`catalogue::ENTRIES`].
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self { id, bound: None }
    }

    fn entry(&self) -> &'static Entry {
        catalogue::entry(self.id).unwrap_or(&catalogue::ENTRIES[0])
    }
}

impl Injection for Injected {
    fn id(&self) -> &'static str {
        self.id
    }

    fn summary(&self) -> &'static str {
        self.entry().summary
    }

    fn bind(&self, policy: &PolicyStore, terms: &Terms) -> Result<Option<Box<dyn Injection>>, PolicyError> {
        let bound = Some((settings::load(policy, self.id)?, Arc::new(Defences::load(policy, &terms.ablated))));
        Ok(Some(Box::new(Self { id: self.id, bound })))
    }

    fn is_idle(&self) -> bool {
        self.entry().class == Class::Reserved
    }

    fn clean_course(&self) -> &str {
        if sits(self.entry()) { self.id } else { UNTOUCHED }
    }

    fn injector(&self, opening: &Opening<'_>, armed: bool) -> Box<dyn Injector> {
        let (setting, defences) = self.bound.clone().unwrap_or_else(unbound);
        Box::new(Acting::of(self.id, &[(self.entry(), setting)], &defences, opening, armed))
    }
}

/// Several injections at once.
#[derive(Clone, Debug)]
pub struct Compound {
    entry: &'static CompoundEntry,
    bound: Option<(Vec<Setting>, Arc<Defences>)>,
}

impl Compound {
    /// The compound of this place in [`COMPOUNDS`].
    #[must_use]
    pub const fn new(place: usize) -> Self {
        Self { entry: &COMPOUNDS[place], bound: None }
    }
}

labtrust_plugin::register_plugin!(Injection, const { Compound::new(0) });
labtrust_plugin::register_plugin!(Injection, const { Compound::new(1) });
labtrust_plugin::register_plugin!(Injection, const { Compound::new(2) });

impl Injection for Compound {
    fn id(&self) -> &'static str {
        self.entry.id
    }

    fn summary(&self) -> &'static str {
        "Several injections at once, each with streams of its own."
    }

    fn bind(&self, policy: &PolicyStore, terms: &Terms) -> Result<Option<Box<dyn Injection>>, PolicyError> {
        let settings = self.entry.children.iter().map(|id| settings::load(policy, id)).collect::<Result<_, _>>()?;
        let defences = Arc::new(Defences::load(policy, &terms.ablated));
        Ok(Some(Box::new(Self { entry: self.entry, bound: Some((settings, defences)) })))
    }

    fn clean_course(&self) -> &str {
        let mut children = self.entry.children.iter().filter_map(|id| catalogue::entry(id));
        if children.any(sits) { self.entry.id } else { UNTOUCHED }
    }

    fn injector(&self, opening: &Opening<'_>, armed: bool) -> Box<dyn Injector> {
        let (settings, defences) = self.bound.clone().unwrap_or_else(|| {
            let (setting, defences) = unbound();
            (vec![setting; self.entry.children.len()], defences)
        });
        let children = self.entry.children.iter().zip(settings);
        let children: Vec<_> = children.filter_map(|(id, setting)| Some((catalogue::entry(id)?, setting))).collect();
        Box::new(Acting::of(self.entry.id, &children, &defences, opening, armed))
    }
}

/// How an injection acts that nobody has bound to a policy.
fn unbound() -> (Setting, Arc<Defences>) {
    (Setting::default(), Arc::new(Defences::load(&PolicyStore::builtin(), &[])))
}

/// Whether it fills a seat: then it sits there in the clean course, too.
const fn sits(entry: &Entry) -> bool {
    matches!(entry.actor, Actor::Writer(_))
}

/// One actor, its ledger, and how it is judged.
struct Child {
    entry: &'static Entry,
    setting: Setting,
    ledger: Shared,
    actor: Box<dyn Injector>,
}

/// The actors of one episode.
struct Acting {
    id: &'static str,
    children: Vec<Child>,
    armed: bool,
}

impl Acting {
    fn of(
        id: &'static str,
        entries: &[(&'static Entry, Setting)],
        defences: &Arc<Defences>,
        opening: &Opening<'_>,
        armed: bool,
    ) -> Self {
        let child = |(place, (entry, setting)): (usize, &(&'static Entry, Setting))| {
            let first = MARKS * u32::try_from(place).unwrap_or_default();
            let ledger = Shared::new(Ledger::new(opening.seed, entry.id, first));
            let kit = Kit::new(entry, *setting, place, opening.seed, ledger.clone(), defences.retransmits, armed);
            Child { entry, setting: *setting, ledger, actor: actors::actor(entry, kit, defences) }
        };
        Self { id, children: entries.iter().enumerate().map(child).collect(), armed }
    }

    fn actors(&mut self) -> impl Iterator<Item = &mut Child> {
        let armed = self.armed;
        self.children.iter_mut().filter(move |child| armed || sits(child.entry))
    }
}

impl Injector for Acting {
    fn on_view(&mut self, sensors: &mut Sensors<'_>) {
        self.actors().for_each(|child| child.actor.on_view(sensors));
    }

    fn tap(&mut self) -> Option<SharedTap> {
        let taps: Vec<SharedTap> = self.actors().filter_map(|child| child.actor.tap()).collect();
        match taps.len() {
            0 => None,
            1 => taps.into_iter().next(),
            _ => Some(Arc::new(std::sync::Mutex::new(actors::Taps(taps)))),
        }
    }

    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        self.actors().for_each(|child| child.actor.on_turn(turn));
    }

    fn on_event(&mut self, step: u32, action: &Action) {
        self.actors().for_each(|child| child.actor.on_event(step, action));
    }

    fn after_events(&mut self, step: u32, beside: &mut Vec<Forged>, symbols: &mut Symbols) {
        self.actors().for_each(|child| child.actor.after_events(step, beside, symbols));
    }

    fn on_outcome(&mut self, step: u32, taint: Taint, action: &Action, outcome: &Outcome) {
        let owner = self.actors().find(|child| child.ledger.open().knows(taint));
        if let Some(child) = owner {
            child.actor.on_outcome(step, taint, action, outcome);
        }
    }

    fn on_step(&mut self, facts: &StepFacts<'_>) {
        self.actors().for_each(|child| child.actor.on_step(facts));
    }

    fn report(&mut self, attacked: &Course, clean: &Course) -> Option<Report> {
        let findings: Vec<Findings> = self
            .children
            .iter()
            .map(|child| {
                let ceiling = child.setting.utility_loss_ceiling;
                Findings::of(&child.ledger.open(), attacked, clean, child.entry.goal, ceiling)
            })
            .collect();
        let together = Findings::together(&findings);
        let class = self.children.first().map_or(Class::Reserved, |child| child.entry.class);
        let mut sec = together.sec(self.id, class);
        sec.append(&mut detector(attacked, clean, together.applied));
        if let [child] = self.children.as_slice() {
            sec.insert("utility_loss_ceiling".to_owned(), json!(child.setting.utility_loss_ceiling));
        }
        let ledger = self.children.iter().flat_map(|child| child.ledger.open().records()).collect();
        Some(Report { sec, robustness: robustness(attacked, clean, together.utility_ratio), ledger })
    }
}
