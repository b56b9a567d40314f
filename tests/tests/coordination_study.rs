//! Coordination studies: the same bytes however and wherever their cells are made, and nothing that is missing goes unnamed.

#[path = "coordination_study/bench.rs"]
mod bench;
#[path = "coordination_study/cells.rs"]
mod cells;
#[path = "coordination_study/clusters.rs"]
mod clusters;
#[path = "coordination_study/specs.rs"]
mod specs;
