//! Somebody on the wire of every method that talks: what they can do, what stops them, and that nobody notices who only listens.

use labtrust_comms::bus::Control;
use labtrust_comms::codes;
use labtrust_comms::protocols::commit_reveal::commitment;
use labtrust_coordination as _;
use labtrust_plugin::method::{Coordinator, Evidence, Figure, Tally};
use labtrust_plugin::testing::{Size, observation, site};
use labtrust_plugin::wire::{Decision, Observation, Setting, Settings, Site};
use labtrust_plugin::{Fate, Heard, Passing, Registry, SharedTap, Taint, WireTap};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const METHODS: [&str; 9] = [
    "consensus_paxos_lite",
    "gossip_consensus",
    "hierarchical_hub_local",
    "hierarchical_hub_rr",
    "kernel_auction_edf",
    "kernel_auction_whca",
    "kernel_auction_whca_shielded",
    "market_auction",
    "ripple_effect",
];
const STEPS: u32 = 8;
/// Of whom seven are directed, and so on the network.
const AGENTS: usize = 8;
const PEOPLE: u32 = 7;

fn floor() -> Site {
    Site { telemetry: true, ..site(5, Size { zones: 8, devices: 12, agents: AGENTS }) }
}

fn create(id: &str, settings: &[(&str, &str)]) -> Box<dyn Coordinator> {
    let text = |(name, text): &(&str, &str)| ((*name).to_owned(), Setting::Text((*text).to_owned()));
    let settings = Settings(settings.iter().map(text).collect());
    Registry::linked().unwrap().coordination_method(id).unwrap().create(&settings, &floor()).unwrap()
}

/// What came of an episode.
#[derive(Debug, PartialEq)]
struct Run {
    decisions: Vec<Decision>,
    evidence: Vec<Evidence>,
    unreached: Vec<Vec<u16>>,
    tally: Tally,
}

impl Run {
    /// Refusals by code [count].
    fn refused(&self, code: &str) -> u64 {
        match &self.tally.told["comm"]["rejected_by_code"] {
            Figure::By(codes) => codes.get(code).copied().unwrap_or(0),
            other => panic!("{other:?}"),
        }
    }
}

fn run(id: &str, settings: &[(&str, &str)], tap: Option<SharedTap>) -> Run {
    let mut at_work = create(id, settings);
    if let Some(tap) = tap {
        assert!(at_work.tap(tap), "{id} has a network");
    }
    let (mut decisions, mut evidence, mut unreached) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..STEPS {
        let seen = Observation { step, ..observation(u64::from(step), &floor(), 40).unwrap() };
        let mut out = Decision::default();
        at_work.decide(&seen, &mut out).unwrap();
        at_work.evidence(&mut evidence);
        decisions.push(out);
        unreached.push(at_work.unreached().to_vec());
    }
    Run { decisions, evidence, unreached, tally: at_work.tally() }
}

/// A verdict: step, who judged, taint, what became of it, who is blamed.
type Verdict = (u32, u32, Option<Taint>, Heard, Option<u32>);

/// An adversary made of what it does when something is said and when something passes.
struct Adversary<S, P> {
    say: S,
    pass: P,
    verdicts: Vec<Verdict>,
}

impl<S, P> WireTap for Adversary<S, P>
where
    S: FnMut(u32, u32, &mut Value) -> Option<Taint> + Send,
    P: FnMut(u32, &mut Passing, &mut Vec<Passing>) -> Fate + Send,
{
    fn on_say(&mut self, step: u32, me: u32, said: &mut Value) -> Option<Taint> {
        (self.say)(step, me, said)
    }

    fn on_send(&mut self, step: u32, passing: &mut Passing, extra: &mut Vec<Passing>) -> Fate {
        (self.pass)(step, passing, extra)
    }

    fn on_heard(&mut self, step: u32, me: u32, taint: Option<Taint>, heard: Heard, blamed: Option<u32>) {
        self.verdicts.push((step, me, taint, heard, blamed));
    }
}

/// An episode under an adversary, and the verdicts that it heard.
fn attacked(
    id: &str,
    settings: &[(&str, &str)],
    say: impl FnMut(u32, u32, &mut Value) -> Option<Taint> + Send + 'static,
    pass: impl FnMut(u32, &mut Passing, &mut Vec<Passing>) -> Fate + Send + 'static,
) -> (Run, Vec<Verdict>) {
    let tap = Arc::new(Mutex::new(Adversary { say, pass, verdicts: Vec::new() }));
    let run = run(id, settings, Some(Arc::clone(&tap) as SharedTap));
    let verdicts = std::mem::take(&mut tap.lock().unwrap().verdicts);
    (run, verdicts)
}

fn says_nothing(_: u32, _: u32, _: &mut Value) -> Option<Taint> {
    None
}

fn lets_pass(_: u32, _: &mut Passing, _: &mut Vec<Passing>) -> Fate {
    Fate::Pass
}

/// Verdicts on tainted letters: how many were believed, and the refusals with who is blamed.
fn became(verdicts: &[Verdict]) -> (usize, Vec<(&'static str, Option<u32>)>) {
    let tainted = || verdicts.iter().filter(|(_, _, taint, ..)| taint.is_some());
    let refused = tainted().filter_map(|(.., heard, blamed)| match heard {
        Heard::Refused(code) => Some((*code, *blamed)),
        Heard::Believed => None,
    });
    (tainted().filter(|(.., heard, _)| *heard == Heard::Believed).count(), refused.collect())
}

fn tapped_alike(network: &str, signed: &str) {
    struct Deaf;
    impl WireTap for Deaf {}
    for id in METHODS {
        let settings = [("network", network), ("signed", signed)];
        let alone = run(id, &settings, None);
        let mut listened = run(id, &settings, Some(Arc::new(Mutex::new(Deaf))));
        if network.is_empty() {
            assert!(listened.unreached.iter().all(Vec::is_empty) && alone.unreached.iter().all(Vec::is_empty), "{id}");
        }
        assert_eq!(listened.unreached, alone.unreached, "{id}");
        assert!(listened == alone, "{id} {network} {signed}: a tap that does nothing changes nothing");
        // Every letter is marked and left as it is: nobody can see the mark.
        let mark = |_: u32, passing: &mut Passing, _: &mut Vec<Passing>| {
            passing.taint = Some(Taint(3));
            Fate::Pass
        };
        let (marked, verdicts) = attacked(id, &settings, says_nothing, mark);
        assert!(marked == alone, "{id} {network} {signed}: a mark changes nothing");
        let (believed, refused) = became(&verdicts);
        assert!(believed > 20 && refused.is_empty(), "{id} {network} {signed}: {believed} {refused:?}");
        // And an insider who says what it would have said anyway.
        let same = |_: u32, _: u32, said: &mut Value| {
            *said = said.clone();
            Some(Taint(4))
        };
        listened = attacked(id, &settings, same, lets_pass).0;
        assert!(listened == alone, "{id} {network} {signed}");
    }
}

#[test]
fn nobody_notices_who_only_listens() {
    tapped_alike("", "off");
}

#[test]
fn nobody_notices_who_only_listens_where_messages_are_lost() {
    tapped_alike("drop_rate=0.3,p50_ms=10,p95_ms=50,retries=1", "off");
}

#[test]
fn nobody_notices_who_only_listens_where_everybody_signs() {
    tapped_alike("", "on");
}

/// Changes what one says to another on a bad wire, by what a control is against.
fn on_the_wire(against: Control) -> impl FnMut(u32, &mut Passing, &mut Vec<Passing>) -> Fate + Send + 'static {
    let (mut kept, mut kept_in): (Option<Passing>, u32) = (None, 0);
    let tainted = |passing: &Passing| Passing { taint: Some(Taint(1)), ..passing.clone() };
    move |step, passing, extra| {
        assert!(passing.signed && passing.letter["signature"].is_string(), "{passing:?}");
        if passing.from != 1 || (passing.to != 0 && against != Control::Recipient) {
            return Fate::Pass;
        }
        match against {
            Control::Signature => {
                // It claims to have nothing any more.
                passing.letter["payload"]["say"] = json!({"Offer": []});
                passing.taint = Some(Taint(1));
            }
            Control::Replay => extra.push(tainted(passing)),
            Control::Epoch if kept_in == 0 => {
                (kept, kept_in) = (Some(passing.clone()), step + 1);
                return Fate::Drop;
            }
            Control::Epoch if step > kept_in + 1 => extra.extend(kept.take().as_ref().map(tainted)),
            Control::Recipient => {
                if let Some(to) = passing.letter["payload"]["to"].as_u64() {
                    let other = (to + 1) % u64::from(PEOPLE);
                    let elsewhere = if other == 1 { 2 } else { u32::try_from(other).unwrap() };
                    extra.push(Passing { to: elsewhere, ..tainted(passing) });
                }
            }
            // The first of a step is heard after the second.
            Control::Order if kept_in != step + 1 => {
                (kept, kept_in) = (Some(passing.clone()), step + 1);
                return Fate::Drop;
            }
            Control::Order => extra.extend(kept.take().as_ref().map(tainted)),
            Control::Quota => extra.extend((0..50).map(|_| tainted(passing))),
            _ => {}
        }
        Fate::Pass
    }
}

const GOSSIP: [(&str, &str); 1] = [("network", "")];

#[test]
fn every_control_of_the_bus_stops_its_attack_in_a_method_and_no_other_does() {
    let attacks = [
        (Control::Signature, codes::COORD_SIGNATURE_INVALID, None, ""),
        (Control::Replay, codes::COORD_REPLAY_DETECTED, Some(1), ""),
        (Control::Epoch, codes::COORD_EPOCH_STALE, Some(1), ""),
        (Control::Recipient, codes::COORD_REPLAY_DETECTED, Some(1), ""),
        (Control::Order, codes::COORD_NONCE_TOO_OLD, Some(1), ""),
        // A flood of copies: believed as far as the quota goes, where nobody remembers numbers.
        (Control::Quota, codes::RATE_LIMITED, Some(1), "replay"),
    ];
    for (against, code, blamed, also_without) in attacks {
        let under = |without: &str| {
            let gone = format!("{without} {also_without}");
            let signed = if gone.trim().is_empty() { "on".to_owned() } else { format!("on without {gone}") };
            let settings = [GOSSIP[0], ("signed", signed.as_str())];
            attacked("gossip_consensus", &settings, says_nothing, on_the_wire(against))
        };
        let (all, verdicts) = under("");
        let (believed, refused) = became(&verdicts);
        assert!(!refused.is_empty(), "{against:?} is tried");
        assert!(refused.iter().all(|one| *one == (code, blamed)), "{against:?}: {refused:?}");
        assert_eq!(believed > 0, against == Control::Quota, "{against:?}");
        let honest = |(_, _, taint, ..): &&Verdict| taint.is_none();
        // Who has been flooded hears no more of whom they were flooded by, honest or not.
        let turned = verdicts.iter().filter(honest).count();
        assert_eq!(turned > 0, against == Control::Quota, "{against:?}: {turned}");
        assert_eq!(all.refused(code), (refused.len() + turned) as u64, "{against:?}");
        let about = all.evidence.iter().filter(|evidence| evidence.code == code);
        let agent = blamed.map(|place| floor().directed().nth(place as usize).unwrap());
        assert!(about.clone().any(|one| one.agent == agent), "{against:?}");
        // Who answers every copy of a flood sends too much, too.
        assert!(against == Control::Quota || about.clone().all(|one| one.agent == agent), "{against:?}");
        for control in Control::ALL {
            let (_, verdicts) = under(control.name());
            let (let_through, still) = became(&verdicts);
            if control == against {
                assert!(let_through > believed && still.is_empty(), "{against:?}: {let_through} {still:?}");
            } else {
                assert_eq!((let_through, &still), (believed, &refused), "{against:?} without {control:?}");
            }
        }
    }
}

/// A bidder who bids for everything that is called what it likes, under a commitment of its own.
fn shill(place: u32, cost_s: i64) -> impl FnMut(u32, u32, &mut Value) -> Option<Taint> + Send + 'static {
    let name = floor().agents[floor().directed().nth(place as usize).unwrap() as usize].id.clone();
    let mut jobs: Vec<u32> = Vec::new();
    move |step, me, said| {
        if let Some(called) = said["word"].get("Call") {
            jobs = serde_json::from_value(called.clone()).unwrap();
        }
        if me != place {
            return None;
        }
        let text: String = jobs.iter().map(|job| format!("{job}:{cost_s};")).collect();
        if said["word"].get("Commit").is_some() {
            said["word"]["Commit"] = json!(commitment(&name, &text, "mine", u64::from(step)));
            return Some(Taint(1));
        }
        if said["word"].get("Bid").is_some() {
            let bids: Vec<(u32, i64)> = jobs.iter().map(|job| (*job, cost_s)).collect();
            said["word"]["Bid"] = json!([bids, "mine"]);
            return Some(Taint(2));
        }
        None
    }
}

#[test]
fn a_bid_that_nobody_there_could_make_is_refused_and_its_bidder_blamed() {
    for (cost_s, code) in [(-1, codes::COORD_BID_BELOW_BOUND), (1_000_000, codes::BID_ANOMALY_SPOOF_SUSPECTED)] {
        let mut tried = 0;
        for place in 0..PEOPLE {
            let under =
                |signed: &str| attacked("market_auction", &[("signed", signed)], shill(place, cost_s), lets_pass);
            let bids = |verdicts: &[Verdict]| {
                let bids: Vec<Verdict> =
                    verdicts.iter().filter(|(_, _, taint, ..)| *taint == Some(Taint(2))).copied().collect();
                became(&bids)
            };
            let (all, verdicts) = under("on");
            let (believed, refused) = bids(&verdicts);
            tried += refused.iter().filter(|one| one.0 == code).count();
            assert_eq!(believed, 0);
            // For what they may not do at all, nobody can bid anything.
            let codes = [code, codes::COORD_BID_BELOW_BOUND];
            assert!(refused.iter().all(|one| codes.contains(&one.0) && one.1 == Some(place)), "{refused:?}");
            assert!(codes.iter().map(|code| all.refused(code)).sum::<u64>() >= refused.len() as u64);
            let agent = floor().directed().nth(place as usize);
            assert!(all.evidence.iter().filter(|one| codes.contains(&one.code)).all(|one| one.agent == agent));
            for control in Control::ALL {
                let (_, verdicts) = under(&format!("on without {}", control.name()));
                let seen = bids(&verdicts);
                let expected =
                    if control == Control::Bids { (refused.len(), Vec::new()) } else { (0, refused.clone()) };
                assert_eq!(seen, expected, "{control:?}");
            }
        }
        assert!(tried > 5, "{tried}");
    }
}

#[test]
fn beliefs_about_bids_that_nobody_could_make_are_refused_among_peers() {
    for (cost, code) in [(-1_000_000_000, codes::COORD_BID_BELOW_BOUND), (-1, codes::BID_ANOMALY_SPOOF_SUSPECTED)] {
        let (mut refusals, mut let_through) = (0, 0);
        for place in 0..PEOPLE {
            let lie = move |_: u32, me: u32, said: &mut Value| {
                let awards = said.get_mut("Beliefs")?.get_mut(1)?.get_mut("awards")?.as_array_mut()?;
                if me != place {
                    return None;
                }
                let mut changed = false;
                for award in awards.iter_mut().filter(|award| award[1].is_object()) {
                    award[1]["cost"] = json!(cost);
                    changed = true;
                }
                changed.then_some(Taint(9))
            };
            let under = |signed: &str| attacked("kernel_auction_edf", &[("signed", signed)], lie, lets_pass);
            let (_, refused) = became(&under("on").1);
            assert!(refused.iter().all(|one| *one == (code, Some(place))), "{refused:?}");
            refusals += refused.len();
            let (believed, refused) = became(&under("on without bids").1);
            assert!(refused.is_empty(), "{refused:?}");
            let_through += believed;
        }
        assert!(refusals > 10 && let_through >= refusals, "{refusals} {let_through}");
    }
}

#[test]
fn what_nobody_can_read_is_malformed_where_it_is_signed_and_lost_where_it_is_not() {
    for id in METHODS {
        let noise = |_: u32, passing: &mut Passing, _: &mut Vec<Passing>| {
            passing.letter = json!("noise").into();
            passing.taint = Some(Taint(5));
            Fate::Pass
        };
        for signed in ["on", "off"] {
            let (run, verdicts) = attacked(id, &[("signed", signed)], says_nothing, noise);
            let (believed, refused) = became(&verdicts);
            assert!(believed == 0 && !refused.is_empty(), "{id} {signed}");
            assert!(refused.iter().all(|one| *one == (codes::COORD_MESSAGE_MALFORMED, None)), "{id}: {refused:?}");
            assert_eq!(run.refused(codes::COORD_MESSAGE_MALFORMED), refused.len() as u64, "{id} {signed}");
            let recorded = run.evidence.iter().filter(|one| one.code == codes::COORD_MESSAGE_MALFORMED).count();
            assert_eq!(recorded > 0, signed == "on", "{id} {signed}");
        }
        // An insider who signs what nobody can read is blamed for it.
        let babble = |_: u32, me: u32, said: &mut Value| {
            *said = json!({"babble": me});
            Some(Taint(6))
        };
        let (_, verdicts) = attacked(id, &[("signed", "on")], babble, lets_pass);
        assert!(
            became(&verdicts).1.iter().all(|one| one.0 == codes::COORD_MESSAGE_MALFORMED && one.1.is_some()),
            "{id}"
        );
    }
}

#[test]
fn on_an_open_network_a_lie_is_believed_under_any_name() {
    let lie = |_: u32, passing: &mut Passing, extra: &mut Vec<Passing>| {
        if passing.from == 1 && passing.to == 0 {
            extra.push(Passing { from: 2, taint: Some(Taint(8)), ..passing.clone() });
        }
        Fate::Pass
    };
    let (_, verdicts) = attacked("gossip_consensus", &GOSSIP, says_nothing, lie);
    let (believed, refused) = became(&verdicts);
    assert!(believed > 10 && refused.is_empty());
    // Where everybody signs the envelope says who it is, whatever the network says.
    let (_, verdicts) = attacked("gossip_consensus", &[("signed", "on")], says_nothing, lie);
    let (believed, refused) = became(&verdicts);
    assert_eq!(believed, 0);
    assert!(refused.iter().all(|one| *one == (codes::COORD_REPLAY_DETECTED, Some(1))), "{refused:?}");
}

#[test]
fn who_is_cut_off_is_told_of_and_only_where_somebody_may_be() {
    let directed: Vec<u16> = floor().directed().collect();
    let silence = |_: u32, passing: &mut Passing, _: &mut Vec<Passing>| match passing.to {
        2 => Fate::Drop,
        _ => Fate::Pass,
    };
    for id in ["gossip_consensus", "kernel_auction_edf", "consensus_paxos_lite"] {
        let (run, _) = attacked(id, &[("signed", "on")], says_nothing, silence);
        assert!(run.unreached.iter().all(|unreached| *unreached == [directed[2]]), "{id}: {:?}", run.unreached);
        let deaf = self::run(id, &[("network", "drop_rate=1")], None);
        assert!(
            deaf.unreached.iter().any(|unreached| unreached.len() + 1 >= PEOPLE as usize),
            "{id}: {:?}",
            deaf.unreached
        );
        let perfect = self::run(id, &[], None);
        assert!(perfect.unreached.iter().all(Vec::is_empty), "{id}");
    }
    // What is refused was not believed.
    let noise = |_: u32, passing: &mut Passing, _: &mut Vec<Passing>| {
        if passing.to == 3 {
            passing.letter["signature"] = json!("");
        }
        Fate::Pass
    };
    let (run, verdicts) = attacked("gossip_consensus", &[("signed", "on")], says_nothing, noise);
    assert!(run.unreached.iter().all(|unreached| *unreached == [directed[3]]), "{:?}", run.unreached);
    assert!(!verdicts.is_empty() && verdicts.iter().all(|(_, me, ..)| *me == 3), "it was not said to be tainted");
}

/// Sets the network from a step on.
struct Weather {
    from: u32,
    settings: &'static str,
    refused: Vec<String>,
}

impl WireTap for Weather {
    fn on_step(&mut self, step: u32) -> Option<String> {
        (step == self.from).then(|| self.settings.to_owned())
    }

    fn on_settings_refused(&mut self, _: u32, why: &str) {
        self.refused.push(why.to_owned());
    }
}

#[test]
fn a_network_becomes_bad_and_nonsense_leaves_it_as_it_is() {
    let weather = |settings| Arc::new(Mutex::new(Weather { from: 4, settings, refused: Vec::new() }));
    for id in METHODS {
        let clear = run(id, &[], None);
        let storm = weather("drop_rate=1");
        let bad = run(id, &[], Some(storm));
        assert!(bad.decisions[..4] == clear.decisions[..4], "{id}");
        assert!(matches!(bad.tally.told["comm"]["dropped_count"], Figure::Count(1..)), "{id}");
        let nonsense = weather("drop_rate=often");
        let same = run(id, &[], Some(Arc::clone(&nonsense) as SharedTap));
        assert!(same == clear, "{id}");
        let refused = std::mem::take(&mut nonsense.lock().unwrap().refused);
        assert!(refused.len() == 1 && refused[0].contains("drop_rate"), "{id}: {refused:?}");
    }
}

#[test]
fn who_sends_no_messages_has_no_network_to_tap() {
    struct Deaf;
    impl WireTap for Deaf {}
    let registry = Registry::linked().unwrap();
    for entry in registry.entries() {
        let id = entry.plugin.id();
        assert_eq!(create(id, &[]).tap(Arc::new(Mutex::new(Deaf))), METHODS.contains(&id), "{id}");
    }
}
