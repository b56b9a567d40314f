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
#[path = "discrimination/hall.rs"]
mod hall;
#[path = "discrimination/page.rs"]
mod page;
#[path = "discrimination/study.rs"]
mod study;
#[path = "discrimination/watched.rs"]
mod watched;

use compare::{loses, means};
use episodes::{FIGURES, Judged, Size, Who, episodes, methods, talking};
use labtrust_kernel::ClockMode;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const EXPLICIT: ClockMode = ClockMode::Explicit;
const SIMULATED: ClockMode = ClockMode::Simulated;

/// Few seeds of small sizes: what is tested is large.
const SMALL: [(Size, u64); 6] = [
    (Size { scale: Some("small_smoke"), timing: EXPLICIT, network: None }, 4),
    (Size { scale: None, timing: EXPLICIT, network: None }, 12),
    (Size { scale: None, timing: SIMULATED, network: None }, 6),
    (Size { scale: Some("medium_stress_signed_bus"), timing: SIMULATED, network: None }, 2),
    (Size { scale: Some("corridor"), timing: SIMULATED, network: None }, 3),
    (Size { scale: Some("two_halls"), timing: SIMULATED, network: None }, 3),
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
            let no_room = of(number, id, true).iter().map(|episode| episode.no_room).sum::<u64>();
            assert_eq!(no_room, 0, "{id} sends people where there is no room at {}", size.name());
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
    // Where there is little room those who do not plan their ways stand in each other's.
    let roomy = SMALL.iter().enumerate().filter(|(_, (size, _))| size.scale != Some("corridor"));
    for (number, (size, _)) in roomy {
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

/// Methods whose core only shows where it is needed: a router where there is little room, a shield where messages are lost.
const SHOWN_ELSEWHERE: [&str; 4] =
    ["kernel_auction_whca", "kernel_auction_whca_shielded", "kernel_scheduler_or_whca", "kernel_whca"];

#[test]
fn where_there_is_little_room_planned_ways_are_worth_something() {
    let tight = Size { scale: Some("corridor_tight"), timing: SIMULATED, network: None };
    for id in ["kernel_auction_whca", "kernel_scheduler_or_whca", "kernel_whca"] {
        let run = |core| episodes(&Who::Method { id, core }, tight, 0..16);
        let (with, without) = (run(true), run(false));
        let worse = (0..FIGURES.len()).filter(|&figure| loses(&without, &with, figure)).count();
        assert!(worse > 0, "{id} loses nothing without its router");
        let due = with.iter().map(|episode| episode.specimens).sum::<u64>() as f64;
        let completed: f64 = with.iter().filter_map(|episode| episode.figures[0]).sum();
        assert!(completed >= 0.9 * due, "{id}: {completed} of {due}");
    }
}

#[test]
fn where_messages_are_lost_a_shield_is_worth_something() {
    // Without its shield it is the auction that it stands before.
    let size = Size { scale: None, timing: SIMULATED, network: None };
    let run = |id| episodes(&Who::Talking { id, network: "drop_rate=0.9", signed: false }, size, 0..12);
    let (with, without) = (run("kernel_auction_whca_shielded"), run("kernel_auction_whca"));
    let worse = (0..FIGURES.len()).filter(|&figure| loses(&without, &with, figure)).count();
    assert!(worse > 0, "{:?} against {:?}", means(&with), means(&without));
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
    for id in methods().into_iter().filter(|id| !SHOWN_ELSEWHERE.contains(id)) {
        let worse = (0..SMALL.len()).flat_map(|size| {
            (0..FIGURES.len()).filter(move |&figure| loses(of(size, id, false), of(size, id, true), figure))
        });
        assert!(worse.count() > 0, "{id} loses nothing without its core");
    }
}

#[test]
fn an_impaired_network_changes_what_every_method_does_that_talks() {
    let size = SMALL[1].0;
    // At this size no region needs another's people, so what the hub hears of them changes nothing.
    for id in talking().into_iter().filter(|id| *id != "hierarchical_hub_local") {
        let over = |network| episodes(&Who::Talking { id, network, signed: false }, size, 0..3);
        let differs =
            |perfect: &[Judged], other: &[Judged]| perfect.iter().zip(other).any(|(a, b)| a.decided != b.decided);
        let perfect = over("");
        assert!(perfect == episodes(&Who::Method { id, core: true }, size, 0..3), "{id}");
        assert!(differs(&perfect, &over("drop_rate=0.3")), "{id}: loss");
        assert!(differs(&perfect, &over("partition=0:119:0.5")), "{id}: half of them are cut off");
        // A third of all messages is lost, and there is still work done.
        let signed = Who::Talking { id, network: "drop_rate=0.3", signed: true };
        assert!(episodes(&signed, size, 0..1).iter().all(|episode| episode.figures[0] > Some(0.0)), "{id}: signed");
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
fn honest_people_are_left_alone() {
    watched::honest_people_are_left_alone();
}

#[test]
fn who_goes_astray_is_found_and_contained() {
    watched::who_goes_astray_is_found_and_contained();
}

#[test]
fn the_page_names_every_method() {
    page::check_or_write();
}

#[test]
fn the_cards_are_those_of_the_code() {
    cards::check_or_write();
}

#[test]
fn the_study_is_what_was_bred() {
    study::check_or_breed();
}

/// Everything is prepared and only the analysers count: nobody can wait less than [`hall`] says.
#[test]
fn in_one_hall_the_best_is_near_the_bound_and_the_planning_families_are_not_far() {
    let size = Size { scale: Some("one_hall"), timing: SIMULATED, network: None };
    let mut ratios = BTreeMap::new();
    for id in methods() {
        let judged = episodes(&Who::Method { id, core: true }, size, 0..4);
        let sum = |of: fn((f64, f64)) -> f64| judged.iter().filter_map(|e| e.wait_s).map(of).sum::<f64>();
        let (waited, least) = (sum(|(waited, _)| waited), sum(|(_, least)| least));
        assert!(waited >= least, "{id} waits {waited}, less than {least}: the bound is none");
        let completed: f64 = judged.iter().filter_map(|e| e.figures[0]).sum();
        let specimens: u64 = judged.iter().map(|e| e.specimens).sum();
        ratios.insert(id, (waited / least, completed / specimens as f64));
    }
    let best = ratios.values().map(|(ratio, _)| *ratio).fold(f64::INFINITY, f64::min);
    assert!(best <= 1.10, "{ratios:#?}");
    for (id, (ratio, completed)) in &ratios {
        if ["centralized", "kernel", "market"].iter().any(|family| id.starts_with(family)) {
            assert!(*ratio <= 1.33 && *completed >= 0.97, "{id}: {ratio} {completed} {ratios:#?}");
        }
    }
}
