//! The network that a method's messages go through, from its parameter `network`.

use super::Floor;
use labtrust_comms::NetworkSettings;
use labtrust_plugin::wire::{Problem, ProblemKind};
use serde_json::Value;

/// The settings of `NAME=VALUE,NAME=VALUE,...`; without any, everything arrives at once. A step is as long as the site's.
///
/// # Errors
/// [`ProblemKind::Settings`] for an unknown name or a value that makes no sense.
pub fn network(text: &str, floor: &Floor) -> Result<NetworkSettings, Problem> {
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
        network(text, &Floor::new(&site(1, Size { zones: 2, devices: 1, agents: 2 })))
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
