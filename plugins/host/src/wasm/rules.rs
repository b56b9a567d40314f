//! What a module must be, checked before anything of it runs.

use super::{Limits, Numerics, Refusal};
use wasmi::{CompilationMode, Config, Engine, ExternType, FuncType, Module, Mutability, ValType};

/// Largest module [bytes].
pub(super) const MODULE_BYTES_MAX: u64 = 4 << 20;
/// Most elements of its tables [count].
pub(super) const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Most calls inside each other [count].
const RECURSION_MAX: usize = 1000;
/// Largest value stack [bytes].
const STACK_BYTES_MAX: usize = 1 << 20;

/// The functions of the contract: name, parameters, results, the type in words.
const FUNCTIONS: [(&str, &[ValType], &[ValType], &str); 5] = [
    ("labtrust_contract", &[], &[ValType::I64], "() -> i64"),
    ("labtrust_alloc", &[ValType::I32], &[ValType::I32], "(i32) -> i32"),
    ("labtrust_free", &[ValType::I32, ValType::I32], &[], "(i32, i32) -> ()"),
    ("labtrust_create", &[ValType::I32, ValType::I32], &[ValType::I64], "(i32, i32) -> i64"),
    ("labtrust_decide", &[ValType::I32, ValType::I32], &[ValType::I64], "(i32, i32) -> i64"),
];
/// Immutable globals that linkers export without being asked.
const LINKER_GLOBALS: [&str; 2] = ["__data_end", "__heap_base"];

/// The module in `bytes`, if it keeps all rules.
pub(super) fn check(bytes: &[u8], limits: Limits) -> Result<Module, Refusal> {
    let len = bytes.len() as u64;
    if len > MODULE_BYTES_MAX {
        return Err(Refusal::TooLarge { bytes: len });
    }
    let floats = limits.numerics == Numerics::Floats;
    let module = Module::new(&engine(floats, false), bytes).map_err(|error| which_rule(bytes, floats, &error))?;
    if let Some(import) = module.imports().next() {
        return Err(Refusal::Import { module: import.module().to_owned(), name: import.name().to_owned() });
    }
    exports(&module)?;
    memory(&module, limits)?;
    Ok(module)
}

/// An engine that allows only what the rules allow.
fn engine(floats: bool, start: bool) -> Engine {
    let mut config = Config::default();
    config
        .floats(floats)
        .allow_start_fn(start)
        .consume_fuel(true)
        // Otherwise the first call of a function would pay for its translation, and later ones would not.
        .compilation_mode(CompilationMode::Eager)
        .set_max_recursion_depth(RECURSION_MAX)
        .set_max_stack_height(STACK_BYTES_MAX)
        .wasm_multi_memory(false)
        .wasm_tail_call(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    Engine::new(&config)
}

/// The validator says what is wrong in words; which rule it was shows by leaving the rules out, one after the other.
fn which_rule(bytes: &[u8], floats: bool, error: &wasmi::Error) -> Refusal {
    let passes = |floats, start| Module::new(&engine(floats, start), bytes).is_ok();
    if passes(floats, true) {
        return Refusal::StartFunction;
    }
    if !floats && passes(true, true) {
        return Refusal::Floats;
    }
    Refusal::Malformed { rule: error.to_string() }
}

fn exports(module: &Module) -> Result<(), Refusal> {
    for (name, params, results, wanted) in FUNCTIONS {
        match module.get_export(name) {
            None => return Err(Refusal::MissingExport { name }),
            Some(ExternType::Func(is)) if is == FuncType::new(params.to_vec(), results.to_vec()) => {}
            Some(_) => return Err(Refusal::ExportType { name, wanted }),
        }
    }
    for export in module.exports() {
        let known = export.name() == "memory" || FUNCTIONS.iter().any(|(name, ..)| *name == export.name());
        let linker = LINKER_GLOBALS.contains(&export.name())
            && matches!(export.ty(), ExternType::Global(global) if global.mutability() == Mutability::Const);
        if !known && !linker {
            return Err(Refusal::ExtraExport { name: export.name().to_owned() });
        }
    }
    Ok(())
}

fn memory(module: &Module, limits: Limits) -> Result<(), Refusal> {
    let memory = match module.get_export("memory") {
        None => return Err(Refusal::MissingExport { name: "memory" }),
        Some(ExternType::Memory(memory)) => memory,
        Some(_) => return Err(Refusal::ExportType { name: "memory", wanted: "memory" }),
    };
    if memory.maximum().is_none() {
        return Err(Refusal::UnboundedMemory);
    }
    let (bytes, limit) = (memory.minimum().saturating_mul(PAGE_BYTES), limits.memory_bytes());
    if bytes > limit {
        return Err(Refusal::MemoryTooLarge { bytes, limit });
    }
    Ok(())
}

/// Unit of WebAssembly's memory [bytes].
const PAGE_BYTES: u64 = 65_536;
