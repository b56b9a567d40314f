use super::*;
use crate::bus::Controls;
use crate::codes;
use crate::identity::Envelope;
use crate::network::{Fate, Injector, Mail};
use crate::protocols::{Letter, Machine, Outbox, Seal, Signed, Speaker};
use std::sync::Arc;

/// Says its number to everybody in round 0, and keeps what it hears.
#[derive(Debug, Default)]
struct Echo {
    me: u32,
    heard: Vec<(AgentId, u32)>,
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Word(u32);

impl Wire for Word {
    fn wire_bytes(&self) -> u32 {
        4
    }
}

impl Machine for Echo {
    type Message = Word;

    fn on_round(&mut self, round: u32, out: &mut Outbox<Word>) {
        if round == 0 {
            out.broadcast(Word(self.me));
        }
    }

    fn on_message(&mut self, from: AgentId, word: Word, _out: &mut Outbox<Word>) {
        self.heard.push((from, word.0));
    }
}

const PEOPLE: u32 = 4;

fn names() -> Vec<String> {
    (0..PEOPLE).map(|n| format!("worker_{n}")).collect()
}

fn seals() -> Vec<Seal> {
    Seal::of_all(7, &names(), "WORD", Controls::ALL).unwrap()
}

/// Everybody speaks in some steps; what they heard in all.
fn run(network: &mut Network<Letter<Word>>, seals: &mut [Seal], steps: std::ops::Range<u64>) -> Vec<Echo> {
    let mut echoes: Vec<Echo> = (0..PEOPLE).map(|me| Echo { me, heard: Vec::new() }).collect();
    for step in steps {
        network.begin_step(step);
        seals.iter_mut().for_each(|seal| seal.begin_epoch(step));
        let mut keys = seals.iter_mut();
        let mut speakers: Vec<_> =
            (0..).zip(&mut echoes).map(|(me, echo)| Speaker::new(AgentId(me), echo, keys.next())).collect();
        Exchange::over_a_step(2, network).run(&mut speakers, network, |_, _| true);
    }
    echoes
}

fn network() -> Network<Letter<Word>> {
    Network::new(&NetworkSettings::default(), PEOPLE, 1).unwrap()
}

fn refused(seals: &[Seal], code: &str) -> u64 {
    seals.iter().filter_map(|seal| seal.refused().get(code)).sum()
}

#[test]
fn what_is_signed_is_heard_by_all_under_the_signers_name() {
    let mut seals = seals();
    let echoes = run(&mut network(), &mut seals, 0..3);
    for echo in &echoes {
        assert_eq!(echo.heard.len(), 9);
        assert!(echo.heard.iter().all(|(from, said)| from.0 == *said && from.0 != echo.me));
    }
    assert!(seals.iter().all(|seal| seal.refused().is_empty()));
}

#[test]
fn without_keys_messages_travel_as_they_are() {
    let echoes = run(&mut network(), &mut [], 0..3);
    assert!(echoes.iter().all(|echo| echo.heard.len() == 9));
}

/// Somebody who changes letters that go to agent 0, or sends them again.
struct Tamper {
    what: &'static str,
    kept: Vec<Letter<Word>>,
}

impl Tamper {
    fn change(&self, envelope: &Envelope) -> Envelope {
        let mut changed = envelope.clone();
        match self.what {
            "sender" => changed.sender_id = "worker_3".to_owned(),
            "payload" => changed.payload["say"] = serde_json::json!(99),
            _ => {}
        }
        changed
    }
}

impl Injector<Letter<Word>> for Tamper {
    fn on_send(&mut self, _: u64, mail: &mut Mail<Letter<Word>>, extra: &mut Vec<Mail<Letter<Word>>>) -> Fate {
        let Letter::Signed(signed) = &mail.body else { return Fate::Pass };
        if mail.to != AgentId(0) || mail.from != AgentId(1) {
            return Fate::Pass;
        }
        match self.what {
            "again" => extra.push(mail.clone()),
            "later" => {
                // Three steps later it says again what was said first.
                self.kept.push(mail.body.clone());
                if self.kept.len() == 4 {
                    extra.push(Mail { body: self.kept[0].clone(), ..mail.clone() });
                }
            }
            "open" => mail.body = Letter::Open(Word(1)),
            _ => mail.body = Letter::Signed(Arc::new(Signed::new(self.change(signed.envelope())))),
        }
        Fate::Pass
    }
}

#[test]
fn what_was_tampered_with_is_not_heard_and_is_told_by_its_code() {
    let cases = [
        ("sender", codes::COORD_SIGNATURE_INVALID, 4),
        ("payload", codes::COORD_SIGNATURE_INVALID, 4),
        ("again", codes::COORD_REPLAY_DETECTED, 4),
        ("later", codes::COORD_EPOCH_STALE, 1),
        ("open", codes::COORD_MESSAGE_MALFORMED, 4),
    ];
    for (what, code, times) in cases {
        let (mut seals, mut network) = (seals(), network());
        network.set_injector(Some(Box::new(Tamper { what, kept: Vec::new() })));
        let echoes = run(&mut network, &mut seals, 0..4);
        assert_eq!(refused(&seals, code), times, "{what}");
        assert_eq!(seals.iter().map(|seal| seal.refused().len()).sum::<usize>(), 1, "{what}: and nothing else");
        assert!(echoes[0].heard.iter().all(|(from, said)| from.0 == *said), "{what}");
        let from_1 = echoes[0].heard.iter().filter(|(from, _)| from.0 == 1).count();
        assert_eq!(from_1, if matches!(what, "again" | "later") { 4 } else { 0 }, "{what}");
    }
}

#[test]
fn what_was_said_to_one_is_not_believed_by_another() {
    let mut seals = seals();
    let (left, right) = seals.split_at_mut(1);
    let envelope = left[0].sign(&crate::protocols::To::One(AgentId(1)), Word(5)).unwrap();
    let heard = right[0].open::<Word>(AgentId(1), AgentId(0), &envelope);
    assert_eq!(heard.map(|(from, word)| (from.0, word.0)), Ok((0, 5)));
    let turned = right[1].open::<Word>(AgentId(2), AgentId(0), &envelope).map(|_| ()).unwrap_err();
    assert_eq!((turned.code, turned.blamed), (codes::COORD_REPLAY_DETECTED, Some(AgentId(0))));
    assert_eq!(right[1].refused().get(codes::COORD_REPLAY_DETECTED), Some(&1));
    let fact = seals[PEOPLE as usize].sign(&crate::protocols::To::Others, Word(8)).unwrap();
    let heard = seals[2].open::<Word>(AgentId(2), AgentId::WORLD, &fact);
    assert_eq!(heard.map(|(from, _)| from), Ok(AgentId::WORLD));
}

/// A message of everything that JSON has several forms for.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Odd {
    Map { text: String, float: f64, small: i64, large: u64, none: Option<u8> },
    Nothing,
}

impl Wire for Odd {
    fn wire_bytes(&self) -> u32 {
        0
    }
}

#[test]
fn a_letter_that_nobody_has_looked_at_is_what_it_is_when_somebody_does() {
    use crate::protocols::To;
    let mut seals = seals();
    let text = "w\u{f6}rker \"\\ \u{1f600} \u{7f}\n".to_owned();
    let odd = Odd::Map { text, float: 1e-7, small: i64::MIN, large: u64::MAX, none: None };
    for (to, said) in [(To::Others, odd.clone()), (To::One(AgentId(3)), odd), (To::One(AgentId(1)), Odd::Nothing)] {
        let letter: Letter<Odd> = Letter::Signed(Arc::new(seals[0].sign(&to, said.clone()).unwrap()));
        let Letter::Signed(signed) = &letter else { unreachable!("it is signed") };
        let envelope = signed.envelope();
        assert_eq!(letter.wire_bytes(), envelope.wire_bytes());
        assert!(envelope.payload_matches());
        assert!(seals[0].roster().verify(&envelope.sender_id, &envelope.signature, &envelope.signed_bytes().unwrap()));
        // Who takes it from the wire reads the same.
        let taken = Signed::new(envelope.clone());
        let to = if let To::One(agent) = to { agent } else { AgentId(2) };
        for signed in [signed, &taken] {
            let mut fresh = Seal::of_all(7, &names(), "WORD", Controls::ALL).unwrap();
            let heard = fresh[to.index()].open::<Odd>(to, AgentId(0), signed);
            assert_eq!(heard, Ok((AgentId(0), said.clone())));
        }
    }
}
