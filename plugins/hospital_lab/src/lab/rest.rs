//! A laboratory at rest: what is in its entity world, its lists and indices, its calendar, its streams and its ids, packed
//! into one row of bytes a tenth as large.
//!
//! Of ten thousand laboratories only those take their full room that somebody works in at the moment. What an
//! episode remembers is the same before and after: the state digest says so in a test. The rest of [`Lab`] is small, and
//! stays as it is.

use super::{ArrivalGroup, Crowd, Index, Lab, Outage, Shown};
use crate::{
    components::{Aliquot, Body, Communication, Consignment, Device, Door, ResultRecord, Run, Specimen, Zone},
    due::Due,
};
use bevy_ecs::{
    component::Component,
    entity::{Entity, EntityGeneration},
    world::{EntityRef, World},
};
use labtrust_kernel::{Calendar, Stream, Symbol, SymbolMap};
use labtrust_plugin::lab::{Ids, Outcome};
use labtrust_trust::gates::Counters;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use smallvec::SmallVec;
use std::{
    any::TypeId,
    ops::{Deref, DerefMut},
};

/// The entity world of a laboratory; none while the laboratory rests.
#[derive(Debug)]
pub(crate) struct Hall {
    world: Option<Box<World>>,
    /// Something was taken out: no new world has its entities at the same places.
    gaps: bool,
}

/// Room for what is packed, before it is known how much it is [bytes].
const ROOM: usize = 1 << 15;
const OURS: &str = "what a laboratory has packed it can unpack";
const AWAKE: &str = "a laboratory is woken before somebody works in it";

impl Default for Hall {
    fn default() -> Self {
        Self { world: Some(Box::default()), gaps: false }
    }
}

impl Hall {
    /// Takes an entity out.
    pub(crate) fn despawn(&mut self, entity: Entity) {
        self.gaps = true;
        World::despawn(self, entity);
    }
}

impl Deref for Hall {
    type Target = World;

    fn deref(&self) -> &World {
        self.world.as_deref().expect(AWAKE)
    }
}

impl DerefMut for Hall {
    fn deref_mut(&mut self) -> &mut World {
        self.world.as_deref_mut().expect(AWAKE)
    }
}

/// A component type, and how an entity that has it is packed and enters a new world.
struct Kind {
    type_id: fn() -> TypeId,
    write: fn(&EntityRef<'_>, Vec<u8>) -> Vec<u8>,
    enter: for<'a> fn(&'a [u8], &mut World) -> &'a [u8],
}

const fn kind<C: Component + Serialize + DeserializeOwned>() -> Kind {
    Kind {
        type_id: TypeId::of::<C>,
        write: |entity, bytes| written(&entity.get::<C>(), bytes),
        enter: |bytes, world| {
            let (component, rest) = read::<Option<C>>(bytes);
            world.spawn(component.expect(OURS));
            rest
        },
    }
}

/// Everything but tokens, which are rare.
static KINDS: [Kind; 10] = [
    kind::<Specimen>(),
    kind::<Aliquot>(),
    kind::<Device>(),
    kind::<Run>(),
    kind::<ResultRecord>(),
    kind::<Communication>(),
    kind::<Consignment>(),
    kind::<Zone>(),
    kind::<Door>(),
    kind::<Body>(),
];

/// Lists and tables of entities, and all else that grows with what happens in a laboratory.
#[derive(Serialize, Deserialize)]
struct Stores {
    calendar: Calendar<Due>,
    ids: Index,
    #[serde(with = "crate::entity::list")]
    zones: Vec<Entity>,
    #[serde(with = "crate::entity::list")]
    doors: Vec<Entity>,
    #[serde(with = "crate::entity::list")]
    devices: Vec<Entity>,
    #[serde(with = "crate::entity::list")]
    specimens: Vec<Entity>,
    shown: Shown,
    #[serde(with = "crate::entity::list")]
    runs: Vec<Entity>,
    #[serde(with = "crate::entity::list")]
    results: Vec<Entity>,
    #[serde(with = "crate::entity::list")]
    consignments: Vec<Entity>,
    #[serde(with = "crate::entity::list")]
    bodies: Vec<Entity>,
    crowd: Crowd,
    batches: Vec<Batch>,
    arrivals: Vec<ArrivalGroup>,
    outages: Vec<Outage>,
    transport_required: Vec<(Ids, Symbol, Symbol)>,
    stock: Vec<f64>,
    counters: SymbolMap<Counters>,
    /// Of services, controls, failures and measurements.
    streams: [Vec<Option<Box<Stream>>>; 4],
}

#[derive(Serialize, Deserialize)]
struct Batch(#[serde(with = "crate::entity::list")] SmallVec<[Entity; 8]>);

impl Lab {
    /// Packs up. Whether it could: a laboratory in which something was taken out of the entity world, or that has things
    /// in it which are rare, stays as it is.
    pub(crate) fn rest(&mut self) -> bool {
        if self.packed.is_some() {
            return true;
        }
        let Some(things) = self.things() else { return false };
        let words: Vec<&str> = self.symbols.own().collect();
        let mut bytes = written(&words, Vec::with_capacity(ROOM));
        bytes = written(&things.len(), bytes);
        for (entity, kind) in things {
            bytes.push(kind);
            bytes = (KINDS[usize::from(kind)].write)(&self.world.entity(entity), bytes);
        }
        bytes = written(&self.take_stores(), bytes);
        self.world.world = None;
        self.symbols.forget_own();
        (self.outcome, self.spare) = (Outcome::default(), Outcome::default());
        (self.found, self.event_bytes, self.record_bytes, self.payload_bytes) = Default::default();
        self.packed = Some(squeezed(&bytes));
        true
    }

    /// Unpacks.
    pub(crate) fn wake(&mut self) {
        let Some(packed) = self.packed.take() else { return };
        let bytes = snap::raw::Decoder::new().decompress_vec(&packed).expect(OURS);
        let (words, rest) = read::<Vec<&str>>(&bytes);
        self.symbols.reserve(words.len(), words.iter().map(|word| word.len()).sum());
        for word in words {
            self.symbols.intern(word);
        }
        self.world = Hall::default();
        let (things, mut rest) = read::<usize>(rest);
        for _ in 0..things {
            let (&kind, thing) = rest.split_first().expect(OURS);
            rest = (KINDS[usize::from(kind)].enter)(thing, &mut self.world);
        }
        self.put_stores(read(rest).0);
    }

    /// All entities in the order in which they came, with their kinds, if a new world gives them the same places in that
    /// order.
    fn things(&self) -> Option<Vec<(Entity, u8)>> {
        // The zones came first.
        let first = self.zones.first()?.index_u32();
        if self.world.gaps {
            return None;
        }
        let mut things = Vec::new();
        for archetype in self.world.archetypes().iter().filter(|archetype| !archetype.is_empty()) {
            let has = |kind: &Kind| {
                let id = self.world.components().get_id((kind.type_id)());
                id.is_some_and(|id| archetype.contains(id))
            };
            let kind = (0..).zip(&KINDS).find(|(_, kind)| has(kind)).map(|(number, _)| number);
            for entity in archetype.entities().iter().map(|place| place.id()) {
                match kind {
                    Some(kind) => things.push((entity, kind)),
                    // What the entity world keeps for itself comes before all else.
                    None if entity.index_u32() < first => {}
                    None => return None,
                }
            }
        }
        things.sort_unstable_by_key(|(entity, _)| entity.index_u32());
        let in_order = |(place, (entity, _)): (u32, &(Entity, u8))| {
            entity.index_u32() == place && entity.generation() == EntityGeneration::FIRST
        };
        (first..).zip(&things).all(in_order).then_some(things)
    }

    fn take_stores(&mut self) -> Stores {
        use std::mem::take;
        Stores {
            calendar: take(&mut self.calendar),
            ids: take(&mut self.ids),
            zones: take(&mut self.zones),
            doors: take(&mut self.doors),
            devices: take(&mut self.devices),
            specimens: take(&mut self.specimens),
            shown: take(&mut self.shown),
            runs: take(&mut self.runs),
            results: take(&mut self.results),
            consignments: take(&mut self.consignments),
            bodies: take(&mut self.bodies),
            crowd: take(&mut self.crowd),
            batches: take(&mut self.batches).into_iter().map(Batch).collect(),
            arrivals: take(&mut self.arrivals),
            outages: take(&mut self.outages),
            transport_required: take(&mut self.transport_required),
            stock: take(&mut self.stock),
            counters: take(self.capabilities.counters_mut()),
            streams: [
                self.service_streams.take(),
                self.qc_streams.take(),
                self.failure_streams.take(),
                self.measurement_streams.take(),
            ],
        }
    }

    fn put_stores(&mut self, stores: Stores) {
        let batches;
        let (counters, streams);
        Stores {
            calendar: self.calendar,
            ids: self.ids,
            zones: self.zones,
            doors: self.doors,
            devices: self.devices,
            specimens: self.specimens,
            shown: self.shown,
            runs: self.runs,
            results: self.results,
            consignments: self.consignments,
            bodies: self.bodies,
            crowd: self.crowd,
            batches,
            arrivals: self.arrivals,
            outages: self.outages,
            transport_required: self.transport_required,
            stock: self.stock,
            counters,
            streams,
        } = stores;
        self.batches = batches.into_iter().map(|Batch(batch)| batch).collect();
        *self.capabilities.counters_mut() = counters;
        let [service, qc, failure, measurement] = streams;
        self.service_streams.put(service);
        self.qc_streams.put(qc);
        self.failure_streams.put(failure);
        self.measurement_streams.put(measurement);
    }
}

/// The same in less room: records of one kind are much alike. In a box of its own, so that nothing of what it was made in stays.
fn squeezed(bytes: &[u8]) -> Box<[u8]> {
    let packed = snap::raw::Encoder::new().compress_vec(bytes).expect("a laboratory has less than 4 GiB");
    Box::from(packed.as_slice())
}

/// The first value of what was packed, and what follows.
fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> (T, &'a [u8]) {
    postcard::take_from_bytes(bytes).expect(OURS)
}

/// Appends a value.
fn written<T: Serialize>(value: &T, bytes: Vec<u8>) -> Vec<u8> {
    postcard::to_extend(value, bytes).expect("everything of a laboratory can be written")
}
