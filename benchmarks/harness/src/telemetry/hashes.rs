//! Short digests of the parts of a decision, so that two runs can be compared part by part.
//!
//! A digest is the first 16 hexadecimal digits of the SHA-256 of canonical JSON. A part that a method does not state is
//! the empty list.

use super::works::{self, Work};
use super::{Told, write_args};
use labtrust_plugin::wire::Site;
use labtrust_trust::canonical;
use sha2::{Digest, Sha256};

/// Sixteen hexadecimal digits.
pub(super) type Short = [u8; 16];

/// The digest of these bytes.
pub(super) fn h16(bytes: &[u8]) -> Short {
    short(&Sha256::digest(bytes))
}

fn short(digest: &[u8]) -> Short {
    let mut out = [0; 16];
    for (pair, byte) in out.chunks_exact_mut(2).zip(digest) {
        pair.copy_from_slice(&[
            b"0123456789abcdef"[usize::from(byte >> 4)],
            b"0123456789abcdef"[usize::from(byte & 15)],
        ]);
    }
    out
}

/// The digests of one decision.
pub(super) struct Hashes {
    /// Of what the method has seen.
    pub(super) state: Short,
    /// Of who was given which work: `[[agent, work, device, priority], ...]`.
    pub(super) allocation: Short,
    /// Of what each has before them: `[[agent, [[work, deadline step, priority], ...]], ...]`.
    pub(super) schedule: Short,
    /// Of what is done: `[[agent, action, [[name, value], ...]], ...]`.
    pub(super) route: Short,
}

impl Hashes {
    /// Those of a step. `scratch` is memory to work in.
    pub(super) fn of(told: &Told<'_>, state: &mut State, scratch: &mut Vec<u8>) -> Self {
        let works = works::of(told);
        Self {
            state: state.digest(told, scratch),
            allocation: allocation(told.site, &works, scratch),
            schedule: schedule(told.site, &works, scratch),
            route: route(told, scratch),
        }
    }
}

fn agent(out: &mut Vec<u8>, site: &Site, place: u16) {
    out.push(b'[');
    canonical::write_str(out, &site.agents[usize::from(place)].id);
    out.push(b',');
}

fn comma(out: &mut Vec<u8>, number: usize) {
    if number > 0 {
        out.push(b',');
    }
}

fn allocation(site: &Site, works: &[Work], out: &mut Vec<u8>) -> Short {
    out.clear();
    out.push(b'[');
    for (number, work) in works.iter().enumerate() {
        comma(out, number);
        agent(out, site, work.agent);
        canonical::write_str(out, &work.name);
        out.push(b',');
        match work.device.and_then(|place| site.devices.get(usize::from(place))) {
            Some(device) => canonical::write_str(out, &device.id),
            None => canonical::write_null(out),
        }
        out.push(b',');
        canonical::write_u64(out, work.priority);
        out.push(b']');
    }
    out.push(b']');
    h16(out)
}

fn schedule(site: &Site, works: &[Work], out: &mut Vec<u8>) -> Short {
    let dt_s = i64::from(site.dt_s).max(1);
    out.clear();
    out.push(b'[');
    for (number, of_agent) in works.chunk_by(|one, next| one.agent == next.agent).enumerate() {
        comma(out, number);
        agent(out, site, of_agent[0].agent);
        out.push(b'[');
        for (number, work) in of_agent.iter().enumerate() {
            comma(out, number);
            out.push(b'[');
            canonical::write_str(out, &work.name);
            out.push(b',');
            match work.due_s {
                // The step by whose time it is due: step i is at (i + 1) * dt.
                Some(due_s) => canonical::write_i64(out, due_s.div_euclid(dt_s) - 1),
                None => canonical::write_null(out),
            }
            out.push(b',');
            canonical::write_u64(out, work.priority);
            out.push(b']');
        }
        out.extend_from_slice(b"]]");
    }
    out.push(b']');
    h16(out)
}

fn route(told: &Told<'_>, out: &mut Vec<u8>) -> Short {
    let mut args = Vec::new();
    out.clear();
    out.push(b'[');
    for (number, &(place, decision)) in told.actions.iter().enumerate() {
        comma(out, number);
        agent(out, told.site, place);
        canonical::write_str(out, decision.kind.name());
        args.clear();
        write_args(&mut args, decision, told.symbols);
        out.extend_from_slice(b",[");
        let pairs: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&args).unwrap_or_default();
        for (number, (name, value)) in pairs.iter().enumerate() {
            comma(out, number);
            out.push(b'[');
            canonical::write_str(out, name);
            out.push(b',');
            canonical::write_value(out, value).unwrap_or_else(|_| unreachable!("arguments were written as JSON"));
            out.push(b']');
        }
        out.extend_from_slice(b"]]");
    }
    out.push(b']');
    h16(out)
}

/// What stands at the top of what is hashed of a state.
#[derive(Clone, Copy, Debug)]
enum Member {
    /// The list of agents.
    Agents,
    /// The step.
    Step,
    /// What one agent sees.
    Agent(u16),
}

/// Digests of what a method sees. What does not change in an episode is written down once.
#[derive(Debug, Default)]
pub(super) struct State {
    /// In the order of their names.
    members: Vec<Member>,
    /// Ids of agents and zones as JSON, by place.
    agents: Vec<Vec<u8>>,
    zones: Vec<Vec<u8>>,
    /// The list of those who are directed, as JSON.
    directed: Vec<u8>,
}

impl State {
    pub(super) fn new(site: &Site) -> Self {
        let json = |text: &str| {
            let mut out = Vec::new();
            canonical::write_str(&mut out, text);
            out
        };
        let agents: Vec<_> = site.agents.iter().map(|agent| json(&agent.id)).collect();
        let zones = site.zones.iter().map(|zone| json(zone)).collect();
        let mut directed = vec![b'['];
        for (number, place) in site.directed().enumerate() {
            comma(&mut directed, number);
            directed.extend_from_slice(&agents[usize::from(place)]);
        }
        directed.push(b']');
        let mut named: Vec<(&str, Member)> = vec![("agents", Member::Agents), ("t", Member::Step)];
        named.extend(site.directed().map(|place| (site.agents[usize::from(place)].id.as_str(), Member::Agent(place))));
        named.sort_by_key(|(name, _)| *name);
        let members = named.into_iter().map(|(_, member)| member).collect();
        Self { members, agents, zones, directed }
    }

    /// `{"agents": ids, "t": step, <agent>: {my_zone_idx, queue_by_device, queue_has_head, zone_id}}`. All see the same
    /// queues, so they are written once and hashed for each.
    fn digest(&self, told: &Told<'_>, scratch: &mut Vec<u8>) -> Short {
        scratch.clear();
        queues(told, scratch);
        let mut hash = Sha256::new();
        let mut number = Vec::new();
        for (at, member) in self.members.iter().enumerate() {
            hash.update(if at == 0 { b"{" } else { b"," });
            match *member {
                Member::Agents => {
                    hash.update(b"\"agents\":");
                    hash.update(&self.directed);
                }
                Member::Step => {
                    hash.update(b"\"t\":");
                    hash.update(decimal(&mut number, told.step.into()));
                }
                Member::Agent(place) => {
                    let zone = told.seen.agents.zone[usize::from(place)];
                    hash.update(&self.agents[usize::from(place)]);
                    hash.update(b":{\"my_zone_idx\":");
                    hash.update(decimal(&mut number, zone.map_or(0, |zone| u64::from(zone) + 1)));
                    hash.update(&*scratch);
                    if let Some(zone) = zone.and_then(|zone| self.zones.get(usize::from(zone))) {
                        hash.update(b",\"zone_id\":");
                        hash.update(zone);
                    }
                    hash.update(b"}");
                }
            }
        }
        hash.update(b"}");
        short(&hash.finalize())
    }
}

/// `,"queue_by_device":[...],"queue_has_head":[...]`.
fn queues(told: &Told<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"queue_by_device\":[");
    for (number, (device, view)) in told.site.devices.iter().zip(&told.view.devices).enumerate() {
        comma(out, number);
        out.extend_from_slice(b"{\"device_id\":");
        canonical::write_str(out, &device.id);
        out.extend_from_slice(b",\"queue_head\":");
        match view.queue_head {
            Some(head) => canonical::write_symbol(out, told.symbols, head),
            None => canonical::write_str(out, ""),
        }
        out.extend_from_slice(b",\"queue_len\":");
        canonical::write_u64(out, u64::from(view.queue_len));
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"queue_has_head\":[");
    for (number, view) in told.view.devices.iter().enumerate() {
        comma(out, number);
        canonical::write_u64(out, u64::from(view.queue_head.is_some()));
    }
    out.push(b']');
}

fn decimal(buffer: &mut Vec<u8>, number: u64) -> &[u8] {
    buffer.clear();
    canonical::write_u64(buffer, number);
    buffer
}

#[cfg(test)]
mod tests {
    use super::h16;

    #[test]
    fn a_digest_is_the_beginning_of_the_published_hash() {
        // SHA-256 of "[]" begins with 4f53cda18c2baa0c.
        assert_eq!(&h16(b"[]"), b"4f53cda18c2baa0c");
    }
}
