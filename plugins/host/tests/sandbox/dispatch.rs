//! Dispatch policies of a mine as modules: an instance for each replication, and what happens when one fails.

use crate::guest::{Guest, LIMITS};
use labtrust_plugin::mine::{Compiled, Dispatch, DispatchPolicy, Dispatcher, TruckId};
use labtrust_plugin::prelude::*;
use labtrust_plugin::testing::mine_site;
use labtrust_plugin::wire::{Settings, encode, mine::DispatchReply};
use labtrust_plugin_host::{Check, Loaded, LoadedDispatch, OnTrap, OnTrapError, check_dispatch, wasm};
use std::sync::Arc;

/// Goes round two loaders. The reply's second byte is the loader.
const AROUND: &str = "
    (i32.store8 (i32.const 0x2001) (i32.and (global.get $calls) (i32.const 1)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i64.const 0x0000200000000002)";
/// The same, and stops when it is asked for truck 7: the request's second byte, behind a time of one byte.
const NOT_SEVEN: &str = "
    (if (i32.eq (i32.load8_u offset=1 (local.get 0)) (i32.const 7)) (then unreachable))
    (i32.store8 (i32.const 0x2001) (i32.and (global.get $calls) (i32.const 1)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i64.const 0x0000200000000002)";
const CALLS: &str = "(global $calls (mut i32) (i32.const 0))";

fn guest(decide: &'static str) -> Guest {
    let other_reply = Some(encode(&DispatchReply::Ok(LoaderId(0))));
    Guest { other_reply, decide, after: CALLS, ..Guest::of_kind("mine-dispatch") }
}

fn loaded(guest: &Guest) -> LoadedDispatch {
    match Loaded::new(Arc::new(wasm::compile(&guest.bytes(), LIMITS).unwrap())).unwrap() {
        Loaded::Dispatch(policy) => policy,
        _ => panic!("it is of another kind"),
    }
}

fn begun(policy: &dyn DispatchPolicy) -> Box<dyn Dispatcher + '_> {
    policy.dispatcher(&Settings::default(), &mine_site(1, 9, 2)).unwrap()
}

/// A truck between two loaders.
fn request(truck: u16) -> DispatchRequest {
    let option = |loader| LoaderOption {
        loader: LoaderId(loader),
        capacity: 1,
        travel_ns: 60,
        load_ns: 100,
        haul_ns: 200,
        dump_ns: 50,
        loading: 0,
        waiting: 0,
        on_the_way: 0,
        committed_ns: 0,
    };
    DispatchRequest { now_ns: 5, truck: TruckId(truck), loaders: vec![option(0), option(1)] }
}

fn sent(dispatcher: &mut dyn Dispatcher, trucks: &[u16]) -> Vec<Result<u16, String>> {
    let send = |&truck: &u16| dispatcher.choose(&request(truck)).map(|it| it.0).map_err(|problem| problem.message);
    trucks.iter().map(send).collect()
}

fn failure(guest: &Guest) -> String {
    let policy = loaded(guest);
    let mut at_work = begun(&policy);
    let message = sent(at_work.as_mut(), &[0]).remove(0).unwrap_err();
    let tally = at_work.tally();
    assert_eq!((tally.decisions, tally.failures, tally.first_failure.as_ref()), (1, 1, Some(&message)));
    message
}

#[test]
fn a_replication_has_an_instance_of_its_own() {
    let policy = loaded(&guest(AROUND));
    assert_eq!(policy.origin().unwrap().carrier, "wasm");
    let (mut one, mut other) = (begun(&policy), begun(&policy));
    assert_eq!(sent(one.as_mut(), &[0, 1, 2]), [Ok(0), Ok(1), Ok(0)]);
    assert_eq!(sent(other.as_mut(), &[0, 1]), [Ok(0), Ok(1)], "what the first remembers is its own");
    let (first, second) = (one.tally(), other.tally());
    assert_eq!((first.decisions, first.failures, second.decisions), (3, 0, 2));
    assert!(first.fuel == 3 * first.fuel_max && first.fuel_max == second.fuel_max, "{first:?}, {second:?}");
}

#[test]
fn a_policy_that_fails_is_not_asked_again() {
    let policy = loaded(&guest(NOT_SEVEN));
    let mut at_work = begun(&policy);
    let [first, second, third] = sent(at_work.as_mut(), &[3, 7, 3]).try_into().unwrap();
    assert_eq!(first, Ok(0));
    assert!(second.as_ref().unwrap_err().starts_with("it stopped with a trap: "), "{second:?}");
    assert_eq!(third, Err("it has failed before".to_owned()));
    assert_eq!(at_work.tally().failures, 1);
}

/// What a policy falls back to.
struct Second;

impl Dispatch for Second {
    const ID: &'static str = "org.example.second";
    const SUMMARY: &'static str = "Sends trucks to the last loader.";
    type Params = NoParams;

    fn new(_: NoParams, _: &MineSite) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        Ok(seen.loaders[seen.loaders.len() - 1].loader)
    }
}

static SECOND: Compiled<Second> = Compiled::NEW;

#[test]
fn a_fallback_decides_for_the_rest_of_the_replication() {
    let fallback = OnTrap::Fallback(Second::ID.to_owned());
    let policy = loaded(&guest(NOT_SEVEN)).on_trap(&fallback, Some(&SECOND)).unwrap();
    let mut at_work = begun(&policy);
    assert_eq!(sent(at_work.as_mut(), &[0, 7, 0, 0]), [Ok(0), Ok(1), Ok(1), Ok(1)]);
    let tally = at_work.tally();
    assert_eq!((tally.decisions, tally.failures), (4, 1));
    assert!(tally.first_failure.unwrap().starts_with("it stopped with a trap: "));
    assert_eq!(sent(begun(&policy).as_mut(), &[0, 1, 2]), [Ok(0), Ok(1), Ok(0)], "the next replication begins with it");
}

#[test]
fn a_truck_has_to_go_somewhere_so_noop_is_refused() {
    let refused = loaded(&guest(AROUND)).on_trap(&OnTrap::Noop, None).err().unwrap();
    assert_eq!(refused, OnTrapError::TruckMustGo { id: "org.example.guest".to_owned() });
    assert!(refused.to_string().contains("end_episode"), "{refused}");
    let named = OnTrap::Fallback("org.example.third".to_owned());
    let (wanted, given) = ("org.example.third".to_owned(), Second::ID.to_owned());
    let refused = loaded(&guest(AROUND)).on_trap(&named, Some(&SECOND)).err();
    assert_eq!(refused, Some(OnTrapError::OtherFallback { wanted, given }));
}

#[test]
fn a_loader_that_is_not_on_offer_is_a_failure() {
    let decide = "(i32.store8 (i32.const 0x2001) (i32.const 9)) (i64.const 0x0000200000000002)";
    assert_eq!(failure(&guest(decide)), "it chose loader 9, and truck 0 can be sent to one of [0, 1]");
}

#[test]
fn an_answer_of_another_kind_cannot_be_read() {
    // A decision of a coordination method, nine bytes.
    let decide = "(i64.const 0x0000200000000009)";
    let message = failure(&Guest { other_reply: None, ..guest(decide) });
    assert!(message.starts_with("its answer cannot be read: 7 bytes follow"), "{message}");
}

#[test]
fn hostile_code_ends_with_its_limits() {
    assert_eq!(failure(&guest("(loop $again (br $again)) (i64.const 0)")), "it used all of its fuel: 200000");
    let message = failure(&guest("(i64.const 0xFFFF000000000010)"));
    assert!(message.starts_with("an answer at 4294901760"), "{message}");
}

#[test]
fn what_it_reports_itself_is_told() {
    let reply: DispatchReply = Err(Problem::new("no way"));
    let guest = Guest { other_reply: Some(encode(&reply)), ..guest("(i64.const 0x0000200000000009)") };
    assert_eq!(failure(&guest), "it reports: no way");
}

#[test]
fn a_policy_that_cannot_begin_is_told_with_its_kind() {
    let problem = Problem::of_kind(ProblemKind::Site, "too many trucks");
    let policy = loaded(&Guest { create_reply: Err(problem.clone()), ..guest(AROUND) });
    assert_eq!(policy.dispatcher(&Settings::default(), &mine_site(1, 9, 2)).err(), Some(problem));
}

#[test]
fn a_check_puts_it_to_work_in_mines() {
    let found = |checks: &[Check]| checks.iter().map(|check| (check.name, check.passed)).collect::<Vec<_>>();
    assert_eq!(found(&check_dispatch(&SECOND)), [("works", true), ("repeatable", true), ("parameters", true)]);
    // The first of the made-up mines has one loader only, and the guest's schema allows any parameter.
    let guest = check_dispatch(&loaded(&guest(AROUND)));
    assert_eq!(found(&guest), [("works", false), ("parameters", false)]);
    let message = "for truck 1, with 1 trucks, 1 loaders: it chose loader 1, and truck 0 can be sent to one of [0]";
    assert_eq!(guest[0].found, message);
}
