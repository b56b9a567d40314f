//! How messages travel: `policy/coordination/network_policy.v0.1.yaml`, or parameters of a method.

use super::latency::Latency;
use labtrust_policy::{PolicyError, PolicyStore, nearest};
use serde::Deserialize;
use serde_json::Value;

const FILE: &str = "coordination/network_policy.v0.1.yaml";
const MOST_STEP_MS: u32 = 86_400_000;
const MOST_DELAY_MS: f64 = 1.0e9;
const MOST_REORDER_WINDOW: u32 = 1024;
const MOST_RETRIES: u32 = 8;
/// The names that [`NetworkSettings::set`] knows.
const PARAMETERS: &[&str] = &[
    "perfect",
    "step_ms",
    "p50_ms",
    "p95_ms",
    "drop_rate",
    "duplicate_rate",
    "reorder_window",
    "retries",
    "bytes_per_step",
    "messages_per_step",
    "partition",
    "drop_spike",
];

/// How messages travel. The default is perfect: everything arrives, at once and in order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSettings {
    /// Version of the policy file; of no meaning elsewhere.
    pub version: String,
    /// Everything arrives, at once and in order; the rest but the length of a step does not count.
    pub perfect: bool,
    /// Length of a step [ms], at least 1.
    pub step_ms: u32,
    /// Travel time of a link.
    pub delay: Delay,
    /// Chance of a message to be lost, 0 to 1.
    pub drop_rate: f64,
    /// Chance of a message to arrive twice, 0 to 1.
    pub duplicate_rate: f64,
    /// By how many places a message may move among those of its link [count]; 0 keeps their order.
    pub reorder_window: u32,
    /// How often a message that was lost is sent again [count], at most 8.
    pub retries: u32,
    /// What a link takes in a step [B]; `None` is anything.
    pub bytes_per_step: Option<u64>,
    /// What a link takes in a step [count]; `None` is anything.
    pub messages_per_step: Option<u64>,
    /// When parts of the agents are cut off.
    pub partition_schedule: Vec<Partition>,
    /// A time of higher loss.
    pub drop_spike: Option<DropSpike>,
}

/// Percentiles of a log-normal travel time. Both 0: none.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delay {
    /// Median [ms].
    pub p50_ms: f64,
    /// 95th percentile [ms].
    pub p95_ms: f64,
}

impl Default for Delay {
    fn default() -> Self {
        Self { p50_ms: 10.0, p95_ms: 50.0 }
    }
}

/// Steps in which some agents are cut off from all others and from the world. Among themselves they talk.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// First step.
    pub start_t: u64,
    /// Last step, included.
    pub end_t: u64,
    /// Numbers of agents.
    #[serde(default)]
    pub affected_agents: Vec<u32>,
    /// A share of all agents, 0 to 1, drawn at the beginning of an episode.
    #[serde(default)]
    pub affected_agent_fraction: Option<f64>,
}

/// Steps in which another chance of loss holds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropSpike {
    /// First step.
    pub start_t: u64,
    /// Last step, included.
    pub end_t: u64,
    /// The chance, 0 to 1.
    pub drop_rate: f64,
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("network setting `{field}`: {problem}; {hint}")]
pub struct SettingsError {
    /// Which one.
    pub field: &'static str,
    /// What is wrong with its value.
    pub problem: String,
    /// What to write instead.
    pub hint: String,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self {
            version: String::new(),
            perfect: true,
            step_ms: 10_000,
            delay: Delay::default(),
            drop_rate: 0.0,
            duplicate_rate: 0.0,
            reorder_window: 0,
            retries: 0,
            bytes_per_step: None,
            messages_per_step: None,
            partition_schedule: Vec::new(),
            drop_spike: None,
        }
    }
}

impl NetworkSettings {
    /// A network without any impairment that is not perfect by declaration: for putting single impairments on.
    #[must_use]
    pub fn ideal() -> Self {
        Self { perfect: false, delay: Delay { p50_ms: 0.0, p95_ms: 0.0 }, ..Self::default() }
    }

    /// The settings of a policy.
    ///
    /// # Errors
    /// [`PolicyError`] with file and place for a file that is malformed or makes no sense.
    pub fn load(policy: &PolicyStore) -> Result<Self, PolicyError> {
        let settings: Self = policy.section_or_builtin(FILE, None)?;
        settings.validate().map_err(|wrong| {
            let SettingsError { field, problem, hint } = wrong;
            PolicyError::rule(policy, FILE, field, format!("`{field}`: {problem}"), hint)
        })?;
        Ok(settings)
    }

    /// Sets one value by name, as on a command line: `drop_rate` and `0.3`. Names are those of the fields, `p50_ms`, `p95_ms`,
    /// `partition` (`first:last:fraction`, or `first:last:@1+4` for agents 1 and 4; adds one) and `drop_spike` (`first:last:rate`). Any impairment makes the network
    /// imperfect; `perfect` itself can be set after it. Validate when all are set.
    ///
    /// # Errors
    /// [`SettingsError`] for an unknown name or a value that cannot be read; nothing changes.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), SettingsError> {
        let Some(field) = PARAMETERS.iter().copied().find(|known| *known == name) else {
            let near = nearest(PARAMETERS.iter().copied(), name).map(|near| format!("did you mean `{near}`?"));
            return Err(SettingsError {
                field: "name",
                problem: format!("`{name}` is not one of them"),
                hint: near.unwrap_or_else(|| format!("there are {}", PARAMETERS.join(", "))),
            });
        };
        // A value from a command line is text; one from a file has a type.
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let read = Reading { field, text: &text };
        match field {
            "perfect" => {
                self.perfect = read.as_a("true or false")?;
                return Ok(());
            }
            "step_ms" => {
                self.step_ms = read.as_a("a whole number of milliseconds")?;
                return Ok(());
            }
            "p50_ms" => self.delay.p50_ms = read.as_a("a number of milliseconds")?,
            "p95_ms" => self.delay.p95_ms = read.as_a("a number of milliseconds")?,
            "drop_rate" => self.drop_rate = read.as_a("a chance from 0 to 1")?,
            "duplicate_rate" => self.duplicate_rate = read.as_a("a chance from 0 to 1")?,
            "reorder_window" => self.reorder_window = read.as_a("a whole number")?,
            "retries" => self.retries = read.as_a("a whole number")?,
            "bytes_per_step" => self.bytes_per_step = Some(read.as_a("a whole number of bytes")?),
            "messages_per_step" => self.messages_per_step = Some(read.as_a("a whole number")?),
            "partition" => {
                self.partition_schedule.push(read.partition()?);
            }
            _ => {
                let (start_t, end_t, drop_rate) = read.interval()?;
                self.drop_spike = Some(DropSpike { start_t, end_t, drop_rate });
            }
        }
        self.perfect = false;
        Ok(())
    }

    /// The settings as text that [`NetworkSettings::set`] reads, `NAME=VALUE,NAME=VALUE`: what differs from the default. The length
    /// of a step is not in it, since that is the environment's.
    #[must_use]
    pub fn to_text(&self) -> String {
        let default = Self { perfect: false, ..Self::default() };
        let mut text = Vec::new();
        if self.perfect {
            return "perfect=true".to_owned();
        }
        let mut say = |name: &str, value: String, differs: bool| {
            if differs {
                text.push(format!("{name}={value}"));
            }
        };
        // Said first, also where it is the default: without any impairment a network would be a perfect one.
        say("p50_ms", self.delay.p50_ms.to_string(), true);
        say("p95_ms", self.delay.p95_ms.to_string(), true);
        say("drop_rate", self.drop_rate.to_string(), self.drop_rate != default.drop_rate);
        say("duplicate_rate", self.duplicate_rate.to_string(), self.duplicate_rate != default.duplicate_rate);
        say("reorder_window", self.reorder_window.to_string(), self.reorder_window != default.reorder_window);
        say("retries", self.retries.to_string(), self.retries != default.retries);
        for (name, room) in [("bytes_per_step", self.bytes_per_step), ("messages_per_step", self.messages_per_step)] {
            say(name, room.unwrap_or(0).to_string(), room.is_some());
        }
        for partition in &self.partition_schedule {
            let who = match partition.affected_agent_fraction {
                Some(fraction) => fraction.to_string(),
                None => {
                    let agents: Vec<String> = partition.affected_agents.iter().map(ToString::to_string).collect();
                    format!("@{}", agents.join("+"))
                }
            };
            say("partition", format!("{}:{}:{who}", partition.start_t, partition.end_t), true);
        }
        if let Some(spike) = self.drop_spike {
            say("drop_spike", format!("{}:{}:{}", spike.start_t, spike.end_t, spike.drop_rate), true);
        }
        text.join(",")
    }

    /// Whether the values make sense.
    ///
    /// # Errors
    /// [`SettingsError`] for the first that does not.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let wrong = |field, problem: String, hint: &str| Err(SettingsError { field, problem, hint: hint.to_owned() });
        if !(1..=MOST_STEP_MS).contains(&self.step_ms) {
            let problem = format!("a step of {} ms", self.step_ms);
            return wrong("step_ms", problem, "a step has 1 to 86400000 ms");
        }
        let Delay { p50_ms, p95_ms } = self.delay;
        let some = p50_ms != 0.0 || p95_ms != 0.0;
        if some && !(f64::MIN_POSITIVE..=MOST_DELAY_MS).contains(&p50_ms) {
            return wrong("p50_ms", format!("a median of {p50_ms} ms"), "it lies above 0, or both are 0 for no delay");
        }
        if some && (p95_ms <= p50_ms || !(0.0..=MOST_DELAY_MS).contains(&p95_ms)) {
            let problem = format!("a 95th percentile of {p95_ms} ms beside a median of {p50_ms} ms");
            return wrong("p95_ms", problem, "it lies above the median, or both are 0 for no delay");
        }
        for (field, chance) in [("drop_rate", self.drop_rate), ("duplicate_rate", self.duplicate_rate)] {
            check_chance(field, chance)?;
        }
        if self.reorder_window > MOST_REORDER_WINDOW {
            let problem = format!("a window of {}", self.reorder_window);
            return wrong("reorder_window", problem, "it has at most 1024 places");
        }
        if self.retries > MOST_RETRIES {
            let problem = format!("a lost message is sent again {} times", self.retries);
            return wrong("retries", problem, "it is sent again at most 8 times");
        }
        for (field, room) in [("bytes_per_step", self.bytes_per_step), ("messages_per_step", self.messages_per_step)] {
            if room == Some(0) {
                return wrong(field, "nothing could ever be sent".to_owned(), "leave it out for no limit");
            }
        }
        for partition in &self.partition_schedule {
            check_interval("partition_schedule", partition.start_t, partition.end_t)?;
            match (partition.affected_agents.is_empty(), partition.affected_agent_fraction) {
                (true, Some(fraction)) => check_chance("affected_agent_fraction", fraction)?,
                (false, None) => {}
                _ => {
                    let problem = "it is not said who is cut off, or it is said twice".to_owned();
                    let hint = "give `affected_agents` or `affected_agent_fraction`";
                    return wrong("partition_schedule", problem, hint);
                }
            }
        }
        if let Some(spike) = self.drop_spike {
            check_interval("drop_spike", spike.start_t, spike.end_t)?;
            check_chance("drop_spike", spike.drop_rate)?;
        }
        Ok(())
    }

    /// The length of a step [µs].
    #[must_use]
    pub const fn step_us(&self) -> u64 {
        self.step_ms as u64 * 1000
    }

    /// After how long a message that nobody acknowledges is sent again [µs]: the 95th percentile of the travel time, or where there is
    /// none a tenth of a step.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and at most 10^12")]
    pub fn timeout_us(&self) -> u64 {
        let p95_us = (self.delay.p95_ms * 1000.0).min(MOST_DELAY_MS * 1000.0) as u64;
        if p95_us > 0 { p95_us } else { (self.step_us() / 10).max(1) }
    }

    pub(super) fn latency(&self) -> Latency {
        Latency::from_percentiles(self.delay.p50_ms, self.delay.p95_ms)
    }

    pub(super) fn drop_chance(&self, step: u64) -> f64 {
        let spike = self.drop_spike.filter(|spike| (spike.start_t..=spike.end_t).contains(&step));
        spike.map_or(self.drop_rate, |spike| spike.drop_rate)
    }
}

fn check_chance(field: &'static str, chance: f64) -> Result<(), SettingsError> {
    if (0.0..=1.0).contains(&chance) {
        return Ok(());
    }
    Err(SettingsError { field, problem: format!("{chance} is no chance"), hint: "it lies from 0 to 1".to_owned() })
}

fn check_interval(field: &'static str, first: u64, last: u64) -> Result<(), SettingsError> {
    if first <= last {
        return Ok(());
    }
    let problem = format!("step {first} to {last} is no interval");
    Err(SettingsError { field, problem, hint: "the first step comes before the last".to_owned() })
}

struct Reading<'a> {
    field: &'static str,
    text: &'a str,
}

impl Reading<'_> {
    fn as_a<T: std::str::FromStr>(&self, what: &str) -> Result<T, SettingsError> {
        self.text.trim().parse().map_err(|_| self.wrong(what))
    }

    fn partition(&self) -> Result<Partition, SettingsError> {
        let what = "`first step:last step:share`, for instance 25:40:0.5, or agents, 25:40:@1+4";
        let Some((interval, agents)) = self.text.split_once('@') else {
            let (start_t, end_t, fraction) = self.interval()?;
            let affected_agent_fraction = Some(fraction);
            return Ok(Partition { start_t, end_t, affected_agents: Vec::new(), affected_agent_fraction });
        };
        let whole = |text: &str| text.trim().parse().map_err(|_| self.wrong(what));
        let steps = interval.trim_end().strip_suffix(':').and_then(|steps| steps.split_once(':'));
        let (first, last) = steps.ok_or_else(|| self.wrong(what))?;
        let agents = agents.split('+').map(|agent| agent.trim().parse().map_err(|_| self.wrong(what)));
        Ok(Partition {
            start_t: whole(first)?,
            end_t: whole(last)?,
            affected_agents: agents.collect::<Result<_, _>>()?,
            affected_agent_fraction: None,
        })
    }

    fn interval(&self) -> Result<(u64, u64, f64), SettingsError> {
        let what = "`first step:last step:share`, for instance 25:40:0.5";
        let mut parts = self.text.split(':');
        let (Some(first), Some(last), Some(share), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(self.wrong(what));
        };
        let whole = |text: &str| text.trim().parse().map_err(|_| self.wrong(what));
        Ok((whole(first)?, whole(last)?, share.trim().parse().map_err(|_| self.wrong(what))?))
    }

    fn wrong(&self, what: &str) -> SettingsError {
        let problem = format!("`{}` cannot be read", self.text);
        SettingsError { field: self.field, problem, hint: format!("write {what}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shipped_file_says_the_defaults() {
        let shipped = NetworkSettings::load(&PolicyStore::builtin()).unwrap();
        assert_eq!(shipped, NetworkSettings { version: "0.1".into(), ..NetworkSettings::default() });
    }

    #[test]
    fn a_file_that_makes_no_sense_is_an_error_with_its_place() {
        let bodies = [
            ("drop_rate: 1.5", 2),
            ("delay: {p50_ms: 10, p95_ms: 5}", 2),
            ("step_ms: 0", 2),
            ("reorder_windows: 3", 2),
            ("perfect: false\ndrop_spike: {start_t: 9, end_t: 3, drop_rate: 0.1}", 3),
            ("partition_schedule:\n  - {start_t: 1, end_t: 2}", 2),
            ("bytes_per_step: none", 2),
        ];
        for (body, line) in bodies {
            let text = format!("version: \"0.1\"\n{body}\n");
            let error = NetworkSettings::load(&PolicyStore::builtin().with_text(FILE, &text)).unwrap_err();
            assert_eq!((error.file(), error.line()), (Some(FILE), Some(line)), "{body}: {error}");
        }
    }

    #[test]
    fn an_impairment_set_by_name_makes_the_network_imperfect() {
        let mut settings = NetworkSettings::default();
        for (name, value) in [("step_ms", json!("500")), ("perfect", json!(true))] {
            settings.set(name, &value).unwrap();
        }
        assert!(settings.perfect && settings.step_ms == 500);
        for (name, value) in [
            ("drop_rate", json!("0.3")),
            ("p50_ms", json!(20)),
            ("p95_ms", json!(80.5)),
            ("partition", json!("5:9:0.5")),
            ("drop_spike", json!("1:2:1")),
            ("reorder_window", json!(3)),
            ("messages_per_step", json!("10")),
        ] {
            settings.set(name, &value).unwrap();
        }
        settings.validate().unwrap();
        assert!(!settings.perfect);
        assert_eq!(settings.partition_schedule[0].affected_agent_fraction, Some(0.5));
        assert_eq!(settings.drop_spike, Some(DropSpike { start_t: 1, end_t: 2, drop_rate: 1.0 }));
        assert_eq!((settings.delay.p95_ms, settings.messages_per_step), (80.5, Some(10)));
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        let mut all = NetworkSettings { perfect: false, drop_rate: 0.125, duplicate_rate: 0.01, ..Default::default() };
        all.reorder_window = 3;
        all.bytes_per_step = Some(5000);
        all.delay = Delay { p50_ms: 20.5, p95_ms: 80.0 };
        all.drop_spike = Some(DropSpike { start_t: 3, end_t: 9, drop_rate: 0.75 });
        let of = |affected_agents: Vec<u32>, affected_agent_fraction| Partition {
            start_t: 5,
            end_t: 8,
            affected_agents,
            affected_agent_fraction,
        };
        all.partition_schedule = vec![of(vec![1, 4], None), of(Vec::new(), Some(0.25))];
        for settings in [
            all,
            NetworkSettings { perfect: false, ..Default::default() },
            NetworkSettings::default(),
            NetworkSettings::ideal(),
        ] {
            let mut read = NetworkSettings::default();
            for pair in settings.to_text().split(',') {
                let (name, value) = pair.split_once('=').unwrap();
                read.set(name, &json!(value)).unwrap();
            }
            assert_eq!(read, settings, "{}", settings.to_text());
            read.validate().unwrap();
        }
        for wrong in ["5:8:@", "5:@1", "5:8@1", "x:8:@1", "5:8:@1+"] {
            assert!(NetworkSettings::default().set("partition", &json!(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_name_or_an_unreadable_value_changes_nothing() {
        let mut settings = NetworkSettings::default();
        let error = settings.set("drop_rat", &json!(0.1)).unwrap_err();
        assert!(error.to_string().contains("did you mean `drop_rate`?"), "{error}");
        for (name, value) in [("drop_rate", "much"), ("partition", "1:2"), ("partition", "1:2:3:4"), ("step_ms", "-1")]
        {
            assert!(settings.set(name, &json!(value)).is_err(), "{name}");
        }
        assert_eq!(settings, NetworkSettings::default());
    }
}
