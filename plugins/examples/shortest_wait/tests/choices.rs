//! What the policy chooses, by hand.

use labtrust_plugin::prelude::*;
use labtrust_plugin::testing::check;
use shortest_wait::{Params, ShortestWait};

const SECOND: u64 = 1_000_000_000;

/// A loader of one server at the end of a drive, with promised work.
fn option(loader: u16, travel_s: u64, committed_s: u64) -> LoaderOption {
    LoaderOption {
        loader: LoaderId(loader),
        capacity: 1,
        travel_ns: travel_s * SECOND,
        load_ns: 100 * SECOND,
        haul_ns: 300 * SECOND,
        dump_ns: 60 * SECOND,
        loading: 0,
        waiting: 0,
        on_the_way: 0,
        committed_ns: committed_s * SECOND,
    }
}

fn chosen(slack_s: u32, loaders: &[LoaderOption]) -> u16 {
    let mut policy = ShortestWait::new(Params { slack_s }, &MineSite::default()).unwrap();
    policy.choose(&DispatchRequest { loaders: loaders.to_vec(), ..DispatchRequest::default() }).unwrap().0
}

#[test]
fn work_that_is_done_during_the_drive_is_no_wait() {
    assert_eq!(chosen(0, &[option(0, 100, 160), option(1, 200, 210)]), 1, "60 s of waiting against 10");
    let two = LoaderOption { capacity: 2, ..option(0, 100, 160) };
    assert_eq!(chosen(0, &[two, option(1, 200, 210)]), 0, "two servers are through with it in 80 s");
}

#[test]
fn a_wait_within_the_slack_is_none_and_the_shorter_cycle_wins() {
    assert_eq!(chosen(60, &[option(0, 100, 160), option(1, 200, 210)]), 0);
    assert_eq!(chosen(0, &[option(0, 200, 0), option(1, 100, 0)]), 1);
}

#[test]
fn it_keeps_what_the_kit_asks_of_every_policy() {
    let tried = check::mine_dispatch::<ShortestWait>();
    assert_eq!((tried.sites, tried.decisions), (4, 256));
}
