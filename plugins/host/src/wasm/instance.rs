//! A module at work: one instance an episode, bytes in, bytes out.

use super::Limits;
use super::rules::TABLE_ELEMENTS_MAX;
use crate::Failure;
use wasmi::{Linker, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode, TypedFunc};

/// A function that takes a request and says where its answer is.
type Answers = TypedFunc<(u32, u32), u64>;

/// An instance of a module.
pub(super) struct Instance {
    store: Store<StoreLimits>,
    limits: Limits,
    /// Fuel that the newest call began with [fuel].
    tank: u64,
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
        Ok(Self { store, limits, tank: limits.fuel_per_create, memory, contract, alloc, free, create, decide })
    }

    /// The bytes of what the module says of itself.
    pub(super) fn manifest(&mut self) -> Result<Vec<u8>, Failure> {
        let fuel = self.limits.fuel_per_create;
        self.refuel(fuel)?;
        let place = self.contract.call(&mut self.store, ()).map_err(|error| failure(&error, self.limits, fuel))?;
        Ok(self.reply(place)?.to_vec())
    }

    /// Hands a request over and takes the answer, all with one tank of fuel.
    fn answer(&mut self, function: Answers, request: &[u8], fuel: u64, reply: &mut Vec<u8>) -> Result<(), Failure> {
        reply.clear();
        let limits = self.limits;
        let trapped = |error: wasmi::Error| failure(&error, limits, fuel);
        self.refuel(fuel)?;
        let len = u32::try_from(request.len()).map_err(|_| out_of_memory(limits))?;
        let address = self.alloc.call(&mut self.store, len).map_err(trapped)?;
        let memory = self.memory.data_size(&self.store) as u64;
        let buffer = span(address, len)
            .and_then(|span| self.memory.data_mut(&mut self.store).get_mut(span))
            .ok_or(Failure::OutOfBounds { what: "the buffer".into(), address, len, memory })?;
        buffer.copy_from_slice(request);
        let place = function.call(&mut self.store, (address, len)).map_err(trapped)?;
        reply.extend_from_slice(self.reply(place)?);
        self.free.call(&mut self.store, (address, len)).map_err(trapped)?;
        self.free.call(&mut self.store, (high(place), low(place))).map_err(trapped)
    }

    /// The bytes of an answer, inside of the module's memory.
    fn reply(&self, place: u64) -> Result<&[u8], Failure> {
        let (address, len, limit) = (high(place), low(place), self.limits.reply_bytes);
        let data = self.memory.data(&self.store);
        let outside = Failure::OutOfBounds { what: "an answer".into(), address, len, memory: data.len() as u64 };
        let reply = span(address, len).and_then(|span| data.get(span)).ok_or(outside)?;
        if len > limit {
            return Err(Failure::ReplyTooLong { len: len.into(), limit: limit.into() });
        }
        Ok(reply)
    }

    fn refuel(&mut self, fuel: u64) -> Result<(), Failure> {
        self.tank = fuel;
        self.store.set_fuel(fuel).map_err(|error| failure(&error, self.limits, fuel))
    }
}

impl crate::Instance for Instance {
    fn create(&mut self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure> {
        self.answer(self.create, request, self.limits.fuel_per_create, reply)
    }

    fn decide(&mut self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure> {
        self.answer(self.decide, request, self.limits.fuel_per_decision, reply)
    }

    fn fuel(&self) -> Option<u64> {
        Some(self.tank.saturating_sub(self.store.get_fuel().unwrap_or(0)))
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

fn out_of_memory(limits: Limits) -> Failure {
    Failure::OutOfMemory { limit: limits.memory_bytes(), elements: TABLE_ELEMENTS_MAX }
}

/// The failure behind an engine's error.
fn failure(error: &wasmi::Error, limits: Limits, fuel: u64) -> Failure {
    match error.as_trap_code() {
        Some(TrapCode::OutOfFuel) => Failure::OutOfFuel { limit: fuel },
        Some(TrapCode::StackOverflow) => Failure::StackOverflow,
        Some(TrapCode::GrowthOperationLimited) => out_of_memory(limits),
        _ => Failure::Trap { rule: error.to_string() },
    }
}
