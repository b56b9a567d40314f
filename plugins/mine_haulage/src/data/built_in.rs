//! The mine that is compiled in: the files of `scenarios/mine`, to which this crate has a link, so that they are in its
//! package.

/// The site's file and its content.
pub(crate) const SITE: (&str, &str) = ("scenarios/mine/site.ron (built in)", include_str!("../../scenarios/site.ron"));

/// The scenarios' files and their contents.
pub(crate) const SCENARIOS: [(&str, &str); 6] = [
    ("scenarios/mine/baseline.ron (built in)", include_str!("../../scenarios/baseline.ron")),
    ("scenarios/mine/crusher_slowdown.ron (built in)", include_str!("../../scenarios/crusher_slowdown.ron")),
    ("scenarios/mine/ramp_closed.ron (built in)", include_str!("../../scenarios/ramp_closed.ron")),
    ("scenarios/mine/ramp_upgrade.ron (built in)", include_str!("../../scenarios/ramp_upgrade.ron")),
    ("scenarios/mine/trucks_4.ron (built in)", include_str!("../../scenarios/trucks_4.ron")),
    ("scenarios/mine/trucks_12.ron (built in)", include_str!("../../scenarios/trucks_12.ron")),
];
