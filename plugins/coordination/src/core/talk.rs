//! What methods that talk have in common: the network of their parameter `network`, who is who on it, and what messages
//! call a job. Those who are directed are the agents of the network, in their order.

use super::{Floor, Job, Step};
use labtrust_comms::network::{Network, Wire};
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::{AgentId, NetworkSettings};
use labtrust_plugin::wire::{Problem, ProblemKind};
use serde_json::Value;

/// The network of those who are directed, and who they are.
///
/// # Errors
/// [`ProblemKind::Settings`] for what [`settings`] refuses, or what cannot be a network of so many.
pub fn network<M: Clone + Wire>(text: &str, floor: &Floor) -> Result<(Network<M>, Vec<AgentId>), Problem> {
    let wrong = |message: String| Problem::of_kind(ProblemKind::Settings, message);
    let people = u32::try_from(floor.directed.len()).map_err(|_| wrong("there are too many people".to_owned()))?;
    let network =
        Network::new(&settings(text, floor)?, people, floor.seed).map_err(|error| wrong(error.to_string()))?;
    Ok((network, (0..people).map(AgentId).collect()))
}

/// Place of an agent among those who are directed: its number on the network.
#[must_use]
pub fn place(floor: &Floor, agent: u16) -> Option<usize> {
    floor.directed.binary_search(&agent).ok()
}

/// What messages call a job: its act and the number of what it is about, the same in every step.
#[must_use]
pub fn key(job: &Job) -> Key {
    u32::from(job.act.index()) << 24 | job.subject & 0x00FF_FFFF
}

/// The open jobs of a step by what messages call them.
#[derive(Clone, Debug)]
pub struct Open(Vec<(Key, usize)>);

impl Open {
    /// Those of a step.
    #[must_use]
    pub fn of(step: &Step<'_>) -> Self {
        let mut open: Vec<(Key, usize)> = step.jobs.iter().enumerate().map(|(job, at)| (key(at), job)).collect();
        open.sort_unstable();
        Self(open)
    }

    /// The number of a job; `None` of one that is not open any more.
    #[must_use]
    pub fn job(&self, key: Key) -> Option<usize> {
        let place = self.0.partition_point(|&(open, _)| open < key);
        self.0.get(place).filter(|&&(open, _)| open == key).map(|&(_, job)| job)
    }
}

/// The settings of `NAME=VALUE,NAME=VALUE,...`; without any, everything arrives at once. A step is as long as the site's.
///
/// # Errors
/// [`ProblemKind::Settings`] for an unknown name or a value that makes no sense.
pub fn settings(text: &str, floor: &Floor) -> Result<NetworkSettings, Problem> {
    let wrong = |message: String| Problem::of_kind(ProblemKind::Settings, message);
    let mut settings = NetworkSettings::default();
    if let Ok(step_ms) = u32::try_from(floor.dt_s.saturating_mul(1000)) {
        settings.step_ms = step_ms.max(1);
    }
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| wrong(format!("network: {pair:?} is not NAME=VALUE, for example drop_rate=0.3")))?;
        settings.set(name.trim(), &Value::from(value.trim())).map_err(|error| wrong(error.to_string()))?;
    }
    settings.validate().map_err(|error| wrong(error.to_string()))?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_plugin::testing::{Size, site};

    fn read(text: &str) -> Result<NetworkSettings, String> {
        settings(text, &Floor::new(&site(1, Size { zones: 2, devices: 1, agents: 2 })))
            .map_err(|problem| problem.message)
    }

    #[test]
    fn nothing_said_is_a_perfect_network() {
        assert!(read("").unwrap().perfect);
    }

    #[test]
    fn what_is_said_impairs_it() {
        let settings = read("drop_rate=0.3, p50_ms=40,p95_ms=90").unwrap();
        assert!(!settings.perfect);
        assert_eq!((settings.drop_rate, settings.delay.p50_ms), (0.3, 40.0));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert!(read("drop_rate").unwrap_err().contains("NAME=VALUE"));
        assert!(read("drop_rate=2").unwrap_err().contains("drop_rate"));
        assert!(read("drop=0.5").unwrap_err().contains("drop"));
    }
}
