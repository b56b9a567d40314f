//! What must hold of all bytes, not of the chosen ones.

use labtrust_plugin::testing::{Numbers, Size, dispatch_request, mine_site, observation, site};
use labtrust_plugin::wire::mine::{CreateDispatch, DispatchReply, DispatchRequest};
use labtrust_plugin::wire::{
    Act, Choice, Create, CreateReply, DecideReply, Decision, Intent, Manifest, Observation, Setting, Settings,
    WireError, decode, encode,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn size() -> impl Strategy<Value = Size> {
    (0usize..8, 0usize..12, 0usize..20).prop_map(|(zones, devices, agents)| Size { zones, devices, agents })
}

fn setting() -> impl Strategy<Value = Setting> {
    prop_oneof![
        any::<bool>().prop_map(Setting::Flag),
        any::<i64>().prop_map(Setting::Number),
        ".*".prop_map(Setting::Text)
    ]
}

fn choice() -> impl Strategy<Value = Choice> {
    let about = (vec(any::<u32>(), 0..4), any::<Option<u16>>(), any::<Option<u32>>());
    (any::<u16>(), 0usize..29, about).prop_map(|(agent, act, (specimens, device, object))| Choice {
        agent,
        act: Act::ALL[act],
        specimens,
        device,
        object,
    })
}

proptest! {
    #[test]
    fn an_observation_is_the_same_on_the_other_side(seed: u64, size in size(), work in 0usize..60) {
        let seen = observation(seed, &site(seed, size), work).unwrap();
        prop_assert_eq!(decode::<Observation>(&encode(&seen)).unwrap(), seen);
    }

    #[test]
    fn a_beginning_is_the_same_on_the_other_side(seed: u64, size in size(), settings in proptest::collection::btree_map(".*", setting(), 0..6)) {
        let create = Create { settings: Settings(settings), site: site(seed, size) };
        prop_assert_eq!(decode::<Create>(&encode(&create)).unwrap(), create);
    }

    #[test]
    fn a_decision_is_the_same_on_the_other_side(choices in vec(choice(), 0..12), work in vec((choice(), any::<Option<i64>>()), 0..12)) {
        let intents = work.into_iter().map(|(choice, due_s)| Intent { choice, due_s }).collect();
        let reply: DecideReply = Ok(Decision { choices, intents });
        prop_assert_eq!(decode::<DecideReply>(&encode(&reply)).unwrap(), reply);
    }

    #[test]
    fn what_a_dispatch_policy_is_told_is_the_same_on_the_other_side(seed: u64, trucks in 1u16..50, loaders in 1u16..12) {
        let create = CreateDispatch { settings: Settings::default(), site: mine_site(seed, trucks, loaders) };
        let request = dispatch_request(seed, &create.site);
        prop_assert_eq!(request.check(&create.site), Ok(()));
        prop_assert_eq!(decode::<DispatchRequest>(&encode(&request)).unwrap(), request);
        prop_assert_eq!(decode::<CreateDispatch>(&encode(&create)).unwrap(), create);
    }

    #[test]
    fn garbage_is_no_message_and_harms_nobody(bytes in vec(any::<u8>(), 0..400)) {
        // Whatever is read from garbage reads the same again: nothing is made up on the way.
        macro_rules! read { ($($message:ty),+) => { $(if let Ok(message) = decode::<$message>(&bytes) {
            prop_assert_eq!(decode::<$message>(&encode(&message)).unwrap(), message);
        })+ } }
        read!(Manifest, Create, CreateReply, Observation, DecideReply, CreateDispatch, DispatchRequest, DispatchReply);
    }

    #[test]
    fn a_damaged_observation_is_refused_or_still_fits_its_site(seed: u64, at: usize, with: u8) {
        let site = site(seed, Size { zones: 3, devices: 4, agents: 5 });
        let mut bytes = encode(&observation(seed, &site, 12).unwrap());
        let at = at % bytes.len();
        bytes[at] = with;
        if let Ok(seen) = decode::<Observation>(&bytes) && seen.check(&site).is_ok() {
            for place in 0..seen.specimens.key.len() as u32 {
                let specimen = seen.specimen(place);
                let mut devices = specimen.compatible.iter().copied().chain(specimen.device);
                prop_assert!(devices.all(|device| usize::from(device) < site.devices.len()));
            }
        }
    }

    #[test]
    fn an_observation_is_read_alike_in_both_ways(seed: u64, before: u64, at: usize, with: u8, keep: usize, tail: Vec<u8>) {
        let site = site(seed, Size { zones: 3, devices: 4, agents: 5 });
        let bytes = encode(&observation(seed, &site, 12).unwrap());
        let mut damaged = bytes.clone();
        damaged[at % bytes.len()] = with;
        // As a number may be written that needs less: in one byte more.
        let mut longer = bytes.clone();
        longer[at % bytes.len()] |= 0x80;
        longer.insert(at % bytes.len() + 1, 0);
        let mut more = bytes.clone();
        more.extend(&tail);
        for bytes in [&bytes[..], &damaged, &longer, &more, &bytes[..keep % bytes.len()], &tail] {
            // What it was before does not show.
            let mut seen = observation(before, &site, 7).unwrap();
            let read = seen.read_from(bytes).map(|()| seen);
            prop_assert_eq!(read, decode::<Observation>(bytes));
        }
    }

    #[test]
    fn a_message_that_is_cut_short_is_refused(seed: u64, keep: usize) {
        let bytes = encode(&observation(seed, &site(seed, Size { zones: 2, devices: 2, agents: 2 }), 4).unwrap());
        let cut = &bytes[..keep % bytes.len()];
        let refused = matches!(decode::<Observation>(cut), Err(WireError::Malformed { .. }));
        prop_assert!(refused);
    }
}

#[test]
fn what_follows_a_message_is_refused() {
    let mut bytes = encode(&DecideReply::Ok(Decision::default()));
    bytes.push(0);
    assert!(matches!(decode::<DecideReply>(&bytes), Err(WireError::Trailing { left: 1, .. })));
}

#[test]
fn a_length_that_promises_more_than_there_is_takes_no_memory() {
    // Ok, then a list of 2^32 - 1 choices that does not follow.
    let bytes = [0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F];
    assert!(matches!(decode::<DecideReply>(&bytes), Err(WireError::Malformed { .. })));
}

#[test]
fn a_ragged_observation_is_refused_by_column() {
    let site = site(1, Size { zones: 3, devices: 3, agents: 3 });
    type Damage = fn(&mut Observation);
    let cases: [(&str, Damage); 7] = [
        ("agents.zone", |seen| seen.agents.zone.truncate(2)),
        ("agents.zone", |seen| seen.agents.zone[0] = Some(3)),
        ("devices.queue_head", |seen| seen.devices.queue_head[0] = Some(20)),
        ("specimens.stage", |seen| seen.specimens.stage.truncate(3)),
        ("specimens.compatible_end", |seen| *seen.specimens.compatible_end.last_mut().unwrap() += 1),
        ("specimens.compatible", |seen| seen.specimens.compatible[0] = 3),
        ("runs.device", |seen| seen.runs.device[0] = 3),
    ];
    for (column, damage) in cases {
        let mut seen = observation(9, &site, 20).unwrap();
        damage(&mut seen);
        assert_eq!(seen.check(&site), Err(WireError::Ragged { column }));
    }
}

#[test]
fn made_up_numbers_are_the_same_everywhere() {
    let mut numbers = Numbers::new(0);
    assert_eq!(numbers.draw(), 0xE220_A839_7B1D_CDAF, "the first number of SplitMix64 with seed 0");
}
