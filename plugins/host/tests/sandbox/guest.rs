//! A guest in parts, any of which a test may replace.

use labtrust_plugin::testing::{Size, observation, site};
use labtrust_plugin::wire::{Act, Choice, CreateReply, DecideReply, Handshake, Manifest, Observation, Site, encode};
use labtrust_plugin_host::LoadedMethod;
use labtrust_plugin_host::wasm::{Limits, LoadError, compile};
use std::sync::Arc;

/// A module's parts in text form. The default keeps the contract: its agent 0 does NOOP.
pub(crate) struct Guest {
    pub(crate) manifest: Vec<u8>,
    pub(crate) before: &'static str,
    pub(crate) memory: &'static str,
    pub(crate) alloc: &'static str,
    pub(crate) free: &'static str,
    pub(crate) create: &'static str,
    pub(crate) decide: &'static str,
    pub(crate) after: &'static str,
    pub(crate) create_reply: CreateReply,
    pub(crate) decide_reply: DecideReply,
    /// Bytes in the place of those of `decide_reply`, for a guest of another kind.
    pub(crate) other_reply: Option<Vec<u8>>,
    /// A function of the contract that is left out.
    pub(crate) without: &'static str,
}

/// The answers of the default guest lie at these addresses; the second one has nine bytes, of which the fourth is the act.
const ANSWERS: &str = "(i64.const 0x000020000000000a)";

pub(crate) fn manifest() -> Manifest {
    Manifest {
        handshake: Handshake::ours(),
        kind: "coordination-method".into(),
        id: "org.example.guest".into(),
        version: "0.1.0".into(),
        summary: "A guest of the tests.".into(),
        params_schema: "{}".into(),
    }
}

impl Default for Guest {
    fn default() -> Self {
        let choice = Choice::new(0, Act::Noop).specimen(0).device(0);
        Self {
            manifest: encode(&manifest()),
            before: "",
            memory: "(memory (export \"memory\") 2 16)",
            alloc: "(i32.const 0x4000)",
            free: "",
            create: "(i64.or (i64.const 0x0000100000000000) (i64.extend_i32_u (global.get $created)))",
            decide: ANSWERS,
            after: "",
            create_reply: Ok(()),
            decide_reply: Ok(vec![choice].into()),
            other_reply: None,
            without: "",
        }
    }
}

impl Guest {
    /// The default guest, said to be of another kind.
    pub(crate) fn of_kind(kind: &str) -> Self {
        Self { manifest: encode(&Manifest { kind: kind.to_owned(), ..manifest() }), ..Self::default() }
    }

    pub(crate) fn text(&self) -> String {
        let data = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
        let created = encode(&self.create_reply);
        let decided = self.other_reply.clone().unwrap_or_else(|| encode(&self.decide_reply));
        let export = |name: &str, rest: String| {
            if self.without == name { String::new() } else { format!("(func (export \"{name}\") {rest})\n") }
        };
        let Self { before, memory, alloc, free, create, decide, after, .. } = self;
        let functions = [
            export("labtrust_contract", format!("(result i64) (i64.const {})", self.manifest.len())),
            export("labtrust_alloc", format!("(param i32) (result i32) {alloc}")),
            export("labtrust_free", format!("(param i32 i32) {free}")),
            export("labtrust_create", format!("(param i32 i32) (result i64) {create}")),
            export("labtrust_decide", format!("(param i32 i32) (result i64) {decide}")),
        ];
        format!(
            "(module {before} {memory}
            (global $created i32 (i32.const {}))
            (data (i32.const 0) \"{}\") (data (i32.const 0x1000) \"{}\") (data (i32.const 0x2000) \"{}\")
            {} {after})",
            created.len(),
            data(&self.manifest),
            data(&created),
            data(&decided),
            functions.concat(),
        )
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        wat::parse_str(self.text()).unwrap()
    }

    pub(crate) fn load(&self, limits: Limits) -> Result<LoadedMethod, LoadError> {
        compile(&self.bytes(), limits).map(|plugin| LoadedMethod::new(Arc::new(plugin)).unwrap())
    }

    pub(crate) fn loaded(&self) -> LoadedMethod {
        self.load(LIMITS).unwrap()
    }
}

/// Limits that a test reaches soon.
pub(crate) const LIMITS: Limits = Limits {
    fuel_per_decision: 200_000,
    fuel_per_create: 200_000,
    memory_mib: 1,
    reply_bytes: 4096,
    numerics: labtrust_plugin_host::wasm::Numerics::IntegerOnly,
};

pub(crate) fn floor() -> Site {
    site(1, Size { zones: 3, devices: 2, agents: 3 })
}

/// What the method sees in a step.
pub(crate) fn seen(step: u32) -> Observation {
    Observation { step, ..observation(u64::from(step), &floor(), 6).unwrap() }
}
