//! Policies that were learned, from their files to episodes: the same bits on every machine, the numbers that learners see,
//! and a clear word where a file is none or for another laboratory.
//!
//! The fixture is the Python package's (`tools/python/tests/learned`), whose tests hold NumPy to the golden values that
//! `LABTRUST_REGENERATE=1` writes here.

use labtrust_bench::direction::{Directing, Direction};
use labtrust_bench::{BenchError, BenchmarkRun, Cast, RunLogs, RunOutcome};
use labtrust_coordination::catalogue::Catalogue;
use labtrust_environment::{Environment, Terms, World};
use labtrust_kernel::{ClockMode, Streams};
use labtrust_learned::{Eyes, LearnedPolicy, file, shipped};
use labtrust_plugin::Registry;
use labtrust_plugin::lab::LoadedLab;
use labtrust_plugin::lab::contract::ActionSpace;
use labtrust_plugin::lab::contract::vector::Layout;
use labtrust_plugin::wire::{Setting, Settings};
use labtrust_policy::PolicyStore;
use labtrust_study::spec::{CoordinationSpec, Reading};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("unique ids"));
static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);
static LAB: LazyLock<Arc<dyn LoadedLab>> = LazyLock::new(|| {
    let domain = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in");
    domain.load(&POLICY).expect("the built-in policy loads")
});
const SHIPPED: &str = "builtin:throughput_sla";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/python/tests/learned").join(name)
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the fixture is there")).expect("it is JSON")
}

fn settings(given: &[(&str, &str)]) -> Settings {
    let setting = |text: &str| match text {
        "true" => Setting::Flag(true),
        text => Setting::Text(text.to_owned()),
    };
    Settings(given.iter().map(|(name, text)| ((*name).to_owned(), setting(text))).collect())
}

fn play(task: &str, scale: Option<&str>, given: &[(&str, &str)], threads: usize) -> Result<RunOutcome, BenchError> {
    let (settings, facts, metrics) = (settings(given), Map::new(), REGISTRY.metrics());
    let method = REGISTRY.coordination_method("marl_ppo").expect("it is compiled in");
    let direction = Direction { directing: Directing::Everybody, method, settings: &settings, facts: &facts };
    let run = BenchmarkRun {
        task: REGISTRY.task(task).expect("it is compiled in"),
        lab: Arc::clone(&LAB),
        policy: &POLICY,
        episodes: 3,
        base_seed: 40,
        timing: Some(ClockMode::Simulated),
        max_steps: None,
        strict_signatures: false,
        threads: Some(threads),
        metrics: &metrics,
        scale,
        cast: Cast { method: Some(direction), ..Cast::default() },
        git_sha: None,
    };
    run.run(RunLogs::None, &|| ())
}

fn refused(given: &[(&str, &str)]) -> String {
    play("throughput_sla", None, given, 1).expect_err("it is refused").to_string()
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_network_says_the_same_bits_everywhere() {
    let policy = file::open(&fixture("policy.bin")).expect("it is a policy");
    let rows = json_of(&fixture("rows.json"));
    let mut eyes: BTreeMap<u64, (Eyes, Eyes)> = BTreeMap::new();
    let said = rows.as_array().expect("rows").iter().map(|row| {
        let numbers: Vec<f32> = serde_json::from_value(row["numbers"].clone()).expect("numbers");
        let mask = u32::try_from(row["mask"].as_u64().expect("a mask")).expect("29 bits");
        let (for_values, for_choice) = eyes.entry(row["agent"].as_u64().expect("an agent")).or_default();
        let values = policy.values(for_values, &numbers).iter().map(|value| hex(value.to_be_bytes()));
        let values: Vec<String> = values.collect();
        json!({ "action": policy.choose(for_choice, &numbers, mask), "values": values })
    });
    let said: Vec<Value> = said.collect();
    if std::env::var_os("LABTRUST_REGENERATE").is_some() {
        let lines: Vec<String> = said.iter().map(Value::to_string).collect();
        std::fs::write(fixture("golden.json"), format!("[\n{}\n]\n", lines.join(",\n"))).expect("it can be written");
    }
    assert!(
        json_of(&fixture("golden.json")) == Value::Array(said),
        "the network does not say what it said: LABTRUST_REGENERATE=1"
    );
}

/// What the environment plays with a policy in all seats.
fn in_the_environment(policy: &LearnedPolicy, seed: u64) -> Value {
    let task = REGISTRY.task("throughput_sla").expect("it is compiled in");
    let timing = Some(ClockMode::Simulated);
    let terms = Terms { timing, metrics: REGISTRY.metrics(), ..Terms::of(task) };
    let world = Arc::new(World::open(POLICY.clone(), Arc::clone(&LAB), terms).expect("the terms are good"));
    let mut environment = Environment::new(Arc::clone(&world));
    environment.reset(seed).expect("it begins");
    let (agents, actions) = (world.agents().len(), world.actions());
    let mut eyes = vec![Eyes::default(); agents];
    let (mut numbers, mut masks) = (vec![0.0; agents * policy.inputs()], vec![0; agents * actions]);
    loop {
        environment.write_observations(&mut numbers);
        environment.write_masks(&mut masks);
        let rows = numbers.chunks_exact(policy.inputs()).zip(masks.chunks_exact(actions)).zip(&mut eyes);
        let chosen = rows.map(|((numbers, mask), eyes)| {
            let bits = mask.iter().enumerate().fold(0, |bits, (index, one)| bits | u32::from(*one == 1) << index);
            i64::try_from(policy.choose(eyes, numbers, bits)).expect("an index")
        });
        let chosen: Vec<i64> = chosen.collect();
        if environment.step(&chosen, &BTreeMap::new()).expect("it goes on") {
            return serde_json::to_value(&environment.outcome().expect("it was measured").metrics).expect("JSON");
        }
    }
}

#[test]
fn a_method_sees_what_a_learner_sees_and_does_what_the_learner_would() {
    // With a past of two observations, so that a step too many or too few would show.
    let path = fixture("policy.bin");
    let outcome = play("throughput_sla", None, &[("model_path", path.to_str().expect("text"))], 1).expect("it plays");
    let policy = file::open(&path).expect("it is a policy");
    let mut acted = 0;
    for record in &outcome.results.episodes {
        let mut metrics = serde_json::to_value(&record.metrics).expect("JSON");
        let told = metrics.as_object_mut().and_then(|all| all.remove("coordination")).expect("it is told");
        assert_eq!(told["method"]["failures"], 0, "{told}");
        assert_eq!(metrics, in_the_environment(&policy, record.seed));
        acted += metrics["actions_attempted"].as_u64().unwrap_or(0);
    }
    assert!(acted > 50, "{acted} actions are no comparison");
}

#[test]
fn what_comes_with_the_program_works_and_is_what_its_page_says() {
    let one = play("throughput_sla", None, &[("model_path", SHIPPED)], 1).expect("it plays");
    let two = play("throughput_sla", None, &[("model_path", SHIPPED)], 2).expect("it plays");
    assert_eq!(one.results, two.results, "threads make no difference");
    let chance = play("throughput_sla", None, &[("model_path", SHIPPED), ("core", "off")], 1).expect("it plays");
    assert!(one.throughput_total >= 6, "{} released in 3 episodes", one.throughput_total);
    assert!(one.throughput_total > 2 * chance.throughput_total, "{} by chance", chance.throughput_total);
    let untrained = play("throughput_sla", None, &[("allow_untrained", "true")], 1).expect("it plays");
    assert_eq!(untrained.throughput_total, chance.throughput_total, "without weights there is chance only");

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy/coordination/learned");
    let bytes = std::fs::read(folder.join("throughput_sla.bin")).expect("it is there");
    assert!(bytes.len() <= 100_000, "{} bytes", bytes.len());
    let sha256 = hex(Sha256::digest(&bytes));
    let page = std::fs::read_to_string(folder.join("README.md")).expect("it has a page");
    assert!(page.contains(&sha256), "policy/coordination/learned/README.md does not say {sha256}");
    let told = &one.results.metadata["coordination"]["learning"];
    assert_eq!((&told["checkpoint_sha256"], &told["trained_task"]), (&json!(sha256), &json!("throughput_sla")));
    assert_eq!(one.results.episodes[0].metrics["coordination"]["learning"], *told);
}

#[test]
fn without_weights_a_method_is_named_as_not_run_and_never_waits_in_silence() {
    let lacks = refused(&[]);
    for word in ["marl_ppo has no weights", "model_path", "labtrust train-ppo", SHIPPED] {
        assert!(lacks.contains(word), "{lacks}");
    }
    let catalogue = Catalogue::load(&POLICY).expect("it loads");
    let not_run = catalogue.not_run(&REGISTRY, "marl_ppo").expect("it lacks weights");
    assert!(lacks.ends_with(&not_run), "{lacks}");
    assert_eq!(catalogue.not_run(&REGISTRY, "kernel_whca"), None);
    let nobody = catalogue.not_run(&REGISTRY, "llm_constrained");
    assert_eq!(nobody.as_deref(), Some("there is no llm_constrained in this version"));

    let dir = tempfile::tempdir().expect("a directory");
    let spec = dir.path().join("study.yaml");
    let text = "study_id: learned\nseed_base: 1\nepisodes_per_cell: 1\nscales: [{ name: scale_preset, values: \
                [small_smoke] }]\nmethods: [kernel_whca, marl_ppo]\ninjections: [none]\n";
    std::fs::write(&spec, text).expect("it can be written");
    let reading = Reading { registry: &REGISTRY, policy: &POLICY, baseline: false, most_episodes: None };
    let spec = CoordinationSpec::load(&spec, &reading).expect("it is a spec");
    let reasons: Vec<_> = spec.methods.iter().map(|method| method.not_run.as_deref()).collect();
    assert_eq!(reasons, [None, Some(not_run.as_str())]);
}

/// A pair of what is done to the fixture and what is said of it.
type Damage = (fn(&mut Vec<u8>), &'static str);

#[test]
fn a_file_that_is_no_policy_is_refused_with_its_name_its_place_and_what_to_do() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("policy.bin");
    let written = path.to_str().expect("text");
    assert!(refused(&[("model_path", written)]).contains("cannot read"), "there is no such file");
    let cases: [Damage; 9] = [
        (|bytes| bytes.truncate(bytes.len() - 1), "byte "),
        (|bytes| bytes.extend([0; 4]), "bytes of numbers follow"),
        (|bytes| bytes.truncate(100), "byte 0: there is no line"),
        (Vec::clear, "byte 0"),
        (|bytes| replace(bytes, "\"version\":\"0.2\"", "\"version\":\"0.9\""), "version: this is version 0.9"),
        (|bytes| replace(bytes, "labtrust.policy", "labtrust.cookies"), "kind: this is \"labtrust.cookies\""),
        (|bytes| replace(bytes, "\"MOVE\"", "\"TELEPORT\""), "action 3 is TELEPORT"),
        (|bytes| replace(bytes, "\"history\":2", "\"history\":3"), "shapes: "),
        (
            |bytes| {
                let last = bytes.len() - 4;
                bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
            },
            "NaN is no finite number",
        ),
    ];
    for (damage, says) in cases {
        let mut bytes = std::fs::read(fixture("policy.bin")).expect("the fixture is there");
        damage(&mut bytes);
        std::fs::write(&path, bytes).expect("it can be written");
        let refused = refused(&[("model_path", written)]);
        for word in [says, written, "`labtrust train-ppo`"] {
            assert!(refused.contains(word), "{word}: {refused}");
        }
    }
}

/// A few thousand of what `.ci/fuzz` tries for longer.
#[test]
fn whatever_the_bytes_are_they_are_refused_or_can_be_played() {
    let whole = std::fs::read(fixture("policy.bin")).expect("the fixture is there");
    let head = whole.iter().position(|&byte| byte == b'\n').expect("it has a first line") as u64;
    let mut draw = Streams::new(1).stream("test.damage", "policy");
    let mut played = 0;
    for _ in 0..3000 {
        let mut bytes = whole.clone();
        for _ in 0..=draw.below(3) {
            // Half of them in the line, where every byte means something.
            let most = if draw.below(2) == 0 { head } else { bytes.len() as u64 };
            let at = usize::try_from(draw.below(most.max(1))).expect("small");
            match draw.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), u8::try_from(draw.below(256)).expect("a byte")),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = u8::try_from(draw.below(256)).expect("a byte");
                    }
                }
            }
        }
        if let Ok(policy) = file::read(&bytes) {
            let numbers = vec![1e6; policy.inputs()];
            assert!(policy.choose(&mut Eyes::default(), &numbers, 0b110) > 0);
            assert!(policy.values(&mut Eyes::default(), &numbers).iter().all(|value| value.is_finite()));
            played += 1;
        }
    }
    assert!(played > 100, "{played} are too few: nothing of what is accepted was tried");
}

fn replace(bytes: &mut Vec<u8>, old: &str, new: &str) {
    let at = bytes.windows(old.len()).position(|window| window == old.as_bytes()).expect("it is in there");
    bytes.splice(at..at + old.len(), new.bytes());
}

#[test]
fn a_policy_for_another_laboratory_is_refused_by_the_field_that_differs() {
    let refused =
        play("coord_scale", Some("small_smoke"), &[("model_path", SHIPPED)], 1).expect_err("it has other devices");
    let refused = refused.to_string();
    for word in ["trained for throughput_sla", "the field queue_lengths", "has 6", "has 4", "labtrust train-ppo"] {
        assert!(refused.contains(word), "{word}: {refused}");
    }
    let policy = shipped::load(SHIPPED).expect("it is a policy");
    let layout = Layout::sized(14, 6, ActionSpace::V02);
    let names = |prefix: &str, count: usize| (0..count).map(|place| format!("{prefix}{place}")).collect::<Vec<_>>();
    let (zones, devices) = (names("Z_", 14), names("DEV_", 6));
    let fits = policy.fits(&layout, zones.iter().map(String::as_str), devices.iter().map(String::as_str));
    let mismatch = fits.expect_err("its zones have other names");
    assert_eq!((mismatch.what.as_str(), mismatch.here.as_str()), ("the zone at place 0", "is Z_0"));
}

#[test]
fn many_laboratories_show_no_rows_and_say_so() {
    let refused = play("coord_scale", Some("xl_smoke"), &[("allow_untrained", "true")], 1).expect_err("there are many");
    assert!(refused.to_string().contains("rows of numbers"), "{refused}");
}
