//! Dominance is an order, whatever the points.

use labtrust_bench::stats::Bounds;
use labtrust_comparison::front::{Estimate, OBJECTIVES, Point, Points, dominates, dominates_robustly};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A point with few different figures, so that ties are common; some without an interval.
fn point() -> impl Strategy<Value = Point> {
    let one = (0_u8..4, 0_u8..2, prop::bool::weighted(0.9)).prop_map(|(value, width, has_interval)| {
        let (value, width) = (f64::from(value), f64::from(width) / 2.0);
        let bounds = has_interval.then_some(Bounds { lower: value - width, upper: value + width });
        Estimate { value, bounds }
    });
    prop::collection::vec(one, OBJECTIVES.len()).prop_map(|values| Point {
        scale_id: "s".to_owned(),
        method_id: "m".to_owned(),
        values,
    })
}

proptest! {
    #[test]
    fn dominance_is_a_strict_partial_order(a in point(), b in point(), c in point()) {
        for beats in [dominates, dominates_robustly] {
            prop_assert!(!beats(&a, &a, &OBJECTIVES));
            prop_assert!(!(beats(&a, &b, &OBJECTIVES) && beats(&b, &a, &OBJECTIVES)));
            prop_assert!(!beats(&a, &b, &OBJECTIVES) || !beats(&b, &c, &OBJECTIVES) || beats(&a, &c, &OBJECTIVES));
        }
        // What holds for whole intervals holds for the figures within them.
        prop_assert!(!dominates_robustly(&a, &b, &OBJECTIVES) || dominates(&a, &b, &OBJECTIVES));
    }

    #[test]
    fn a_front_is_never_empty_and_nothing_on_it_is_beaten(all in prop::collection::vec(point(), 1..9)) {
        let points = Points {
            objectives: OBJECTIVES.to_vec(),
            by_scale: BTreeMap::from([("s".to_owned(), all.clone())]),
            excluded: Vec::new(),
        };
        let front = points.fronts(dominates).remove("s").unwrap();
        prop_assert!(!front.is_empty());
        prop_assert!(front.iter().all(|one| !all.iter().any(|other| dominates(other, one, &OBJECTIVES))));
        let robust = points.fronts(dominates_robustly).remove("s").unwrap();
        prop_assert!(front.iter().all(|one| robust.contains(one)), "whole intervals beat fewer points");
    }
}
