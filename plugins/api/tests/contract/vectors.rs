//! Messages of every kind, as bytes and as JSON, for whoever writes the contract in another language.
//!
//! `LABTRUST_REGENERATE=1 cargo test -p labtrust-plugin` writes them anew. What is listed in `1.0.sha256` is frozen: a
//! change of it is a mistake, or a new major.

use labtrust_plugin::agent;
use labtrust_plugin::testing::{Size, dispatch_request, mine_site, observation, site};
use labtrust_plugin::wire::mine::{
    CreateDispatch, DispatchReply, DispatchRequest, LoaderId, LoaderOption, MineSite, TruckId,
};
use labtrust_plugin::wire::{
    Act, Choice, Create, CreateReply, DecideReply, Decision, Handshake, Manifest, Observation, Problem, ProblemKind,
    Setting, Settings, Site, WireError, decode, encode,
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::fmt::Debug;
use std::path::PathBuf;

/// A message that a vector holds.
trait Message: Debug {
    fn bytes(&self) -> Vec<u8>;
    fn json(&self) -> String;
    fn reads(&self, bytes: &[u8]) -> Result<bool, WireError>;
}

impl<T: Debug + PartialEq + Serialize + DeserializeOwned> Message for T {
    fn bytes(&self) -> Vec<u8> {
        encode(self)
    }

    fn json(&self) -> String {
        format!("{}\n", serde_json::to_string_pretty(self).unwrap())
    }

    fn reads(&self, bytes: &[u8]) -> Result<bool, WireError> {
        Ok(decode::<T>(bytes)? == *self)
    }
}

fn manifest(id: &str, features: &[&str]) -> Manifest {
    Manifest {
        handshake: Handshake {
            contract_major: 1,
            contract_minor: 0,
            features: features.iter().map(|&f| f.into()).collect(),
        },
        kind: "coordination-method".into(),
        id: id.into(),
        version: "1.2.3".into(),
        summary: "Sends whoever is nearest.".into(),
        params_schema: "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}".into(),
    }
}

fn of_kind(kind: &str) -> Manifest {
    Manifest { kind: kind.into(), ..manifest("org.example.nearest", &[]) }
}

fn settings(pairs: &[(&str, Setting)]) -> Settings {
    Settings(pairs.iter().map(|(name, setting)| ((*name).to_owned(), setting.clone())).collect())
}

const NONE: Size = Size { zones: 0, devices: 0, agents: 0 };
const SMALL: Size = Size { zones: 3, devices: 2, agents: 2 };
const LARGE: Size = Size { zones: 12, devices: 16, agents: 40 };

fn made_up(seed: u64, size: Size, work: usize) -> Observation {
    observation(seed, &site(1, size), work).unwrap()
}

fn decided(choices: &[Choice]) -> DecideReply {
    Ok(choices.to_vec().into())
}

fn intended() -> Decision {
    let mut decision = Decision::from(vec![Choice::new(0, Act::Move).object(2)]);
    decision.intend(Choice::new(0, Act::QueueRun).specimen(5).device(1), Some(900));
    decision
}

fn problem(kind: ProblemKind, message: &str) -> DecideReply {
    Err(Problem::of_kind(kind, message))
}

/// Every vector by its name: the message's name, then what is special about it.
fn vectors() -> Vec<(&'static str, Box<dyn Message>)> {
    let extreme = Observation { step: u32::MAX, now_s: i64::MIN, log_frozen: true, ..Observation::default() };
    let every_act = Act::ALL.map(|act| Choice::new(act.index().into(), act));
    let numbers =
        [("least", Setting::Number(i64::MIN)), ("most", Setting::Number(i64::MAX)), ("zero", Setting::Number(0))];
    let flags = [("off", Setting::Flag(false)), ("on", Setting::Flag(true)), ("text", Setting::Text("µ \" \\".into()))];
    let create_dispatch = |pairs: &[_], site: MineSite| Box::new(CreateDispatch { settings: settings(pairs), site });
    let most = LoaderOption {
        loader: LoaderId(u16::MAX),
        capacity: u32::MAX,
        travel_ns: u64::MAX,
        load_ns: u64::MAX,
        haul_ns: 0,
        dump_ns: u64::MAX,
        loading: u32::MAX,
        waiting: 0,
        on_the_way: u32::MAX,
        committed_ns: u64::MAX,
    };
    let extreme_request = DispatchRequest { now_ns: u64::MAX, truck: TruckId(u16::MAX), loaders: vec![most] };
    let create = |settings, site| Box::new(Create { settings, site });
    let refused: CreateReply = Err(Problem::of_kind(ProblemKind::Settings, "batch: 0 is not from 1 to 1000"));
    vec![
        ("manifest_plain", Box::new(manifest("org.example.nearest", &[]))),
        ("manifest_features", Box::new(manifest("org.example.nearest", &["one", "another"]))),
        ("manifest_not_ascii", Box::new(manifest("org.example.nächster", &[]))),
        ("create_nothing", create(Settings::default(), Site::default())),
        ("create_numbers", create(settings(&numbers), Site::default())),
        ("create_flags_and_text", create(settings(&flags), Site::default())),
        ("create_small_site", create(Settings::default(), site(1, SMALL))),
        ("create_large_site", create(settings(&numbers), site(1, LARGE))),
        ("create_reply_ok", Box::new(CreateReply::Ok(()))),
        ("create_reply_problem", Box::new(refused)),
        ("observation_nothing", Box::new(Observation::default())),
        ("observation_extreme_numbers", Box::new(extreme)),
        ("observation_no_site", Box::new(made_up(1, NONE, 0))),
        ("observation_no_work", Box::new(made_up(2, SMALL, 0))),
        ("observation_one_specimen", Box::new(made_up(3, SMALL, 1))),
        ("observation_small", Box::new(made_up(4, SMALL, 8))),
        ("observation_work_without_devices", Box::new(made_up(5, Size { devices: 0, ..SMALL }, 8))),
        ("observation_large", Box::new(made_up(6, LARGE, 40))),
        ("observation_100_specimens", Box::new(made_up(7, LARGE, 100))),
        ("observation_300_specimens", Box::new(made_up(8, SMALL, 300))),
        ("decide_reply_nothing", Box::new(decided(&[]))),
        ("decide_reply_one_move", Box::new(decided(&[Choice::new(3, Act::Move).object(200)]))),
        ("decide_reply_queue_run", Box::new(decided(&[Choice::new(0, Act::QueueRun).specimen(5).device(1)]))),
        (
            "decide_reply_batch",
            Box::new(decided(&[Choice::new(1, Act::CentrifugeStart).specimen(0).specimen(300).device(0)])),
        ),
        ("decide_reply_intent", Box::new(DecideReply::Ok(intended()))),
        ("decide_reply_every_act", Box::new(decided(&every_act))),
        (
            "decide_reply_largest",
            Box::new(decided(&[Choice::new(u16::MAX, Act::Move).specimen(u32::MAX).device(u16::MAX).object(u32::MAX)])),
        ),
        ("decide_reply_problem_site", Box::new(problem(ProblemKind::Site, "no way to Z_HALL"))),
        ("decide_reply_problem_message", Box::new(problem(ProblemKind::Message, "they end too early"))),
        ("decide_reply_problem_decision", Box::new(problem(ProblemKind::Decision, ""))),
        ("decide_reply_problem_other", Box::new(problem(ProblemKind::Other, "ran out of ideas"))),
        ("manifest_agent_policy", Box::new(of_kind("agent-policy"))),
        ("create_one_agent", create(Settings::default(), agent::site_of(&site(1, SMALL), 1))),
        ("manifest_mine_dispatch", Box::new(of_kind("mine-dispatch"))),
        ("create_dispatch_nothing", Box::new(CreateDispatch::default())),
        ("create_dispatch_small_mine", create_dispatch(&numbers, mine_site(1, 4, 2))),
        ("dispatch_request_one_loader", Box::new(dispatch_request(1, &mine_site(1, 4, 1)))),
        ("dispatch_request_large", Box::new(dispatch_request(2, &mine_site(1, 40, 12)))),
        ("dispatch_request_extreme_numbers", Box::new(extreme_request)),
        ("dispatch_reply_loader", Box::new(DispatchReply::Ok(LoaderId(2)))),
        ("dispatch_reply_problem", Box::new(DispatchReply::Err(Problem::new("no loader is near")))),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("contract/v1")
}

#[test]
fn every_vector_has_the_bytes_that_were_published() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 41);
    let folder = folder().join("vectors");
    let regenerate = std::env::var_os("LABTRUST_REGENERATE").is_some();
    let mut files: Vec<String> = Vec::new();
    for (name, message) in &vectors {
        let (bin, json) = (format!("{name}.bin"), format!("{name}.json"));
        if regenerate {
            std::fs::write(folder.join(&bin), message.bytes()).unwrap();
            std::fs::write(folder.join(&json), message.json()).unwrap();
        }
        let published = std::fs::read(folder.join(&bin)).unwrap();
        assert_eq!(message.bytes(), published, "{name}: the bytes of the contract have changed");
        assert_eq!(message.reads(&published), Ok(true), "{name}");
        assert_eq!(message.json(), std::fs::read_to_string(folder.join(&json)).unwrap(), "{name}");
        files.extend([bin, json]);
    }
    files.sort_unstable();
    let mut there: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    there.sort_unstable();
    assert_eq!(there, files, "a vector that no test holds to is none");
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The list is that of `sha256sum`, and nothing writes it; its own digest is below.
#[test]
fn what_was_frozen_has_not_changed() {
    let list = std::fs::read_to_string(folder().join("1.0.sha256")).unwrap();
    for line in list.lines() {
        let (digest, name) = line.split_once("  ").unwrap();
        let bytes = std::fs::read(folder().join(name)).unwrap();
        assert_eq!(sha256(&bytes), digest, "{name} is frozen; what is new is a vector of its own");
    }
    assert_eq!(list.lines().count(), 41);
    assert_eq!(
        sha256(list.as_bytes()),
        "78923d20408af8e9cf23b3e77930ad6a1f4c6b87302f9bd4ec1e2af1e0ae4d7b",
        "the list itself is frozen"
    );
}

/// The example in `contract.md` is a listing: hexadecimal bytes, then words after two spaces.
#[test]
fn the_example_in_the_description_is_a_vector() {
    let text = std::fs::read_to_string(folder().join("contract.md")).unwrap();
    let listings = text.split("```text bytes of ").skip(1);
    let mut seen = 0;
    for listing in listings {
        let (name, rest) = listing.split_once('\n').unwrap();
        let listing = rest.split("```").next().unwrap();
        let columns = listing.lines().map(|line| line.split("  ").next().unwrap());
        let bytes = columns.flat_map(str::split_whitespace).map(|hex| u8::from_str_radix(hex, 16).unwrap());
        let published = std::fs::read(folder().join("vectors").join(format!("{name}.bin"))).unwrap();
        assert_eq!(bytes.collect::<Vec<u8>>(), published, "{name}");
        seen += 1;
    }
    assert!(seen >= 2, "the description has lost its examples");
}

/// Somebody who writes the contract in another language reads its tables: no field may be missing there, and the order
/// is the order of the bytes.
#[test]
fn the_description_names_every_field_in_order() {
    let text = std::fs::read_to_string(folder().join("contract.md")).unwrap();
    let all = [
        ("## Manifest", manifest("a", &[]).json()),
        (
            "## Create",
            Create { settings: settings(&[]), site: site(1, Size { zones: 1, devices: 1, agents: 1 }) }.json(),
        ),
        ("## Observation", made_up(4, SMALL, 8).json()),
        ("## CreateDispatch", CreateDispatch { settings: settings(&[]), site: mine_site(1, 1, 1) }.json()),
        ("## DispatchRequest", dispatch_request(1, &mine_site(1, 1, 1)).json()),
        ("## Decision", intended().json()),
    ];
    for (heading, json) in all {
        let section = text.split_once(&format!("\n{heading}")).unwrap_or_else(|| panic!("no section {heading}")).1;
        let mut rest = section.split("\n## ").next().unwrap();
        // One row in every list, so that no field comes twice.
        for field in json.lines().filter_map(|line| Some(line.trim().strip_prefix('"')?.split_once("\":")?.0)) {
            match rest.split_once(&format!("`{field}`")) {
                Some((_, after)) => rest = after,
                None => panic!("{heading}: `{field}` is missing, or out of order"),
            }
        }
    }
}
