//! The laboratory as a picture: zones are rooms, in columns by their distance from the entrance.

mod layout;
mod picture;
mod svg;

pub use picture::{Moment, picture};

use labtrust_policy::{PolicyError, PolicyStore};
use serde::Deserialize;

const ZONES_FILE: &str = "zones/zone_layout_policy.v0.1.yaml";
const TOP_KEY: &str = "zone_layout_policy";

/// The part of the zone policy that can be drawn.
#[derive(Clone, Debug, Deserialize)]
pub struct Plan {
    zones: Vec<Zone>,
    #[serde(default)]
    doors: Vec<Door>,
    #[serde(default)]
    graph_edges: Vec<Edge>,
    #[serde(default)]
    device_placement: Vec<Placement>,
}

#[derive(Clone, Debug, Deserialize)]
struct Zone {
    zone_id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    restricted: bool,
    #[serde(default)]
    requires_access_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Door {
    door_id: String,
    #[serde(default)]
    requires_token: Option<String>,
    #[serde(default)]
    requires_role: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Edge {
    from: String,
    to: String,
    #[serde(default)]
    travel_s: Option<u64>,
    #[serde(default)]
    via_door: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Placement {
    device_id: String,
    zone_id: String,
}

/// Reads the plan out of a policy.
///
/// # Errors
/// [`PolicyError`] with the place, also when an edge or a device names a zone that is not there.
pub fn read(policy: &PolicyStore) -> Result<Plan, PolicyError> {
    let plan: Plan = policy.section(ZONES_FILE, Some(TOP_KEY))?;
    let known = |id: &str| plan.zones.iter().any(|zone| zone.zone_id == id);
    let ends = plan.graph_edges.iter().flat_map(|edge| [&edge.from, &edge.to]);
    for zone in ends.chain(plan.device_placement.iter().map(|placement| &placement.zone_id)) {
        if !known(zone) {
            let message = format!("there is no zone {zone}");
            return Err(PolicyError::rule(policy, ZONES_FILE, zone, message, "zones are listed under `zones`"));
        }
    }
    Ok(plan)
}

/// Draws the plan as SVG. The same plan gives the same bytes.
#[must_use]
pub fn draw(plan: &Plan) -> String {
    svg::render(plan, &layout::layout(plan))
}

impl Plan {
    fn zone_index(&self, id: &str) -> Option<usize> {
        self.zones.iter().position(|zone| zone.zone_id == id)
    }

    fn devices_in<'p>(&'p self, zone: &'p Zone) -> impl Iterator<Item = &'p str> {
        let here = move |placement: &&Placement| placement.zone_id == zone.zone_id;
        self.device_placement.iter().filter(here).map(|placement| placement.device_id.as_str())
    }
}

/// `Z_SORTING_LANES` as `Sorting lanes`.
fn title_of(zone: &Zone) -> String {
    match zone.name.as_deref().map(str::trim) {
        // A name that was never filled in is no name.
        Some(name) if !name.is_empty() && name != "TODO" => name.to_owned(),
        _ => words(&zone.zone_id, "Z_"),
    }
}

/// An id without its prefix, in words: `DEV_CHEM_A_01` as `Chem A 01`.
fn words(id: &str, prefix: &str) -> String {
    let text = id.strip_prefix(prefix).unwrap_or(id);
    let mut out = String::with_capacity(text.len());
    for (index, word) in text.split('_').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let word = word.to_lowercase();
        let mut characters = word.chars();
        // Single letters are names ("hall A"), and the first word begins the title.
        match characters.next() {
            Some(first) if index == 0 || word.len() == 1 => {
                out.extend(first.to_uppercase());
                out.push_str(characters.as_str());
            }
            _ => out.push_str(&word),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{draw, read, words};
    use labtrust_policy::PolicyStore;

    #[test]
    fn an_id_becomes_words() {
        assert_eq!(words("DEV_CHEM_A_01", "DEV_"), "Chem A 01");
        assert_eq!(words("Z_SORTING_LANES", "Z_"), "Sorting lanes");
        assert_eq!(words("", "Z_"), "");
    }

    #[test]
    fn no_two_rooms_of_the_built_in_laboratory_overlap() {
        let plan = read(&PolicyStore::builtin()).unwrap();
        let rooms = super::layout::layout(&plan);
        for (index, a) in rooms.iter().enumerate() {
            for b in &rooms[..index] {
                assert!(a.column != b.column || (a.y - b.y).abs() >= (a.height + b.height) / 2, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn text_of_a_policy_cannot_leave_its_place_in_the_picture() {
        let mut plan = read(&PolicyStore::builtin()).unwrap();
        plan.zones[0].name = Some("</text><script>alert(1)</script>".to_owned());
        assert!(!draw(&plan).contains("<script>"));
    }
}
