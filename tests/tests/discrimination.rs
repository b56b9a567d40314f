//! Methods differ, and each is worth its core.
//!
//! Small sizes here. In full, with the page that shows it (`docs/src/reference/discrimination.md`):
//! `LABTRUST_REGENERATE=1 cargo test -p labtrust-tests --test discrimination -- the_page`.

#[path = "discrimination/cards.rs"]
mod cards;
#[path = "discrimination/compare.rs"]
mod compare;
#[path = "discrimination/episodes.rs"]
mod episodes;
#[path = "discrimination/page.rs"]
mod page;

use compare::{loses, means};
use episodes::{FIGURES, Judged, Size, Who, episodes, methods};
use labtrust_kernel::ClockMode;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const EXPLICIT: ClockMode = ClockMode::Explicit;
const SIMULATED: ClockMode = ClockMode::Simulated;

/// Few seeds of small sizes: what is tested is large.
const SMALL: [(Size, u64); 4] = [
    (Size { scale: Some("small_smoke"), timing: EXPLICIT }, 4),
    (Size { scale: None, timing: EXPLICIT }, 12),
    (Size { scale: None, timing: SIMULATED }, 6),
    (Size { scale: Some("medium_stress_signed_bus"), timing: SIMULATED }, 2),
];

/// All episodes of all methods, with their cores and without, at the small sizes.
static ALL: LazyLock<BTreeMap<(usize, Who), Vec<Judged>>> = LazyLock::new(|| {
    let mut whos = vec![Who::Random];
    for id in methods() {
        whos.extend([true, false].map(|core| Who::Method { id, core }));
    }
    let runs = SMALL.iter().enumerate().flat_map(|(number, run)| whos.iter().map(move |who| (number, *run, who)));
    runs.map(|(number, (size, seeds), who)| ((number, who.clone()), episodes(who, size, 0..seeds))).collect()
});

fn of(size: usize, id: &'static str, core: bool) -> &'static [Judged] {
    &ALL[&(size, Who::Method { id, core })]
}

#[test]
fn every_method_completes_work_and_none_fails() {
    for (number, (size, _)) in SMALL.iter().enumerate() {
        for id in methods() {
            let completed: f64 = of(number, id, true).iter().filter_map(|episode| episode.figures[0]).sum();
            assert!(completed > 0.0, "{id} completes nothing at {}", size.name());
            assert!(of(number, id, true).iter().all(|episode| episode.failures == 0), "{id} fails at {}", size.name());
        }
    }
}

#[test]
fn one_mind_does_more_than_half_as_much_again_as_chance() {
    for number in 0..SMALL.len() {
        let random = means(&ALL[&(number, Who::Random)])[0].unwrap_or(0.0);
        let planned = means(of(number, "centralized_planner", true))[0].unwrap_or(0.0);
        assert!(planned >= 1.5 * random && planned > 0.0, "{}: {planned} against {random}", SMALL[number].0.name());
    }
}

#[test]
fn the_families_that_plan_complete_what_the_best_completes() {
    for (number, (size, _)) in SMALL.iter().enumerate() {
        let completed = |id| means(of(number, id, true))[0].unwrap_or(0.0);
        let best = methods().into_iter().map(completed).fold(0.0, f64::max);
        let planning = methods()
            .into_iter()
            .filter(|id| ["centralized", "kernel", "market"].iter().any(|family| id.starts_with(family)));
        for id in planning {
            assert!(completed(id) >= 0.97 * best, "{id} at {}: {} of {best}", size.name(), completed(id));
        }
    }
}

#[test]
fn no_two_methods_decide_the_same() {
    let stream =
        |id| (0..SMALL.len()).map(move |size| of(size, id, true).iter().map(|e| &e.decided).collect::<Vec<_>>());
    let methods = methods();
    for (number, a) in methods.iter().enumerate() {
        for b in &methods[number + 1..] {
            assert!(stream(a).ne(stream(b)), "{a} and {b} decide the same in every episode");
        }
    }
}

#[test]
fn a_method_without_its_core_is_worse_by_something_that_counts() {
    for id in methods() {
        let worse = (0..SMALL.len()).flat_map(|size| {
            (0..FIGURES.len()).filter(move |&figure| loses(of(size, id, false), of(size, id, true), figure))
        });
        assert!(worse.count() > 0, "{id} loses nothing without its core");
    }
}

#[test]
fn episodes_are_the_same_on_one_thread_and_on_four() {
    let who = Who::Method { id: "kernel_scheduler_or", core: true };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be made");
        pool.install(|| episodes(&who, SMALL[1].0, 0..4))
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn the_page_names_every_method() {
    page::check_or_write();
}

#[test]
fn the_cards_are_those_of_the_code() {
    cards::check_or_write();
}
