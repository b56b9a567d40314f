//! A module at work: one instance an episode, bytes in, bytes out.

use super::rules::TABLE_ELEMENTS_MAX;
use super::{Failure, Limits};
use crate::guard::Worker;
use labtrust_plugin::wire::{
    CreateReply, DecideReply, Decision, Manifest, Observation, Problem, WireError, decode, encode_into,
};
use wasmi::{Linker, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode, TypedFunc};

/// A function that takes a request and says where its answer is.
type Answers = TypedFunc<(u32, u32), u64>;

/// An instance of a module.
pub(super) struct Instance {
    store: Store<StoreLimits>,
    limits: Limits,
    memory: Memory,
    contract: TypedFunc<(), u64>,
    alloc: TypedFunc<u32, u32>,
    free: TypedFunc<(u32, u32), ()>,
    create: Answers,
    decide: Answers,
}

impl Instance {
    /// A new instance of a checked module. Nothing of it has run.
    pub(super) fn new(module: &Module, limits: Limits) -> Result<Self, Failure> {
        let cap = StoreLimitsBuilder::new()
            .memory_size(usize::try_from(limits.memory_bytes()).unwrap_or(usize::MAX))
            .table_elements(TABLE_ELEMENTS_MAX)
            .memories(1)
            .instances(1)
            // A module that asked for more and was told "no" could decide otherwise on a machine with less.
            .trap_on_grow_failure(true)
            .build();
        let engine = module.engine();
        let mut store = Store::new(engine, cap);
        store.limiter(|cap| cap);
        let failure = |error: &wasmi::Error| failure(error, limits, limits.fuel_per_create);
        store.set_fuel(limits.fuel_per_create).map_err(|error| failure(&error))?;
        let linker = <Linker<StoreLimits>>::new(engine);
        let instance = linker.instantiate_and_start(&mut store, module).map_err(|error| failure(&error))?;
        let lost = || Failure::Trap { rule: "the module has lost its memory".to_owned() };
        let memory = instance.get_memory(&store, "memory").ok_or_else(lost)?;
        macro_rules! function {
            ($name:literal) => {
                instance.get_typed_func(&store, $name).map_err(|error| failure(&error))?
            };
        }
        let (contract, alloc, free) =
            (function!("labtrust_contract"), function!("labtrust_alloc"), function!("labtrust_free"));
        let (create, decide) = (function!("labtrust_create"), function!("labtrust_decide"));
        Ok(Self { store, limits, memory, contract, alloc, free, create, decide })
    }

    /// What the module says of itself, and the fuel that took.
    pub(super) fn manifest(&mut self) -> Result<(Manifest, u64), Failure> {
        let fuel = self.limits.fuel_per_create;
        self.refuel(fuel)?;
        let place = self.contract.call(&mut self.store, ()).map_err(|error| failure(&error, self.limits, fuel))?;
        let manifest = decode(self.reply(place)?)?;
        Ok((manifest, self.used(fuel)))
    }

    /// Begins an episode.
    fn create(&mut self, request: &[u8]) -> Result<(), Failure> {
        let create = self.create;
        let reply: CreateReply = self.answer(create, request, self.limits.fuel_per_create, decode)?;
        reply.map_err(Failure::Problem)
    }

    fn decide(&mut self, request: &[u8]) -> Result<Decision, Failure> {
        let decide = self.decide;
        let reply: DecideReply = self.answer(decide, request, self.limits.fuel_per_decision, decode)?;
        reply.map_err(Failure::Problem)
    }

    /// Hands a request over and takes the answer, all with one tank of fuel.
    fn answer<T>(
        &mut self,
        function: Answers,
        request: &[u8],
        fuel: u64,
        read: fn(&[u8]) -> Result<T, WireError>,
    ) -> Result<T, Failure> {
        let limits = self.limits;
        let trapped = |error: wasmi::Error| failure(&error, limits, fuel);
        self.refuel(fuel)?;
        let len = u32::try_from(request.len()).map_err(|_| Failure::OutOfMemory { limit: limits.memory_bytes() })?;
        let address = self.alloc.call(&mut self.store, len).map_err(trapped)?;
        let memory = self.memory.data_size(&self.store) as u64;
        let buffer = span(address, len)
            .and_then(|span| self.memory.data_mut(&mut self.store).get_mut(span))
            .ok_or(Failure::OutOfBounds { what: "the buffer", address, len, memory })?;
        buffer.copy_from_slice(request);
        let place = function.call(&mut self.store, (address, len)).map_err(trapped)?;
        let reply = read(self.reply(place)?)?;
        self.free.call(&mut self.store, (address, len)).map_err(trapped)?;
        self.free.call(&mut self.store, (high(place), low(place))).map_err(trapped)?;
        Ok(reply)
    }

    /// The bytes of an answer, inside of the module's memory.
    fn reply(&self, place: u64) -> Result<&[u8], Failure> {
        let (address, len, limit) = (high(place), low(place), self.limits.reply_bytes);
        let data = self.memory.data(&self.store);
        let outside = Failure::OutOfBounds { what: "an answer", address, len, memory: data.len() as u64 };
        let reply = span(address, len).and_then(|span| data.get(span)).ok_or(outside)?;
        if len > limit {
            return Err(Failure::ReplyTooLong { len, limit });
        }
        Ok(reply)
    }

    fn refuel(&mut self, fuel: u64) -> Result<(), Failure> {
        self.store.set_fuel(fuel).map_err(|error| failure(&error, self.limits, fuel))
    }

    /// How much of a tank is gone [fuel].
    fn used(&self, fuel: u64) -> u64 {
        fuel.saturating_sub(self.store.get_fuel().unwrap_or(0))
    }
}

const fn high(place: u64) -> u32 {
    (place >> 32) as u32
}

const fn low(place: u64) -> u32 {
    place as u32
}

/// The places of a buffer; `None` where they do not fit into the machine's numbers.
fn span(address: u32, len: u32) -> Option<std::ops::Range<usize>> {
    let begin = usize::try_from(address).ok()?;
    Some(begin..begin.checked_add(usize::try_from(len).ok()?)?)
}

/// The failure behind an engine's error.
fn failure(error: &wasmi::Error, limits: Limits, fuel: u64) -> Failure {
    match error.as_trap_code() {
        Some(TrapCode::OutOfFuel) => Failure::OutOfFuel { limit: fuel },
        Some(TrapCode::StackOverflow) => Failure::StackOverflow,
        Some(TrapCode::GrowthOperationLimited) => Failure::OutOfMemory { limit: limits.memory_bytes() },
        _ => Failure::Trap { rule: error.to_string() },
    }
}

/// An instance in its episode, and what it takes to make it anew.
pub(super) struct Episode {
    module: Module,
    limits: Limits,
    create: Vec<u8>,
    instance: Instance,
    /// Bytes of the newest observation, in reused memory.
    request: Vec<u8>,
}

impl Episode {
    /// A fresh instance that has been told where it works: it cannot know of an earlier episode.
    pub(super) fn begin(module: Module, limits: Limits, create: Vec<u8>) -> Result<Self, Problem> {
        let instance = begun(&module, limits, &create).map_err(|failure| match failure {
            Failure::Problem(problem) => problem,
            failure => Problem::new(failure.to_string()),
        })?;
        Ok(Self { module, limits, create, instance, request: Vec::new() })
    }
}

fn begun(module: &Module, limits: Limits, create: &[u8]) -> Result<Instance, Failure> {
    let mut instance = Instance::new(module, limits)?;
    instance.create(create)?;
    Ok(instance)
}

impl Worker for Episode {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> (u64, Result<(), String>) {
        self.request.clear();
        encode_into(seen, &mut self.request);
        let decided = self.instance.decide(&self.request);
        let fuel = self.instance.used(self.limits.fuel_per_decision);
        (fuel, decided.map(|decision| *out = decision).map_err(|failure| failure.to_string()))
    }

    fn restart(&mut self) -> Result<(), String> {
        self.instance = begun(&self.module, self.limits, &self.create).map_err(|failure| failure.to_string())?;
        Ok(())
    }
}
