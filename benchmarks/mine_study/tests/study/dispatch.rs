//! Dispatch policies that remember, or fail.

use super::support::{contents, make, spec};
use labtrust_mine_study::{StudyError, StudySpec};
use labtrust_plugin::prelude::*;
use labtrust_plugin::{register_dispatch, wire::Problem};
use std::num::NonZeroUsize;

/// Goes round the loaders, counting from the beginning of the replication.
struct Around(usize);

impl Dispatch for Around {
    const ID: &'static str = "test_around";
    const SUMMARY: &'static str = "sends trucks to one loader after the other";
    type Params = NoParams;

    fn new(_: NoParams, _: &MineSite) -> Result<Self, Problem> {
        Ok(Self(0))
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        self.0 += 1;
        Ok(seen.loaders[self.0 % seen.loaders.len()].loader)
    }
}
register_dispatch!(Around);

/// Goes round the loaders, and fails with the tenth truck of every replication but the first two.
struct Tired {
    around: Around,
    seed: u64,
}

/// Seed of the first replication in these tests.
const SEED: u64 = 500;

impl Dispatch for Tired {
    const ID: &'static str = "test_tired";
    const SUMMARY: &'static str = "gives up";
    type Params = NoParams;

    fn new(_: NoParams, site: &MineSite) -> Result<Self, Problem> {
        Ok(Self { around: Around(0), seed: site.seed })
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        if self.around.0 == 9 && self.seed >= SEED + 2 {
            return Err(Problem::new(format!("it is tired of truck {}", seen.truck.0)));
        }
        self.around.choose(seen)
    }
}
register_dispatch!(Tired);

/// Answers with a loader that the site does not have.
struct Lost;

impl Dispatch for Lost {
    const ID: &'static str = "test_lost";
    const SUMMARY: &'static str = "sends trucks nowhere";
    type Params = NoParams;

    fn new(_: NoParams, _: &MineSite) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn choose(&mut self, _: &DispatchRequest) -> Result<LoaderId, Problem> {
        Ok(LoaderId(77))
    }
}
register_dispatch!(Lost);

/// Cannot work in any mine.
struct Choosy;

impl Dispatch for Choosy {
    const ID: &'static str = "test_choosy";
    const SUMMARY: &'static str = "wants another mine";
    type Params = NoParams;

    fn new(_: NoParams, site: &MineSite) -> Result<Self, Problem> {
        Err(Problem::of_kind(ProblemKind::Site, format!("{} loaders are too few", site.loaders.len())))
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        Ok(seen.loaders[0].loader)
    }
}
register_dispatch!(Choosy);

fn spec_with(dispatch: &str, threads: usize) -> StudySpec {
    let mut spec = spec(&["baseline", "trucks_4"], 5);
    spec.dispatch = Some(dispatch.to_owned());
    spec.base_seed = Some(SEED);
    spec.threads = NonZeroUsize::new(threads);
    spec
}

#[test]
fn what_a_policy_remembers_does_not_pass_from_one_replication_to_another() {
    let dir = tempfile::tempdir().unwrap();
    let files = |threads: usize| {
        let out = dir.path().join(threads.to_string());
        make(&spec_with("test_around", threads), &out).unwrap();
        contents(&out)
    };
    let (one, four) = (files(1), files(4));
    assert_eq!(one.keys().collect::<Vec<_>>(), four.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert_eq!(bytes, &four[name], "{name}");
    }
}

#[test]
fn a_policy_that_fails_makes_no_study_and_the_first_failure_is_told_on_any_number_of_threads() {
    for (id, message) in [
        ("test_tired", "replication 2: dispatch policy test_tired fails in scenario baseline with seed 502, at "),
        (
            "test_lost",
            "replication 0: dispatch policy test_lost fails in scenario baseline with seed 500, at 0 s: it chose loader 77, and truck 0 can be sent to one of [0, 1]",
        ),
        (
            "test_choosy",
            "replication 0: dispatch policy test_choosy fails in scenario baseline with seed 500, before it begins: 2 loaders are too few",
        ),
    ] {
        let mut told = Vec::new();
        for threads in [1, 2, 4] {
            let dir = tempfile::tempdir().unwrap();
            let error = make(&spec_with(id, threads), &dir.path().join("study")).unwrap_err();
            assert!(matches!(error, StudyError::Dispatch { .. }), "{error}");
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
            told.push(error.to_string());
        }
        assert!(told[0].starts_with(message), "{}", told[0]);
        assert!(told.iter().all(|other| *other == told[0]), "{told:?}");
    }
}
