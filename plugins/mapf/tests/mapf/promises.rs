//! No violation, ever; cost and completeness as promised.

use crate::brute::{Truth, least_cost};
use crate::instances::{Shape, draw, instances, planner, small, violations};
use labtrust_mapf::{Backend, MapfError, Options, Window};

const RICH: Shape = Shape { vertices: 8, agents: 5, rich: true, on_the_way: true, timed: false };

/// Every back-end on 10,000 instances: solved to the end, and one window. Whatever plan comes out must hold.
#[test]
fn no_plan_has_a_violation() {
    let mut solved = [0u32; 7];
    let (mut cases, mut windows, mut seed) = (0, 0, 0);
    while cases < instances(10_000) {
        seed += 1;
        let Some(case) = draw(Shape { timed: seed % 2 == 0, ..RICH }, seed) else { continue };
        cases += 1;
        for (backend, solved) in Backend::ALL.into_iter().zip(&mut solved) {
            let mut planner = planner(&case, backend, Options { budget: 2_000, ..small() });
            if let Ok(planned) = planner.solve(&case.agents, &case.reservations) {
                assert_eq!(violations(&case, &planned.plan), [], "{backend:?}, seed {seed}");
                assert!(planned.plan.arrives(&case.graph, &case.agents), "{backend:?}, seed {seed}");
                *solved += 1;
            }
            let window = Window { agents: &case.agents, reservations: &case.reservations, steps: 4 };
            if let Ok(planned) = planner.plan(&window) {
                assert_eq!(violations(&case, &planned.plan), [], "{backend:?}, window, seed {seed}");
                assert_eq!(planned.plan.steps(), 4);
                windows += 1;
            }
        }
    }
    eprintln!("solved {solved:?} of {cases}, {windows} windows");
    assert!(
        solved.iter().all(|&solved| u64::from(solved) * 2 > cases),
        "half of the instances can be solved by anybody"
    );
    assert!(windows * 10 > cases * 7 * 9, "nearly every window can be planned");
}

fn against_brute_force(shape: Shape, cases: u64, seeds: u64) {
    let options = || Options { budget: 400_000, ..small() };
    let (mut solvable, mut not, mut exhausted) = (0, 0, 0);
    for seed in (seeds..).take(cases as usize) {
        let Some(case) = draw(shape, seed) else { continue };
        let truth = least_cost(&case, 20_000);
        for backend in Backend::ALL {
            let found = planner(&case, backend, options()).solve(&case.agents, &case.reservations);
            let cost = found.as_ref().map(|planned| planned.plan.cost(&case.agents));
            match (&truth, backend, cost) {
                (Truth::Unknown, ..) => {}
                (Truth::NoPlan, Backend::Lacam, cost) => {
                    not += 1;
                    assert_eq!(cost, Err(&MapfError::NoPlan { backend }), "seed {seed}");
                }
                (Truth::NoPlan, _, cost) => assert!(cost.is_err(), "{backend:?} solved what cannot be, seed {seed}"),
                (Truth::Cost(_), Backend::Cbs | Backend::Ecbs, Err(MapfError::Exhausted { .. })) => exhausted += 1,
                (&Truth::Cost(least), Backend::Cbs, cost) => assert_eq!(cost, Ok(least), "seed {seed}"),
                (&Truth::Cost(least), Backend::Ecbs, cost) => {
                    let cost = cost.expect("complete");
                    assert!(cost >= least && options().w.covers(cost, least), "{cost} for {least}, seed {seed}");
                }
                (&Truth::Cost(least), Backend::Lacam, cost) => {
                    solvable += 1;
                    assert!(cost.expect("complete") >= least, "seed {seed}");
                }
                (&Truth::Cost(least), _, cost) => {
                    assert!(!cost.is_ok_and(|cost| cost < least), "{backend:?} is cheaper than the least, seed {seed}");
                }
            }
        }
    }
    eprintln!("{solvable} solvable, {not} not, exhausted {exhausted}");
    assert!(solvable * 10 > cases * 3 && not > 0, "{solvable} solvable, {not} not: the instances show nothing");
    assert!(exhausted * 50 <= solvable, "{exhausted} of {solvable} exhausted");
}

/// The classical problem: cbs has the least cost, ecbs is within its ratio, lacam solves what can be and refutes what cannot.
#[test]
fn costs_and_completeness_hold_on_plain_graphs() {
    against_brute_force(
        Shape { vertices: 7, agents: 3, rich: false, on_the_way: false, timed: false },
        instances(100),
        1 << 20,
    );
}

/// The same with rooms, travel times, doors, limits on edges, agents on their way and agents without a goal.
#[test]
fn costs_and_completeness_hold_with_rooms_doors_and_travel_times() {
    against_brute_force(Shape { vertices: 5, agents: 3, ..RICH }, instances(150), 1 << 21);
}
