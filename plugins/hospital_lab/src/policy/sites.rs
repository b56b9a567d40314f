//! Sites and the routes between them.

use super::{Contradiction, Layout, SITES};
use labtrust_kernel::{Symbol, Symbols};
use serde::Deserialize;

/// The file.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct SitesFile {
    #[serde(default)]
    sites: Vec<SiteEntry>,
    #[serde(default)]
    site_graph: Vec<GraphEntry>,
    #[serde(default)]
    routes: Vec<RouteEntry>,
}

#[derive(Debug, Clone, Deserialize)]
struct SiteEntry {
    site_id: String,
    #[serde(default)]
    zone_ids: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct GraphEntry {
    from_site: String,
    to_site: String,
    #[serde(default = "yes")]
    enabled: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct RouteEntry {
    from_site: String,
    to_site: String,
    #[serde(default = "ten_minutes")]
    transport_time_mean_s: i64,
    #[serde(default)]
    transport_time_std_s: i64,
    #[serde(default = "two_degrees")]
    temp_drift_max_c: f64,
}

const fn yes() -> bool {
    true
}

const fn ten_minutes() -> i64 {
    600
}

const fn two_degrees() -> f64 {
    2.0
}

/// An enabled route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub from: Symbol,
    pub to: Symbol,
    /// Mean travel time [s].
    pub mean_s: i64,
    /// Spread of the travel time [s].
    pub spread_s: i64,
    /// Most temperature drift that is still in band [°C].
    pub drift_max_c: f64,
}

/// Routes, and the site where the devices are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sites {
    pub routes: Vec<Route>,
    /// Site that holds the first device zone: the laboratory itself.
    pub hub: Option<Symbol>,
}

impl Sites {
    /// The route from one site to another, if it is enabled.
    pub(crate) fn route(&self, from: Symbol, to: Symbol) -> Option<Route> {
        self.routes.iter().copied().find(|route| route.from == from && route.to == to)
    }

    pub(crate) fn compile(file: &SitesFile, layout: &Layout, symbols: &mut Symbols) -> Result<Self, Contradiction> {
        let known = |id: &str| file.sites.iter().any(|site| site.site_id == id);
        let ends = file.site_graph.iter().map(|edge| (&edge.from_site, &edge.to_site));
        for site in ends.chain(file.routes.iter().map(|r| (&r.from_site, &r.to_site))).flat_map(|(a, b)| [a, b]) {
            if !known(site) {
                let message = format!("a route names the site {site}, which does not exist");
                return Err(Contradiction::new(SITES, site, message, "sites are declared under `sites:`"));
            }
        }
        let mut routes = Vec::new();
        for route in &file.routes {
            let enabled =
                |edge: &&GraphEntry| edge.from_site == route.from_site && edge.to_site == route.to_site && edge.enabled;
            if route.transport_time_mean_s < 0 || route.transport_time_std_s < 0 {
                let message = format!("the way from {} to {} takes negative time", route.from_site, route.to_site);
                return Err(Contradiction::new(SITES, &route.from_site, message, "times are seconds, at least 0"));
            }
            if file.site_graph.iter().any(|edge| enabled(&edge)) {
                routes.push(Route {
                    from: symbols.intern(&route.from_site),
                    to: symbols.intern(&route.to_site),
                    mean_s: route.transport_time_mean_s,
                    spread_s: route.transport_time_std_s,
                    drift_max_c: route.temp_drift_max_c,
                });
            }
        }
        let first_device_zone =
            layout.placement.first().map(|&(_, zone)| symbols.text(layout.zones[zone].id).to_owned());
        let hub = first_device_zone.and_then(|zone| {
            file.sites.iter().find(|site| site.zone_ids.contains(&zone)).map(|site| symbols.intern(&site.site_id))
        });
        Ok(Self { routes, hub })
    }
}
