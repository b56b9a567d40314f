//! One replication: entities, the kernel's loop, and the closing of the books.

mod components;
mod floor;

use crate::account::{Account, TruckAccount};
use crate::event_log::EventLog;
use crate::model::Model;
use crate::outcome::{DispatchError, Outcome};
use bevy_ecs::query::With;
use components::{DumpPoint, Journey, Ledger, Loader, Road, Server};
use floor::{Happening, Haulage, SHIFT_BEGINS};
use labtrust_kernel::{SimTime, Simulation};
use labtrust_plugin::method::Tally;
use labtrust_plugin::wire::Settings;

/// Simulates one shift.
pub(crate) fn replicate(model: &Model, seed: u64, log: Option<&mut EventLog>) -> Result<Outcome, DispatchError> {
    let scenario = model.scenario();
    let error = |(at, problem)| {
        let (policy, scenario) = (model.policy().id().to_owned(), scenario.id.clone());
        DispatchError { policy, scenario, seed, at, problem }
    };
    let dispatcher = model.policy().dispatcher(&Settings::default(), &model.mine_site(seed));
    let dispatcher = dispatcher.map_err(|problem| error((None, problem)))?;
    let mut sim = Simulation::new(seed);
    let mut haulage = Haulage::new(model, dispatcher, &mut sim, log);
    sim.calendar
        .schedule(SimTime::ZERO, SHIFT_BEGINS, Happening::ShiftBegins)
        .expect("the beginning is not in the past");
    let begin = SimTime::ZERO.saturating_add(scenario.warmup);
    let end = SimTime::ZERO.saturating_add(scenario.end());
    if begin > SimTime::ZERO {
        sim.run_until(&mut haulage, begin);
        haulage.begin_accounts(&mut sim.world, begin);
    }
    sim.run_until(&mut haulage, end);
    let dispatch = haulage.close(&mut sim.world, end).map_err(|(at, problem)| error((Some(at), problem)))?;
    Ok(collect(model, seed, dispatch, &mut sim))
}

fn collect(model: &Model, seed: u64, dispatch: Tally, sim: &mut Simulation<Happening>) -> Outcome {
    let plan = model.plan();
    let events = sim.events();
    let world = &mut sim.world;
    let mut trucks = vec![TruckAccount::default(); plan.trucks.len()];
    for (journey, ledger) in world.query::<(&Journey, &Ledger)>().iter(world) {
        trucks[usize::from(journey.truck.0)] = ledger.account;
    }
    let mut loaders = vec![Account::default(); plan.loaders.len()];
    for (loader, server) in world.query::<(&Loader, &Server)>().iter(world) {
        loaders[usize::from(loader.loader.0)] = server.closed_account();
    }
    let mut roads = vec![Account::default(); plan.roads.len()];
    for (road, server) in world.query::<(&Road, &Server)>().iter(world) {
        roads[usize::from(road.road.0)] = server.closed_account();
    }
    let dump = world.query_filtered::<&Server, With<DumpPoint>>().single(world).expect("one dump point takes the ore");
    Outcome {
        seed,
        events,
        shift: model.scenario().shift,
        tonnes: trucks.iter().map(|truck| truck.tonnes).sum(),
        dumps: trucks.iter().map(|truck| truck.dumps).sum(),
        loaders,
        dump: dump.closed_account(),
        roads,
        trucks,
        dispatch,
    }
}
