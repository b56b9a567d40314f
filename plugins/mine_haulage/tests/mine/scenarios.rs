//! The benchmark's scenarios give plausible figures.

use crate::common::{mean_tonnes, scenario};

#[test]
fn every_scenario_delivers_what_independent_models_deliver() {
    // Ranges of the means of nine independent models over 30 replications [t].
    let ranges = [
        ("baseline", 12_050.0, 13_150.0),
        ("trucks_4", 7_500.0, 8_330.0),
        ("trucks_12", 12_620.0, 13_790.0),
        ("ramp_upgrade", 12_000.0, 13_180.0),
        ("crusher_slowdown", 6_390.0, 7_240.0),
        ("ramp_closed", 11_950.0, 13_110.0),
    ];
    for (id, low, high) in ranges {
        let tonnes = mean_tonnes(&scenario(id));
        assert!((low..=high).contains(&tonnes), "{id}: {tonnes} t is not from {low} to {high}");
    }
}
