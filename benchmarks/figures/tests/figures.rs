//! Figures and reports of runs, through their public interface: what they look like, what is in the files, and what is
//! refused.

#[path = "figures/charts.rs"]
mod charts;
#[path = "figures/episode.rs"]
mod episode;
#[path = "figures/files.rs"]
mod files;
#[path = "figures/page.rs"]
mod page;
#[path = "figures/support.rs"]
mod support;
#[path = "figures/tables.rs"]
mod tables;
