//! The method [`EarliestDue`] as a file of its own: each export is there where it is for, so that one crate makes both.

use labtrust_example_earliest_due::EarliestDue;

labtrust_plugin::export_native!(EarliestDue);
labtrust_plugin::export_wasm!(EarliestDue);
