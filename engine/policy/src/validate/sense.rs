//! What is well-formed and names only what exists, but cannot work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::document::{Document, Node};
use super::names::{DUAL, EMITS, EQUIPMENT, Family, KEYS, Names, RBAC, TOKENS, TOOLS, ZONES};
use super::{Finding, Kind};
use crate::builtin;

/// What the checks look at.
pub(super) struct Look<'a> {
    pub(super) documents: &'a [Arc<Document>],
    pub(super) names: &'a Names,
    pub(super) actions: &'a [&'a str],
}

impl<'a> Look<'a> {
    /// The file of the policy itself, not of an overlay.
    fn file(&self, path: &str) -> Option<&'a Document> {
        self.documents.iter().find(|document| document.path == path).map(Arc::as_ref)
    }
}

/// All checks.
pub(super) fn check(look: &Look, findings: &mut Vec<Finding>) {
    // A misspelt id has a finding of its own; what follows from it is not said a second time.
    let doubtful = |family: Family, file: &str| {
        findings.iter().any(|finding| finding.kind == Kind::Unknown(family) && finding.file == file)
    };
    let (graph, placed) = (!doubtful(Family::Zone, ZONES), !doubtful(Family::Device, ZONES));
    let (actions, roles) = (!doubtful(Family::Action, RBAC), !doubtful(Family::Role, RBAC));
    let approvers = roles && !doubtful(Family::Role, TOKENS) && !doubtful(Family::TokenType, DUAL);
    let emits = !doubtful(Family::Emit, EMITS);
    if graph {
        unreachable_zones(look, findings);
    }
    if placed {
        devices_without_a_zone(look, findings);
    }
    roles_without_actions(look, findings);
    if actions {
        actions_that_nobody_may_do(look, findings);
    }
    if approvers {
        impossible_approvals(look, findings);
    }
    keys_of_nobody(look, findings);
    if emits {
        emits_without_a_category(look, findings);
    }
    tools_without_arguments(look, findings);
}

/// Zones that no way leads to, seen from the first one.
fn unreachable_zones(look: &Look, findings: &mut Vec<Finding>) {
    let Some(layout) = look.file(ZONES) else { return };
    let mut ways: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in layout.find("zone_layout_policy.graph_edges[]") {
        let end = |key: &str| edge.get(key).and_then(Node::text);
        if let (Some(from), Some(to)) = (end("from"), end("to")) {
            ways.entry(from).or_default().push(to);
            ways.entry(to).or_default().push(from);
        }
    }
    let zones = layout.find("zone_layout_policy.zones[].zone_id");
    let mut reached: BTreeSet<&str> = zones.first().and_then(|zone| zone.text()).into_iter().collect();
    let mut next: Vec<&str> = reached.iter().copied().collect();
    while let Some(zone) = next.pop() {
        for other in ways.get(zone).into_iter().flatten() {
            if reached.insert(other) {
                next.push(other);
            }
        }
    }
    for zone in zones {
        if let Some(id) = zone.text().filter(|id| !reached.contains(id)) {
            let message = format!("no way leads to the zone `{id}`");
            let fix = "add an edge to `graph_edges`, or remove the zone".to_owned();
            findings.push(Finding::at(layout, zone.place, Kind::Unreachable, id, message, fix));
        }
    }
}

fn devices_without_a_zone(look: &Look, findings: &mut Vec<Finding>) {
    let (Some(equipment), Some(layout)) = (look.file(EQUIPMENT), look.file(ZONES)) else { return };
    let mut zone_of: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in layout.find("zone_layout_policy.device_placement[]") {
        let text = |key: &str| entry.get(key).and_then(Node::text);
        zone_of.extend(text("device_id").zip(text("zone_id")));
    }
    let declared = |zone: &str| look.names.all(Family::Zone).is_some_and(|zones| zones.contains(zone));
    for device in equipment.find("equipment_registry.device_instances[]") {
        let Some(id) = device.get("device_id") else { continue };
        let Some(name) = id.text() else { continue };
        let own = device.get("zone_id");
        match (zone_of.get(name), own.and_then(Node::text)) {
            (None, _) => {
                let message = format!("the device `{name}` stands in no zone");
                let fix = format!("place it in {ZONES} under `device_placement`");
                findings.push(Finding::at(equipment, id.place, Kind::NoZone, name, message, fix));
            }
            (Some(placed), Some(said)) if *placed != said && declared(placed) && declared(said) => {
                let message = format!("the device `{name}` is said to stand in `{said}`, and is placed in `{placed}`");
                let fix = format!("make it agree with `device_placement` in {ZONES}, which decides");
                let place = own.map_or(id.place, |own| own.place);
                findings.push(Finding::at(equipment, place, Kind::NoZone, name, message, fix));
            }
            _ => {}
        }
    }
}

fn roles_without_actions(look: &Look, findings: &mut Vec<Finding>) {
    let Some(rbac) = look.file(RBAC) else { return };
    let Some(roles) = rbac.root.get("rbac_policy").and_then(|policy| policy.get("roles")) else { return };
    for (name, role) in roles.pairs() {
        let id = name.text().unwrap_or_default();
        if role.get("allowed_actions").is_some_and(|list| list.entries().next().is_none()) {
            let message = format!("the role `{id}` may do nothing");
            let fix = "list its actions under `allowed_actions`, or remove the role".to_owned();
            findings.push(Finding::at(rbac, name.place, Kind::Idle, id, message, fix));
        }
    }
}

fn actions_that_nobody_may_do(look: &Look, findings: &mut Vec<Finding>) {
    let Some(rbac) = look.file(RBAC) else { return };
    let allowed: BTreeSet<&str> =
        rbac.find("rbac_policy.roles.*.allowed_actions[]").into_iter().filter_map(Node::text).collect();
    let place = rbac.place_of("/rbac_policy/roles");
    for action in look.actions.iter().filter(|action| !allowed.contains(*action)) {
        let message = format!("no role may do `{action}`");
        let fix = "list it under the `allowed_actions` of a role".to_owned();
        findings.push(Finding::at(rbac, place, Kind::Nobody, action, message, fix).warning());
    }
}

/// Token types that can never be minted: too few agents have a role that may approve them.
fn impossible_approvals(look: &Look, findings: &mut Vec<Finding>) {
    let (Some(rbac), Some(tokens)) = (look.file(RBAC), look.file(TOKENS)) else { return };
    let holders: Vec<&str> = rbac.find("rbac_policy.agents.*").into_iter().filter_map(Node::text).collect();
    let dual: BTreeSet<&str> = look
        .documents
        .iter()
        .filter(|document| document.kind == DUAL)
        .flat_map(|document| document.find("dual_approval_policy.rules[].applies_to_token_types[]"))
        .filter_map(Node::text)
        .collect();
    let Some(types) = tokens.root.get("token_registry").and_then(|registry| registry.get("token_types")) else {
        return;
    };
    for (name, kind) in types.pairs() {
        let id = name.text().unwrap_or_default();
        let stated = kind.get("approvals_required");
        let own = stated.and_then(Node::number).unwrap_or(1.0);
        let required = if dual.contains(id) { own.max(2.0) } else { own };
        let roles: BTreeSet<&str> =
            kind.get("approver_roles").into_iter().flat_map(Node::entries).filter_map(Node::text).collect();
        // An empty list is any role.
        let able = holders.iter().filter(|role| roles.is_empty() || roles.contains(*role)).count();
        #[expect(clippy::cast_precision_loss, reason = "a count of agents")]
        if (able as f64) < required {
            let place = stated.or_else(|| kind.get("approver_roles")).map_or(name.place, |node| node.place);
            let message =
                format!("`{id}` needs {required} approvals, but {able} agents have a role that may approve it");
            let fix = format!("ask for fewer approvals, add approver roles, or give such a role to an agent in {RBAC}");
            findings.push(Finding::at(tokens, place, Kind::Approvals, id, message, fix));
        }
    }
}

/// Keys in force whose holder or role does not exist. A revoked key may name what is gone.
fn keys_of_nobody(look: &Look, findings: &mut Vec<Finding>) {
    let Some(keys) = look.file(KEYS) else { return };
    for key in keys.find("key_registry.keys[]") {
        if key.get("status").and_then(Node::text) != Some("ACTIVE") {
            continue;
        }
        for (field, family) in [("role_id", Family::Role), ("agent_id", Family::Agent)] {
            let (Some(node), Some(known)) = (key.get(field), look.names.all(family)) else { continue };
            let Some(id) = node.text().filter(|id| !known.contains(*id)) else { continue };
            let message = format!("the {} `{id}` of a key in force does not exist", family.name());
            let near = crate::nearest::nearest(known.iter().map(String::as_str), id);
            let fix = near.map_or_else(
                || format!("declare it in {RBAC}, or revoke the key"),
                |near| format!("did you mean `{near}`?"),
            );
            findings.push(Finding::at(keys, node.place, Kind::Unknown(family), id, message, fix));
        }
    }
}

/// Words of the vocabulary that stand in no category.
fn emits_without_a_category(look: &Look, findings: &mut Vec<Finding>) {
    let Some(emits) = look.file(EMITS) else { return };
    let grouped: BTreeSet<&str> = emits.find("emits_vocab.categories.*[]").into_iter().filter_map(Node::text).collect();
    for word in emits.find("emits_vocab.canonical_set[]") {
        if let Some(id) = word.text().filter(|id| !grouped.contains(id)) {
            let message = format!("the emit `{id}` has no category");
            let fix = "add it to one list under `categories`, or remove it".to_owned();
            findings.push(Finding::at(emits, word.place, Kind::NoCategory, id, message, fix));
        }
    }
}

fn tools_without_arguments(look: &Look, findings: &mut Vec<Finding>) {
    let Some(tools) = look.file(TOOLS) else { return };
    for node in tools.find("tool_registry.tools[].arg_schema_ref") {
        // A directory may use the argument schemas that the program brings along.
        let known = |path: &str| builtin::text(path.strip_prefix("policy/").unwrap_or(path)).is_some();
        if let Some(path) = node.text().filter(|path| !known(path) && look.file(path).is_none()) {
            let message = format!("there is no argument schema `{path}`");
            let fix = "name a file of the policy directory, relative to it".to_owned();
            findings.push(Finding::at(tools, node.place, Kind::NoFile, path, message, fix));
        }
    }
}
