//! The two books of every resource agree on every run, and a wrong book is noticed.

use crate::common::{model, scenario};
use labtrust_mine_haulage::{Account, LaneModel, MineData, Outcome};

/// Every resource of a run with its capacity, where it has one.
fn accounts(outcome: &Outcome) -> Vec<Account> {
    outcome.loaders.iter().chain([&outcome.dump]).chain(&outcome.roads).copied().collect()
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

#[test]
fn utilisation_law_and_littles_law_hold_on_every_run_in_every_resource() {
    for id in MineData::built_in().scenario_ids() {
        for lane_model in LaneModel::ALL {
            let mut scenario = scenario(id);
            scenario.lane_model = lane_model;
            let model = model(&scenario);
            for seed in 1..=5 {
                let outcome = model.replicate(seed, None).unwrap();
                outcome.check_books().unwrap();
                let t = outcome.shift.as_nanos() as f64;
                for account in accounts(&outcome).into_iter().filter(|account| account.starts > 0) {
                    // U = X S: by state on the left, by customers on the right.
                    let (x, s) = (account.starts as f64 / t, account.service_ns as f64 / account.starts as f64);
                    assert!(close(account.busy_ns as f64 / t, x * s), "{id} {seed} {account:?}");
                    // L = lambda W, for the queue.
                    let lambda = account.arrivals as f64 / t;
                    let w = account.queue_wait_ns as f64 / account.arrivals as f64;
                    assert!(close(account.queue_integral_ns as f64 / t, lambda * w), "{id} {seed} {account:?}");
                }
                // Not an identity of zeros.
                assert!(outcome.dump.busy_ns > 0 && outcome.dump.queue_wait_ns > 0);
            }
        }
    }
}

/// Falsifies one figure.
type Change = fn(&mut Outcome);

#[test]
fn a_wrong_book_is_noticed() {
    let good = model(&scenario("baseline")).replicate(1, None).unwrap();
    good.check_books().unwrap();
    let wrong: [(&str, Change); 12] = [
        ("loader 1", |o| o.loaders[1].busy_ns += 1),
        ("loader 0", |o| o.loaders[0].service_ns -= 1),
        ("the dump point", |o| o.dump.queue_integral_ns += 1),
        ("the dump point", |o| o.dump.queue_wait_ns += 1),
        ("road 3", |o| o.roads[3].arrivals += 1),
        ("road 4", |o| o.roads[4].completions += 1),
        ("truck 2", |o| o.trucks[2].activity_ns[0] += 1),
        ("trucks and resources", |o| o.dumps += 1),
        ("trucks and resources", |o| o.trucks[0].dumps += 1),
        ("trucks and resources", |o| {
            o.trucks[0].activity_ns[0] += 1;
            o.trucks[0].activity_ns[6] -= 1;
        }),
        ("trucks and resources", |o| {
            o.loaders[0].busy_ns += 1;
            o.loaders[0].service_ns += 1;
        }),
        ("trucks and resources", |o| {
            o.dump.queue_integral_ns += 1;
            o.dump.queue_wait_ns += 1;
        }),
    ];
    for (of, change) in wrong {
        let mut outcome = good.clone();
        change(&mut outcome);
        let error = outcome.check_books().unwrap_err();
        assert_eq!(error.of, of, "{error}");
    }
}
