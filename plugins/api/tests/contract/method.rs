//! A method behind the contract decides what it decides when it is called.

use crate::example::FirstCome;
use labtrust_plugin::Registry;
use labtrust_plugin::method::{Compiled, CoordinationMethod, KIND};
use labtrust_plugin::sdk::Speaker;
use labtrust_plugin::sdk::wasm::Guest;
use labtrust_plugin::testing::{Size, observation, site};
use labtrust_plugin::wire::{
    Act, Choice, Create, CreateReply, DecideReply, Decision, Manifest, Observation, ProblemKind, Setting, Settings,
    Site, decode, encode,
};

const SIZE: Size = Size { zones: 4, devices: 6, agents: 12 };

fn settings(name: &str, number: i64) -> Settings {
    Settings([(name.to_owned(), Setting::Number(number))].into())
}

#[test]
fn bytes_and_calls_give_the_same_decisions() {
    let site = site(5, SIZE);
    let mut called = Compiled::<FirstCome>::NEW.create(&settings("batch", 7), &site).unwrap();
    let mut spoken = Speaker::of::<FirstCome, _>();
    let created = spoken.create(&encode(&Create { settings: settings("batch", 7), site: site.clone() }));
    assert_eq!(decode::<CreateReply>(&created).unwrap(), Ok(()));
    let (mut out, mut acts) = (Decision::default(), 0);
    for step in 0..200 {
        let seen = observation(step, &site, 30).unwrap();
        called.decide(&seen, &mut out).unwrap();
        let reply = decode::<DecideReply>(&spoken.decide(&encode(&seen))).unwrap();
        assert_eq!(reply.as_ref(), Ok(&out));
        out.check(&site, &seen).unwrap();
        acts += out.choices.len();
    }
    assert!(acts > 200, "{acts}: a method that does nothing agrees with everything");
}

#[test]
fn the_manifest_says_who_it_is_and_what_it_takes() {
    let manifest: Manifest = decode(&Speaker::of::<FirstCome, _>().manifest("1.0.0")).unwrap();
    assert_eq!(manifest.handshake.check(), Ok(()));
    assert_eq!((manifest.kind.as_str(), manifest.id.as_str()), (KIND, "org.example.first_come"));
    let schema: serde_json::Value = serde_json::from_str(&manifest.params_schema).unwrap();
    assert_eq!(schema["properties"]["batch"]["maximum"], 1000);
}

#[test]
fn a_method_is_found_by_its_id() {
    let registry = Registry::linked().unwrap();
    let method = registry.coordination_method("org.example.first_come").unwrap();
    assert_eq!(method.summary(), "Each idle agent takes the first specimen it may work on.");
    let Err(unknown) = registry.coordination_method("org.example.last_come") else { panic!("there is no such method") };
    assert!(unknown.to_string().contains("org.example.first_come"), "{unknown}");
}

#[test]
fn what_a_method_refuses_is_told_with_its_kind() {
    let refused = |settings: Settings, site: Site| {
        let bytes = Speaker::of::<FirstCome, _>().create(&encode(&Create { settings, site }));
        decode::<CreateReply>(&bytes).unwrap().unwrap_err().kind
    };
    assert_eq!(refused(settings("batch", 0), site(5, SIZE)), ProblemKind::Settings);
    assert_eq!(refused(settings("bacth", 1), site(5, SIZE)), ProblemKind::Settings);
    assert_eq!(refused(Settings::default(), Site::default()), ProblemKind::Site);
}

#[test]
fn what_cannot_be_read_is_a_problem_and_no_panic() {
    let mut speaker = Speaker::of::<FirstCome, _>();
    let problem = |bytes: Vec<u8>| decode::<DecideReply>(&bytes).unwrap().unwrap_err();
    let early = problem(speaker.decide(&encode(&Observation::default())));
    assert_eq!((early.kind, early.message.as_str()), (ProblemKind::Message, "nothing was created yet"));
    speaker.create(&encode(&Create { settings: Settings::default(), site: site(5, SIZE) }));
    assert_eq!(problem(speaker.decide(&[0xFF; 40])).kind, ProblemKind::Message);
    // Well-formed, but of another site: its columns are too short.
    assert_eq!(problem(speaker.decide(&encode(&Observation::default()))).kind, ProblemKind::Message);
}

#[test]
fn a_new_episode_knows_nothing_of_the_last() {
    let method = Compiled::<FirstCome>::NEW;
    let site = site(5, SIZE);
    let seen = observation(1, &site, 30).unwrap();
    let run = || {
        let mut at_work = method.create(&Settings::default(), &site).unwrap();
        let mut out = Decision::default();
        for _ in 0..3 {
            at_work.decide(&seen, &mut out).unwrap();
        }
        out
    };
    assert_eq!(run(), run());
    let mut direct =
        <FirstCome as labtrust_plugin::method::Method>::new(crate::example::Params { batch: 1 }, &site).unwrap();
    assert_eq!(direct.calls(), 0);
    labtrust_plugin::method::Method::decide(&mut direct, &seen, &mut Decision::default()).unwrap();
    assert_eq!(direct.calls(), 1);
}

#[test]
fn a_guest_gives_back_every_buffer_and_follows_no_address() {
    let guest = Guest::uncalled::<FirstCome, _>();
    let len = |reply: u64| reply as u32;
    assert!(len(guest.contract("1.0.0")) > 0);
    let (first, second) = (guest.alloc(16), guest.alloc(16));
    assert_ne!(first, second, "a buffer in use is not given away again");
    // Sixteen zeros are no message, and neither is a buffer that does not exist: both are answered with a problem.
    assert!(len(guest.create(first)) > 1);
    assert!(len(guest.decide(0xDEAD_BEEF)) > 1);
    guest.free(first);
    guest.free(0xDEAD_BEEF);
    assert_eq!(guest.alloc(0), guest.alloc(0), "nothing is kept of nothing");
}

#[test]
fn a_decision_that_cannot_be_is_refused_whoever_made_it() {
    let site = site(5, SIZE);
    let seen = observation(1, &site, 8).unwrap();
    let cases = [
        (Choice::new(12, Act::Noop), "there is no agent 12, only 12"),
        (Choice::new(11, Act::Noop), "agent A_11 is not directed by it"),
        (Choice::new(0, Act::AcceptSpecimen).specimen(8), "there is no specimen 8, only 8"),
        (Choice::new(0, Act::StartRun).device(6), "there is no device 6, only 6"),
        (Choice::new(0, Act::Move).object(4), "there is no zone 4, only 4"),
        (Choice::new(0, Act::OpenDoor).object(1), "there is no door 1, only 1"),
        (Choice::new(0, Act::GenerateResult).object(2), "there is no run 2, only 2"),
        (Choice::new(0, Act::ReleaseResult).object(2), "there is no result 2, only 2"),
        (Choice::new(0, Act::DispatchTransport).object(2), "there is no transport 2, only 2"),
        (Choice::new(0, Act::ReceiveTransport).object(2), "there is no consignment 2, only 2"),
        (Choice::new(0, Act::StartRun).object(0), "it is about no object"),
    ];
    for (choice, message) in cases {
        let refused = Decision::from(vec![choice.clone()]).check(&site, &seen).unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Decision);
        assert!(refused.message.starts_with("choice 0") && refused.message.ends_with(message), "{refused}");
        // What it says that it means is held to the same.
        let mut meant = Decision::default();
        meant.intend(choice, None);
        let refused = meant.check(&site, &seen).unwrap_err();
        assert!(refused.message.starts_with("intent 0") && refused.message.ends_with(message), "{refused}");
    }
    let twice = Decision::from(vec![Choice::new(1, Act::Noop), Choice::new(1, Act::Tick)]);
    assert_eq!(twice.check(&site, &seen).unwrap_err().message, "choice 1, TICK: agent A_1 has a choice already");
    let mut bundle = Decision::default();
    bundle.intend(Choice::new(1, Act::Tick), Some(60));
    bundle.intend(Choice::new(1, Act::Noop), None);
    assert_eq!(bundle.check(&site, &seen), Ok(()), "one agent may have several pieces of work before it");
}
