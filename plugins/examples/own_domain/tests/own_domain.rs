//! What a domain's author should want to know of a domain: that its books close, that it repeats to the bit, that it
//! agrees with queueing theory where there is one, and that the tutorial shows the code that is compiled.

use labtrust_example_own_domain::{Class, Department, Outcome, study};
use labtrust_kernel::SimDuration;
use labtrust_kernel::stats::Interval;
use labtrust_plugin::Registry;
use std::process::Command;
use std::{fs, path::PathBuf};

fn minutes(minutes: f64) -> SimDuration {
    SimDuration::from_secs_f64(minutes * 60.0).expect("a length of time")
}

fn shifts(doctors: u32, count: u64) -> Vec<Outcome> {
    study::replicate(&Department::example(doctors), 12345, count)
}

#[test]
fn every_patient_is_treated_gone_or_still_there() {
    for shift in [shifts(0, 3), shifts(3, 20), shifts(6, 20)].concat() {
        let gone = shift.treated + shift.left.iter().sum::<u64>();
        let inside = shift.arrived.iter().sum::<u64>() - gone;
        assert!((shift.present.value() - inside as f64).abs() < 1e-9, "{inside} {:?}", shift.present);
        // Who was called did not give up.
        for class in 0..2 {
            assert!(shift.waits_min[class].count() + shift.left[class] <= shift.arrived[class]);
        }
        assert_eq!(shift.left[0], 0, "the urgent wait for ever");
    }
}

#[test]
fn littles_law_holds_on_every_shift_and_a_wrong_book_is_noticed() {
    for doctors in [0, 3, 6] {
        let open = Department::example(doctors).open;
        for shift in shifts(doctors, 20) {
            assert!(shift.little_gap(open) < 1e-9, "{}", shift.little_gap(open));
            let wrong = Outcome { stays: shift.stays.saturating_add(minutes(1.0)), ..shift };
            assert!(wrong.little_gap(open) > 1e-6);
        }
    }
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |seed| format!("{:?}", Department::example(4).run(seed));
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}

#[test]
fn without_doctors_everybody_stays_as_long_as_patience_lasts() {
    let mut department = Department::example(0);
    department.classes.remove(0);
    let shifts = study::replicate(&department, 1, 30);
    assert!(shifts.iter().all(|shift| shift.treated == 0 && shift.waits_min[0].count() == 0 && shift.left[0] > 0));
    let stay = |shift: &Outcome| Some(shift.stays.as_secs_f64() / 60.0 / shift.arrived[0] as f64);
    let mean = study::interval(shifts.iter().map(stay)).expect("thirty shifts");
    // An hour on the mean, cut short by the end of the day: a day is 24 mean patiences.
    let expected = 60.0 * (1.0 - 1.0 / 24.0);
    assert!((mean.mean - expected).abs() < 2.0 * mean.half_width && mean.half_width < 3.0, "{mean:?}");
}

/// Two classes that are served alike and wait for ever, so that there are formulas: arrivals a minute by class, mean
/// treatment [min].
fn endless(doctors: u32, rates: [f64; 2], treatment: f64) -> Department {
    let class =
        |name, rate: f64| Class { name, gap: minutes(1.0 / rate), treatment: minutes(treatment), patience: None };
    Department { doctors, classes: vec![class("first", rates[0]), class("second", rates[1])], open: minutes(20_000.0) }
}

/// Erlang's C formula: the probability that all of `servers` are busy under `load`, arrival rate times mean service.
///
/// Source: Gross, Shortle, Thompson and Harris, *Fundamentals of Queueing Theory*, 4th ed., section 2.3.
fn erlang_c(servers: u32, load: f64) -> f64 {
    let blocked = (1..=servers).fold(1.0, |blocked, n| load * blocked / (f64::from(n) + load * blocked));
    blocked / (1.0 - load / f64::from(servers) * (1.0 - blocked))
}

fn assert_agrees(what: &str, found: Option<Interval>, theory: f64) {
    let found = found.expect("there are many shifts");
    assert!(found.contains(theory), "{what}: {} ±{}, theory says {theory}", found.mean, found.half_width);
    assert!(found.half_width < 0.04 * theory, "{what}: {} ±{} is too wide to tell", found.mean, found.half_width);
}

#[test]
fn without_patience_waits_are_those_of_erlang_and_cobham() {
    let (doctors, rates, treatment) = (3, [0.08, 0.14], 10.0);
    let shifts = study::replicate(&endless(doctors, rates, treatment), 1, 120);
    let load = treatment * (rates[0] + rates[1]);
    let (c, rho) = (f64::from(doctors), load / f64::from(doctors));
    // The mean wait of all is that of one queue, whatever the order of service.
    let of_all = |shift: &Outcome| {
        let [first, second] = [0, 1].map(|class| shift.waits_min[class]);
        let calls = [first.count() as f64, second.count() as f64];
        Some((first.mean()? * calls[0] + second.mean()? * calls[1]) / (calls[0] + calls[1]))
    };
    let all = erlang_c(doctors, load) * treatment / (c * (1.0 - rho));
    assert_agrees("all", study::interval(shifts.iter().map(of_all)), all);
    // Priorities without interruption. Source: A. Cobham, "Priority assignment in waiting line problems", Operations
    // Research 2(1), 1954.
    let first = erlang_c(doctors, load) * treatment / c / (1.0 - rates[0] * treatment / c);
    for (class, theory) in [(0, first), (1, first / (1.0 - rho))] {
        assert_agrees("a class", study::interval(shifts.iter().map(|shift| shift.waits_min[class].mean())), theory);
    }
}

#[test]
fn another_doctor_meets_the_same_patients() {
    let (few, more) = (shifts(3, 30), shifts(4, 30));
    for (few, more) in few.iter().zip(&more) {
        assert_eq!(few.arrived, more.arrived);
    }
    let leaving = |shift: &Outcome| Some(shift.left[1] as f64);
    let paired = study::gain(&few, &more, leaving).expect("thirty pairs");
    assert!(paired.mean + paired.half_width < 0.0, "fewer give up: {paired:?}");
    // What common random numbers are for: other patients for the fourth doctor make a wider interval.
    let others = study::replicate(&Department::example(4), 54321, 30);
    let unpaired = study::gain(&few, &others, leaving).expect("thirty pairs");
    assert!(paired.half_width < unpaired.half_width, "{paired:?}, {unpaired:?}");
}

#[test]
fn fewer_than_two_shifts_have_no_interval() {
    assert_eq!(study::interval([Some(1.0), None].into_iter()), None);
    assert_eq!(study::gain(&[], &shifts(3, 5), |shift| Some(shift.treated as f64)), None);
}

#[test]
fn the_registry_lists_the_domain() {
    let registry = Registry::linked().expect("no id is taken twice");
    let entry = registry.entries().iter().find(|entry| entry.plugin.id() == "emergency_department");
    let entry = entry.expect("the domain is linked");
    assert_eq!((entry.plugin.kind(), entry.owner), ("domain", "labtrust-example-own-domain"));
}

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path)
}

#[test]
fn the_domain_is_no_longer_than_promised() {
    let files = fs::read_dir(repository("plugins/examples/own_domain/src")).expect("there are sources");
    let length = |file: PathBuf| fs::read_to_string(file).expect("a source is text").lines().count();
    let lines: usize = files.map(|file| length(file.expect("a file").path())).sum();
    assert!((200..=300).contains(&lines), "the sources have {lines} lines; the tutorial promises at most 300");
}

#[test]
fn the_tutorial_shows_code_that_exists_and_the_table_that_is_printed() {
    let page = fs::read_to_string(repository("docs/src/tutorial/own_domain.md")).expect("the page is there");
    let includes = page.split("{{#include ").skip(1).map(|rest| rest.split("}}").next().expect("a closing brace"));
    let includes: Vec<&str> = includes.collect();
    assert!(includes.len() >= 7, "{includes:?}");
    for include in includes {
        let (path, anchor) = include.split_once(':').unwrap_or((include, ""));
        let source = fs::read_to_string(repository("docs/src/tutorial").join(path)).expect(include);
        for mark in ["ANCHOR", "ANCHOR_END"] {
            let line = format!("// {mark}: {anchor}");
            assert!(anchor.is_empty() || source.lines().any(|known| known.trim() == line), "{path} has no {line}");
        }
    }
    let run = Command::new(env!("CARGO_BIN_EXE_labtrust-example-own-domain")).output().expect("the program runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let printed = String::from_utf8(run.stdout).expect("text");
    assert!(page.contains(&printed), "the page does not show what the program prints:\n{printed}");
}
