//! Each control of the bus stops one attack, and nothing else stops that one.

use super::*;
use crate::bus::{Control, Controls};
use crate::codes;
use crate::identity::Envelope;
use crate::network::{Fate, Injector, Mail};
use crate::protocols::{Letter, Mark, Seal, Signed, Speaker, Watch};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Word(u32);

impl Wire for Word {
    fn wire_bytes(&self) -> u32 {
        4
    }
}

/// Says two words to each of the others, one by one.
#[derive(Debug, Default)]
struct Talker {
    me: u32,
    heard: Vec<(AgentId, u32)>,
}

impl Machine for Talker {
    type Message = Word;

    fn on_round(&mut self, _: u32, out: &mut Outbox<Word>) {
        for word in 0..2 {
            (0..PEOPLE).filter(|to| *to != self.me).for_each(|to| out.send(AgentId(to), Word(10 * self.me + word)));
        }
    }

    fn on_message(&mut self, from: AgentId, word: Word, _out: &mut Outbox<Word>) {
        self.heard.push((from, word.0));
    }
}

const PEOPLE: u32 = 4;
const STEPS: u64 = 4;
const QUOTA: u32 = 8;

/// On the link from 1 to 0 it does what a control is against.
struct Attacker {
    against: Control,
    sent: u32,
    kept: Vec<Letter<Word>>,
    /// The key of 1: for what an insider does.
    stolen: Option<Seal>,
}

impl Injector<Letter<Word>> for Attacker {
    fn on_send(&mut self, _: u64, mail: &mut Mail<Letter<Word>>, extra: &mut Vec<Mail<Letter<Word>>>) -> Fate {
        let Letter::Signed(signed) = &mail.body else { panic!("everybody signs") };
        let (from, victim) = (AgentId(1), AgentId(0));
        let marked = |body: Letter<Word>| Mail { from, to: victim, body: body.marked(Some(Mark(7))) };
        if mail.from != from {
            return Fate::Pass;
        }
        if self.against == Control::Recipient {
            if mail.to == AgentId(2) {
                extra.push(marked(mail.body.clone()));
            }
            return Fate::Pass;
        }
        if mail.to != victim {
            return Fate::Pass;
        }
        self.sent += 1;
        let first = self.sent % 2 == 1;
        match self.against {
            Control::Signature => {
                let mut envelope: Envelope = signed.envelope().clone();
                envelope.payload["say"] = json!(99);
                *mail = marked(Letter::Signed(Arc::new(Signed::new(envelope))));
            }
            Control::Replay => extra.push(marked(mail.body.clone())),
            // The very first is kept back for three steps.
            Control::Epoch if self.sent == 1 => {
                self.kept.push(mail.body.clone());
                return Fate::Drop;
            }
            Control::Epoch if self.sent == 8 => extra.push(marked(self.kept[0].clone())),
            // Two change places.
            Control::Order if first => {
                self.kept.push(mail.body.clone());
                return Fate::Drop;
            }
            Control::Order => extra.extend(self.kept.pop().map(marked)),
            Control::Quota if !first => {
                let seal = self.stolen.get_or_insert_with(|| {
                    let mut seal = seals(Controls::ALL).swap_remove(1);
                    (0..1000).for_each(|_| drop(seal.sign::<Word>(&To::Others, Word(0))));
                    seal
                });
                seal.begin_epoch(u64::from(self.sent / 2 - 1));
                for _ in 0..QUOTA {
                    let flood = seal.sign(&To::One(victim), Word(55)).unwrap();
                    extra.push(marked(Letter::Signed(Arc::new(flood))));
                }
            }
            _ => {}
        }
        Fate::Pass
    }
}

/// What became of letters: who judged, the mark, the verdict, who is blamed.
type Verdict = (u32, Option<Mark>, Result<(), &'static str>, Option<AgentId>);

#[derive(Default)]
struct Book(RefCell<Vec<Verdict>>);

impl Watch for Book {
    fn on_say(&self, _: AgentId, _: &mut Value) -> Option<Mark> {
        None
    }

    fn on_heard(&self, me: AgentId, mark: Option<Mark>, heard: Result<(), &'static str>, blamed: Option<AgentId>) {
        self.0.borrow_mut().push((me.0, mark, heard, blamed));
    }
}

fn seals(controls: Controls) -> Vec<Seal> {
    let names: Vec<String> = (0..PEOPLE).map(|n| format!("worker_{n}")).collect();
    let mut seals = Seal::of_all(7, &names, "WORD", controls).unwrap();
    seals.iter_mut().for_each(|seal| seal.expect(QUOTA));
    seals
}

/// Some steps under an attack, or without one: what everybody heard, and what became of which letters.
fn run(controls: Controls, attack: Option<Control>) -> (Vec<Talker>, Vec<Verdict>) {
    let mut network = Network::new(&NetworkSettings::default(), PEOPLE, 1).unwrap();
    let attacker = |against| Box::new(Attacker { against, sent: 0, kept: Vec::new(), stolen: None });
    network.set_injector(attack.map(|against| attacker(against) as Box<dyn Injector<Letter<Word>>>));
    let (mut seals, book) = (seals(controls), Book::default());
    let mut talkers: Vec<Talker> = (0..PEOPLE).map(|me| Talker { me, heard: Vec::new() }).collect();
    for step in 0..STEPS {
        network.begin_step(step);
        seals.iter_mut().for_each(|seal| seal.begin_epoch(step));
        let mut keys = seals.iter_mut();
        let speaker = |(me, talker)| Speaker::new(AgentId(me), talker, keys.next()).watched(Some(&book));
        let mut speakers: Vec<_> = (0..).zip(&mut talkers).map(speaker).collect();
        Exchange::over_a_step(1, &network).run(&mut speakers, &mut network, |_, _| true);
    }
    (talkers, book.0.into_inner())
}

/// Verdicts on marked letters: those that were believed [count], and the refusals.
fn became(verdicts: &[Verdict]) -> (usize, Vec<(&'static str, Option<u32>)>) {
    let marked: Vec<&Verdict> = verdicts.iter().filter(|(_, mark, ..)| mark.is_some()).collect();
    assert!(marked.iter().all(|(me, ..)| *me == 0), "only 0 was attacked");
    let refused = marked.iter().filter_map(|(.., heard, blamed)| Some((heard.err()?, blamed.map(|agent| agent.0))));
    (marked.iter().filter(|(.., heard, _)| heard.is_ok()).count(), refused.collect())
}

const ATTACKS: [(Control, &str, Option<u32>); 6] = [
    // Nobody's signature is under it, so nobody is blamed: not the one whom it names either.
    (Control::Signature, codes::COORD_SIGNATURE_INVALID, None),
    (Control::Replay, codes::COORD_REPLAY_DETECTED, Some(1)),
    (Control::Epoch, codes::COORD_EPOCH_STALE, Some(1)),
    (Control::Recipient, codes::COORD_REPLAY_DETECTED, Some(1)),
    (Control::Order, codes::COORD_NONCE_TOO_OLD, Some(1)),
    (Control::Quota, codes::RATE_LIMITED, Some(1)),
];

#[test]
fn an_attack_is_refused_by_the_control_that_is_against_it_and_by_no_other() {
    for (attack, code, blamed) in ATTACKS {
        let (_, verdicts) = run(Controls::ALL, Some(attack));
        let (believed, refused) = became(&verdicts);
        // Of a flood so much is opened as the quota has left.
        let opened = if attack == Control::Quota { STEPS as usize * (QUOTA as usize - 2) } else { 0 };
        assert_eq!(believed, opened, "{attack:?}");
        assert!(!refused.is_empty(), "{attack:?}");
        assert!(refused.iter().all(|refused| *refused == (code, blamed)), "{attack:?}: {refused:?}");
        assert!(verdicts.iter().all(|(_, mark, ..)| mark.is_some()), "{attack:?}: nothing honest is turned away");
        // Without its control the attack is believed, without any other it is not.
        for gone in Control::ALL {
            let (_, verdicts) = run(Controls::ALL.without(gone), Some(attack));
            let (let_through, still) = became(&verdicts);
            if gone == attack {
                assert_eq!((let_through, still.len()), (believed + refused.len(), 0), "{attack:?}");
            } else {
                assert_eq!((let_through, &still), (believed, &refused), "{attack:?} without {gone:?}");
            }
        }
    }
}

#[test]
fn what_is_let_through_without_a_control_is_acted_on() {
    let heard = |attack: Control| run(Controls::ALL.without(attack), Some(attack)).0.swap_remove(0).heard;
    let forged = heard(Control::Signature);
    assert_eq!(forged.iter().filter(|(from, word)| from.0 == 1 && *word == 99).count(), 8);
    let flood = heard(Control::Quota);
    assert_eq!(flood.iter().filter(|(_, word)| *word == 55).count(), STEPS as usize * QUOTA as usize);
}

#[test]
fn nothing_honest_is_refused_with_all_controls_or_without_one() {
    let (talkers, verdicts) = run(Controls::ALL, None);
    assert!(verdicts.is_empty(), "{verdicts:?}");
    assert!(talkers.iter().all(|talker| talker.heard.len() == STEPS as usize * 6));
    for gone in Control::ALL {
        let (others, verdicts) = run(Controls::ALL.without(gone), None);
        assert!(verdicts.is_empty(), "{gone:?}: {verdicts:?}");
        assert!(others.iter().zip(&talkers).all(|(other, talker)| other.heard == talker.heard), "{gone:?}");
    }
}
