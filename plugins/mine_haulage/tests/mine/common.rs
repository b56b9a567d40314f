//! What several tests need.

use labtrust_mine_haulage::{MineData, Model, Scenario};

/// A built-in scenario.
pub(crate) fn scenario(id: &str) -> Scenario {
    MineData::built_in().scenario(id, &[]).unwrap()
}

/// The model of `scenario` with the policy that it names.
pub(crate) fn model(scenario: &Scenario) -> Model {
    let registry = labtrust_builtin::registry().unwrap();
    Model::new(scenario, registry.mine_dispatch(&scenario.dispatch).unwrap()).unwrap()
}

/// Mean tonnes of 30 replications from the scenario's seed.
pub(crate) fn mean_tonnes(scenario: &Scenario) -> f64 {
    let model = model(scenario);
    let tonnes = (0..30).map(|i| {
        let outcome = model.replicate(scenario.base_seed + i, None);
        outcome.check_books().unwrap();
        outcome.tonnes
    });
    tonnes.sum::<f64>() / 30.0
}
