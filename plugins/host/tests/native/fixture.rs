//! Libraries to load: one in Rust, and one in C in parts, any of which a test may replace.

use labtrust_plugin::abi::{Head, SYMBOL};
use labtrust_plugin::method::{CoordinationMethod, Coordinator};
use labtrust_plugin::testing::{Size, observation, site};
use labtrust_plugin::wire::{
    Act, Choice, DecideReply, Decision, Manifest, Observation, Problem, Setting, Settings, Site, encode,
};
use labtrust_plugin_host::native::{Limits, LoadError, NativePlugin, Permission, load};
use labtrust_plugin_host::{Carrier, LoadedMethod};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// The Rust plugin's file, built once.
pub(crate) static WAYWARD: LazyLock<PathBuf> = LazyLock::new(|| {
    // In the folder where the tests were built, so that what they have in common is built once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let package = ["build", "--quiet", "--locked", "--package", "labtrust-native-fixture"];
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(package).arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    let built = cargo.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let name = format!("{}labtrust_native_fixture{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    target.join("debug").join(name)
});

/// Limits that a test reaches soon.
pub(crate) const LIMITS: Limits = Limits { reply_bytes: 4096 };

pub(crate) fn loaded(path: &Path) -> Result<NativePlugin, LoadError> {
    load(path, &Permission::Everything, LIMITS)
}

pub(crate) fn method(plugin: impl Carrier + 'static) -> LoadedMethod {
    LoadedMethod::new(Arc::new(plugin)).unwrap()
}

/// The Rust plugin as a method.
pub(crate) fn wayward() -> LoadedMethod {
    method(loaded(&WAYWARD).unwrap())
}

/// Settings that let the Rust plugin go wrong.
pub(crate) fn wrong(at: &str, what: &str, step: i64) -> Settings {
    let text = |text: &str| Setting::Text(text.to_owned());
    let settings = [("at", text(at)), ("what", text(what)), ("step", Setting::Number(step))];
    Settings(settings.map(|(name, setting)| (name.to_owned(), setting)).into())
}

pub(crate) fn floor() -> Site {
    site(1, Size { zones: 3, devices: 2, agents: 3 })
}

/// What the method sees in a step.
pub(crate) fn seen(step: u32) -> Observation {
    Observation { step, ..observation(u64::from(step), &floor(), 6).unwrap() }
}

/// The decision of one step.
pub(crate) fn decided(at_work: &mut dyn Coordinator, step: u32) -> Result<Decision, Problem> {
    let mut out = Decision::default();
    at_work.decide(&seen(step), &mut out)?;
    Ok(out)
}

/// How the first decision of a method fails.
pub(crate) fn failure(method: &dyn CoordinationMethod, settings: &Settings) -> String {
    let mut at_work = method.create(settings, &floor()).unwrap();
    let problem = decided(at_work.as_mut(), 0).unwrap_err();
    let tally = at_work.tally();
    assert_eq!((tally.decisions, tally.failures, tally.fuel), (1, 1, 0));
    assert_eq!(tally.first_failure.as_deref(), Some(problem.message.as_str()));
    problem.message
}

/// That a good plugin decides as ever, in this very process.
pub(crate) fn others_still_work() {
    static OTHER: LazyLock<LoadedMethod> = LazyLock::new(wayward);
    let mut at_work = OTHER.create(&Settings::default(), &floor()).unwrap();
    for step in 0..3 {
        assert!(!decided(at_work.as_mut(), step).unwrap().choices.is_empty());
    }
}

pub(crate) fn manifest() -> Manifest {
    Manifest::ours("coordination-method", "org.example.library", "0.1.0", "A library of the tests.", "{}".to_owned())
}

/// A library's parts in C. The default keeps the contract: its agent 0 does TICK.
pub(crate) struct Library {
    pub(crate) manifest: Vec<u8>,
    pub(crate) symbol: &'static str,
    pub(crate) before: &'static str,
    pub(crate) create: &'static str,
    pub(crate) decide: &'static str,
    /// Fields of the table, in order, as C writes them.
    pub(crate) head: [String; 4],
    pub(crate) manifest_field: &'static str,
    pub(crate) functions: [&'static str; 4],
    /// What follows the table's fields in its type, and in its value.
    pub(crate) more: (&'static str, &'static str),
    pub(crate) entry: &'static str,
}

impl Default for Library {
    fn default() -> Self {
        let Head { struct_size: _, contract_major, contract_minor, reserved } = Head::OURS;
        let numbers = [contract_major, contract_minor, reserved].map(|number| number.to_string());
        let [major, minor, reserved] = numbers;
        Self {
            manifest: encode(&manifest()),
            symbol: SYMBOL,
            before: "",
            create: "if (live++) abort(); *instance = malloc(1); static const uint8_t ok[] = {0}; return answered(ok, sizeof ok, reply);",
            decide: "return answered(decision, sizeof decision, reply);",
            head: ["sizeof table".to_owned(), major, minor, reserved],
            manifest_field: "{manifest, sizeof manifest}",
            functions: ["create", "decide", "destroy", "free_buf"],
            more: ("", ""),
            entry: "return &table.table;",
        }
    }
}

impl Library {
    fn text(&self) -> String {
        let Self { manifest, symbol, before, create, decide, head, manifest_field, functions, more, entry } = self;
        let bytes = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte},")).collect::<String>();
        let decision: DecideReply = Ok(vec![Choice::new(0, Act::Tick)].into());
        format!(
            "#include <stdlib.h>
            #include <string.h>
            #include \"labtrust_plugin.h\"
            static const uint8_t manifest[] = {{{}}};
            static const uint8_t decision[] = {{{}}};
            /* Buffers that were not given back. The program has one at a time of an instance. */
            static int out;
            /* Instances that were not ended. The tests have one at a time of a library. */
            static int live;
            static inline uint32_t answered(const uint8_t *bytes, size_t len, labtrust_buf *reply) {{
                if (reply->ptr || reply->len || out++) abort();
                reply->ptr = malloc(len); reply->len = len; reply->cap = 42;
                memcpy(reply->ptr, bytes, len);
                return LABTRUST_OK;
            }}
            {before}
            static uint32_t create(labtrust_bytes request, void **instance, labtrust_buf *reply) {{
                if (!request.len || *instance) abort();
                {create}
            }}
            static uint32_t decide(void *instance, labtrust_bytes request, labtrust_buf *reply) {{
                (void)instance; (void)request;
                {decide}
            }}
            static void destroy(void *instance) {{ if (!instance) abort(); live--; free(instance); }}
            static void free_buf(labtrust_buf buf) {{ if (!buf.ptr || buf.cap != 42) abort(); out--; free(buf.ptr); }}
            static const struct {{ labtrust_plugin table; {} }} table =
                {{{{{}, {manifest_field}, {}}}, {}}};
            const labtrust_plugin *{symbol}(void) {{
                (void)create; (void)decide; (void)destroy; (void)free_buf; (void)manifest; (void)decision;
                (void)table; (void)answered;
                {entry}
            }}",
            bytes(manifest),
            bytes(&encode(&decision)),
            more.0,
            head.join(", "),
            functions.join(", "),
            more.1,
        )
    }

    /// The library's file. `None`, said aloud, where there is no C compiler.
    pub(crate) fn built(&self) -> Option<Built> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library.so");
        let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/include");
        let mut cc = Command::new("cc");
        cc.args(["-std=c11", "-O0", "-g", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]);
        cc.arg("-I").arg(api).arg("-o").arg(&path).args(["-x", "c", "-"]);
        let Ok(mut child) = cc.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
            eprintln!("skipped: there is no C compiler `cc` to build a broken library with");
            return None;
        };
        child.stdin.take().unwrap().write_all(self.text().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), self.text());
        Some(Built { path, _folder: folder })
    }
}

/// A file that is gone when the test is.
pub(crate) struct Built {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}
