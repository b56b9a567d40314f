//! A shift: entities for patients and doctors, what each event does to them, and the books.

use crate::{Class, Department};
use bevy_ecs::prelude::{Component, Entity};
use labtrust_kernel::stats::{Tally, TimeWeighted};
use labtrust_kernel::{EventClass, Handle, Model, SimDuration, SimTime, Simulation, Stream};
use std::collections::BTreeSet;

// ANCHOR: entities
/// At one instant a doctor is free before anybody comes, and for a patient whose patience ends just then.
const DONE: EventClass = EventClass(0);
const ARRIVAL: EventClass = EventClass(1);
const GIVES_UP: EventClass = EventClass(2);

enum Event {
    /// A patient of this class comes.
    Arrival(usize),
    /// This patient leaves unseen.
    GivesUp(Entity),
    /// This doctor has treated a patient.
    Done(Entity),
}

#[derive(Component)]
struct Patient {
    class: usize,
    arrived: SimTime,
    treatment: SimDuration,
}

/// A patient in the waiting room, and the event that ends its patience.
#[derive(Component)]
struct Waiting(Option<Handle>);

/// A doctor, and whom it treats.
#[derive(Component)]
struct Doctor(Option<Entity>);

struct Shift<'a> {
    department: &'a Department,
    /// By class: gaps between arrivals, treatments, patience.
    streams: Vec<[Stream; 3]>,
    /// By class, then by time of arrival.
    queue: BTreeSet<(usize, SimTime, Entity)>,
    idle: Vec<Entity>,
    books: Outcome,
}
// ANCHOR_END: entities

// ANCHOR: books
/// The books of one shift; lists are by class, the most urgent first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Came [count].
    pub arrived: Vec<u64>,
    /// Gave up and left unseen [count].
    pub left: Vec<u64>,
    /// Waits of those that a doctor called [min].
    pub waits_min: Vec<Tally>,
    /// Treated to the end [count].
    pub treated: u64,
    /// Patients in the department, over time [count].
    pub present: TimeWeighted,
    /// Time spent here, summed over patients when they go or the shift ends.
    pub stays: SimDuration,
}

impl Outcome {
    /// By how much the mean number present differs from arrivals times mean stay, relative. Over a shift that begins empty
    /// Little's law is an identity, and the two sides are counted apart: what is above rounding is a mistake.
    ///
    /// Source: J. D. C. Little, "Little's law as viewed on its 50th anniversary", Operations Research 59(3), 2011.
    pub fn little_gap(&self, open: SimDuration) -> f64 {
        let by_state = self.present.mean(SimTime::ZERO.saturating_add(open)).unwrap_or(0.0);
        let by_patient = self.stays.as_secs_f64() / open.as_secs_f64();
        (by_state - by_patient).abs() / by_patient.max(f64::MIN_POSITIVE)
    }
}
// ANCHOR_END: books

impl Model for Shift<'_> {
    type Event = Event;

    fn handle(&mut self, event: Event, now: SimTime, sim: &mut Simulation<Event>) {
        match event {
            Event::Arrival(class) => self.arrive(class, now, sim),
            Event::GivesUp(patient) => self.give_up(patient, now, sim),
            Event::Done(doctor) => self.finish(doctor, now, sim),
        }
        self.call(now, sim);
    }
}

impl Shift<'_> {
    // ANCHOR: handlers
    /// A patient comes with its whole fate: what is drawn now does not depend on how many doctors there are.
    fn arrive(&mut self, class: usize, now: SimTime, sim: &mut Simulation<Event>) {
        let (kind, [gaps, treatments, patience]) = (&self.department.classes[class], &mut self.streams[class]);
        let treatment = treatments.exp_duration(kind.treatment);
        let patient = sim.world.spawn(Patient { class, arrived: now, treatment }).id();
        let gives_up =
            kind.patience.map(|mean| schedule(sim, patience.exp_duration(mean), GIVES_UP, Event::GivesUp(patient)));
        sim.world.entity_mut(patient).insert(Waiting(gives_up));
        schedule(sim, gaps.exp_duration(kind.gap), ARRIVAL, Event::Arrival(class));
        self.queue.insert((class, now, patient));
        self.books.arrived[class] += 1;
        self.books.present.change(now, 1.0).expect("time runs forward");
    }

    /// While a doctor is idle and somebody waits, the most urgent is called, and gives up no more.
    fn call(&mut self, now: SimTime, sim: &mut Simulation<Event>) {
        while !self.idle.is_empty()
            && let Some((class, arrived, entity)) = self.queue.pop_first()
            && let Some(doctor) = self.idle.pop()
        {
            let mut patient = sim.world.entity_mut(entity);
            let Waiting(gives_up) = patient.take().expect("who queues waits");
            let treatment = patient.get::<Patient>().expect("who queues is a patient").treatment;
            gives_up.and_then(|event| sim.calendar.cancel(event));
            sim.world.entity_mut(doctor).insert(Doctor(Some(entity)));
            schedule(sim, treatment, DONE, Event::Done(doctor));
            self.books.waits_min[class].add(now.saturating_since(arrived).as_secs_f64() / 60.0);
        }
    }

    fn give_up(&mut self, entity: Entity, now: SimTime, sim: &mut Simulation<Event>) {
        let patient = self.leave(entity, now, sim);
        self.queue.remove(&(patient.class, patient.arrived, entity));
        self.books.left[patient.class] += 1;
    }

    fn finish(&mut self, doctor: Entity, now: SimTime, sim: &mut Simulation<Event>) {
        let mut at_work = sim.world.get_mut::<Doctor>(doctor).expect("doctors stay");
        let patient = at_work.0.take().expect("who is done has treated somebody");
        self.leave(patient, now, sim);
        self.idle.push(doctor);
        self.books.treated += 1;
    }

    fn leave(&mut self, entity: Entity, now: SimTime, sim: &mut Simulation<Event>) -> Patient {
        let patient = sim.world.entity_mut(entity).take::<Patient>().expect("who leaves is a patient");
        sim.world.despawn(entity);
        self.books.stays = self.books.stays.saturating_add(now.saturating_since(patient.arrived));
        self.books.present.change(now, -1.0).expect("time runs forward");
        patient
    }
    // ANCHOR_END: handlers
}

fn schedule(sim: &mut Simulation<Event>, delay: SimDuration, class: EventClass, event: Event) -> Handle {
    sim.calendar.schedule_after(delay, class, event).expect("fewer than 2^26 events are pending")
}

// ANCHOR: run
impl Department {
    /// One shift. The same department and seed give the same outcome, to the last bit.
    pub fn run(&self, seed: u64) -> Outcome {
        let mut sim = Simulation::new(seed);
        let classes = self.classes.len();
        let purposes = ["arrivals", "treatments", "patience"];
        let streams = |class: &Class| purposes.map(|purpose| sim.streams.stream(purpose, class.name));
        let mut shift = Shift {
            department: self,
            streams: self.classes.iter().map(streams).collect(),
            queue: BTreeSet::new(),
            idle: (0..self.doctors).map(|_| sim.world.spawn(Doctor(None)).id()).collect(),
            books: Outcome {
                arrived: vec![0; classes],
                left: vec![0; classes],
                waits_min: vec![Tally::new(); classes],
                ..Outcome::default()
            },
        };
        for (class, kind) in self.classes.iter().enumerate() {
            let first = shift.streams[class][0].exp_duration(kind.gap);
            schedule(&mut sim, first, ARRIVAL, Event::Arrival(class));
        }
        let end = SimTime::ZERO.saturating_add(self.open);
        sim.run_until(&mut shift, end);
        for patient in sim.world.query::<&Patient>().iter(&sim.world) {
            shift.books.stays = shift.books.stays.saturating_add(end.saturating_since(patient.arrived));
        }
        shift.books
    }
}
// ANCHOR_END: run
