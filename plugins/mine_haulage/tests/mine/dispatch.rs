//! What each policy chooses, by hand.

use crate::common::{exact, line, policy, seconds, service};
use labtrust_mine_haulage::Model;
use labtrust_plugin::mine::{DispatchPolicy, DispatchRequest, Dispatcher, LoaderId, LoaderOption, MineSite, TruckId};
use labtrust_plugin::wire::{Problem, Settings};
use std::sync::Mutex;

const SECOND: u64 = 1_000_000_000;

/// A loader of one server, 100 s to load, 50 s to dump, with nothing committed.
fn option(loader: u16, travel: u64, haul: u64) -> LoaderOption {
    LoaderOption {
        loader: LoaderId(loader),
        capacity: 1,
        travel_ns: travel * SECOND,
        load_ns: 100 * SECOND,
        haul_ns: haul * SECOND,
        dump_ns: 50 * SECOND,
        loading: 0,
        waiting: 0,
        on_the_way: 0,
        committed_ns: 0,
    }
}

fn busy(trucks: u32, committed: u64, option: LoaderOption) -> LoaderOption {
    LoaderOption { on_the_way: trucks, committed_ns: committed * SECOND, ..option }
}

/// The loader that the policy `id` chooses for the truck.
fn chosen(id: &str, truck: u16, loaders: &[LoaderOption]) -> u16 {
    let seen = DispatchRequest { now_ns: 0, truck: TruckId(truck), loaders: loaders.to_vec() };
    let mut dispatcher = policy(id).dispatcher(&Settings::default(), &MineSite::default()).unwrap();
    dispatcher.choose(&seen).unwrap().0
}

#[test]
fn nearest_available_adds_drive_and_committed_work() {
    let id = "nearest_available_loader";
    assert_eq!(chosen(id, 0, &[option(0, 200, 0), option(1, 190, 0)]), 1);
    // 190 + 20 is later than 200, although the work would be done before the truck arrived.
    assert_eq!(chosen(id, 0, &[option(0, 200, 0), busy(1, 20, option(1, 190, 0))]), 0);
    // Two servers share the work.
    let two = LoaderOption { capacity: 2, ..busy(1, 18, option(1, 190, 0)) };
    assert_eq!(chosen(id, 0, &[option(0, 200, 0), two]), 1);
    // A slower loader is later to have the truck loaded.
    let slow = LoaderOption { load_ns: 120 * SECOND, ..option(1, 190, 0) };
    assert_eq!(chosen(id, 0, &[option(0, 200, 0), slow]), 0);
}

#[test]
fn ties_go_to_the_shorter_cycle_then_to_the_lower_id() {
    for id in ["nearest_available_loader", "shortest_queue", "least_expected_cycle"] {
        assert_eq!(chosen(id, 0, &[option(0, 200, 70), option(1, 200, 70)]), 0, "{id}");
    }
    for id in ["nearest_available_loader", "shortest_queue"] {
        assert_eq!(chosen(id, 0, &[option(0, 200, 70), option(1, 200, 60)]), 1, "{id}");
    }
}

#[test]
fn shortest_queue_counts_trucks_for_each_server() {
    let id = "shortest_queue";
    assert_eq!(chosen(id, 0, &[busy(2, 1, option(0, 10, 0)), busy(1, 900, option(1, 500, 0))]), 1);
    let two = LoaderOption { capacity: 2, ..busy(3, 1, option(1, 500, 0)) };
    assert_eq!(chosen(id, 0, &[busy(2, 1, option(0, 10, 0)), two]), 1);
    // Loading and waiting trucks count like those on their way.
    let queue = LoaderOption { loading: 1, waiting: 2, ..option(0, 10, 0) };
    assert_eq!(chosen(id, 0, &[queue, busy(2, 1, option(1, 500, 0))]), 1);
}

#[test]
fn least_expected_cycle_overlaps_drive_and_backlog_and_counts_the_haul() {
    let id = "least_expected_cycle";
    // The backlog of 150 is worked off during the drive of 190.
    assert_eq!(chosen(id, 0, &[option(0, 200, 0), busy(2, 150, option(1, 190, 0))]), 1);
    assert_eq!(chosen(id, 0, &[option(0, 200, 0), busy(2, 210, option(1, 190, 0))]), 0);
    assert_eq!(chosen(id, 0, &[option(0, 200, 300), option(1, 250, 200)]), 1);
}

#[test]
fn fixed_assignment_deals_trucks_in_turn() {
    let loaders = [option(2, 1, 1), option(5, 900, 900)];
    let dealt: Vec<_> = (0..4).map(|truck| chosen("fixed_assignment", truck, &loaders)).collect();
    assert_eq!(dealt, [2, 5, 2, 5]);
}

#[test]
fn policies_and_domain_are_registered() {
    let registry = labtrust_builtin::registry().unwrap();
    let of = |kind: &str| {
        let of_kind = registry.entries().iter().filter(|entry| entry.plugin.kind() == kind);
        of_kind.map(|entry| (entry.plugin.id(), entry.owner)).collect::<Vec<_>>()
    };
    let ids: Vec<_> = of("mine-dispatch").into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["fixed_assignment", "least_expected_cycle", "nearest_available_loader", "shortest_queue"]);
    assert!(of("domain").contains(&("mine_haulage", "labtrust-mine-haulage")));
    let unknown = registry.mine_dispatch("neerest").err().unwrap().to_string();
    assert_eq!(
        unknown,
        "unknown mine-dispatch: neerest. Known: [fixed_assignment, least_expected_cycle, nearest_available_loader, \
         shortest_queue]"
    );
    // A domain of another kind is not offered where a laboratory is asked for.
    let lab = registry.lab_domain("mine_haulage").err().unwrap().to_string();
    assert_eq!(lab, "unknown domain: mine_haulage. Known: [hospital_lab]");
}

/// Keeps what it was shown, and sends trucks to the first loader.
struct Recorder(Mutex<Vec<(u64, u16, LoaderOption)>>);

impl DispatchPolicy for Recorder {
    fn id(&self) -> &str {
        "recorder"
    }

    fn summary(&self) -> &str {
        "keeps what it was shown"
    }

    fn params_schema(&self) -> String {
        "{}".to_owned()
    }

    fn dispatcher(&self, _: &Settings, _: &MineSite) -> Result<Box<dyn Dispatcher + '_>, Problem> {
        Ok(Box::new(self))
    }
}

impl Dispatcher for &Recorder {
    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        self.0.lock().unwrap().push((seen.now_ns / SECOND, seen.truck.0, seen.loaders[0]));
        Ok(seen.loaders[0].loader)
    }
}

#[test]
fn a_policy_sees_expected_times_and_what_is_committed() {
    static SHOWN: Recorder = Recorder(Mutex::new(Vec::new()));
    let mut site = line(3, 999);
    site.loaders[0].service = service(2.5, 0.0);
    let _ = Model::new(&exact(site, seconds(700)), &SHOWN).unwrap().replicate(1, None).unwrap();
    let shown = SHOWN.0.lock().unwrap();
    let of = |option: &LoaderOption| {
        [option.travel_ns, option.load_ns, option.haul_ns, option.dump_ns].map(|time| time / SECOND)
    };
    assert_eq!(of(&shown[0].2), [60, 150, 180, 60]);
    assert_eq!(of(&shown[3].2), [90, 150, 180, 60]);
    let committed: Vec<_> = shown
        .iter()
        .map(|(at, truck, option)| {
            let trucks = (option.loading, option.waiting, option.on_the_way);
            (*at, *truck, trucks, option.committed_ns / SECOND)
        })
        .collect();
    assert_eq!(
        committed,
        [
            // All are sent at once; each sees those before it on their way.
            (0, 0, (0, 0, 0), 0),
            (0, 1, (0, 0, 1), 150),
            (0, 2, (0, 0, 2), 300),
            // Truck 2 is being loaded since 360, so 60 s of its 150 are left.
            (450, 0, (1, 0, 0), 60),
            // Truck 0 came back at 540.
            (600, 1, (1, 0, 0), 90),
        ]
    );
}

#[test]
fn work_in_hand_that_takes_longer_than_expected_counts_for_nothing_and_queues_in_full() {
    static SHOWN: Recorder = Recorder(Mutex::new(Vec::new()));
    let mut site = line(6, 999);
    site.loaders[0].service = service(1.0, 3.0);
    let _ = Model::new(&exact(site, seconds(36_000)), &SHOWN).unwrap().replicate(1, None).unwrap();
    let shown = SHOWN.0.lock().unwrap();
    let queued = |option: &LoaderOption| u64::from(option.waiting + option.on_the_way) * option.load_ns;
    assert!(shown.iter().all(|(.., option)| option.committed_ns >= queued(option)));
    let late = |option: &LoaderOption| option.loading == 1 && option.committed_ns == queued(option);
    assert!(shown.iter().any(|(.., option)| late(option) && option.waiting > 0));
}
