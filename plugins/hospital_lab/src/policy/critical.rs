//! Which values are critical, and who must be told in which order.

use super::{Contradiction, LADDER, THRESHOLDS};
use labtrust_kernel::{Symbol, Symbols};
use serde::{Deserialize, Serialize};

/// The threshold file.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ThresholdsFile {
    #[serde(default)]
    defaults_rcpath2017: Vec<ThresholdEntry>,
    #[serde(default)]
    thresholds: Vec<ThresholdEntry>,
}

impl ThresholdsFile {
    pub(crate) fn from_list(list: Vec<ThresholdEntry>) -> Self {
        Self { defaults_rcpath2017: list, thresholds: Vec::new() }
    }

    fn entries(&self) -> &[ThresholdEntry] {
        if self.defaults_rcpath2017.is_empty() { &self.thresholds } else { &self.defaults_rcpath2017 }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ThresholdEntry {
    analyte_code: String,
    #[serde(default)]
    units: String,
    low: Option<f64>,
    high: Option<f64>,
    #[serde(default = "crit_a")]
    class: String,
}

fn crit_a() -> String {
    "CRIT_A".to_owned()
}

/// The ladder file.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct LadderFile {
    #[serde(default)]
    tiers: Vec<TierEntry>,
}

#[derive(Debug, Clone, Deserialize)]
struct TierEntry {
    tier_index: u32,
    role: String,
    #[serde(default)]
    allowed_contact_modes: Vec<String>,
    #[serde(default)]
    max_ack_wait_s: i64,
    #[serde(default)]
    required_fields: Vec<String>,
    #[serde(default = "yes")]
    requires_readback: bool,
}

const fn yes() -> bool {
    true
}

/// How critical a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Criticality {
    /// Nobody looked.
    #[default]
    Unclassified,
    /// Looked at, within the limits.
    Normal,
    /// Immediate communication.
    CritA,
    /// Urgent communication.
    CritB,
}

impl Criticality {
    pub(crate) fn is_critical(self) -> bool {
        matches!(self, Self::CritA | Self::CritB)
    }

    /// Text of the query; one spelling for "not critical" whether or not a value was classified.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unclassified | Self::Normal => "none",
            Self::CritA => "CRIT_A",
            Self::CritB => "CRIT_B",
        }
    }
}

/// One limit.
#[derive(Debug, Clone, Copy)]
struct Threshold {
    analyte: Symbol,
    units: Symbol,
    low: Option<f64>,
    high: Option<f64>,
    class: Criticality,
}

/// One rung of the escalation ladder.
#[derive(Debug, Clone)]
pub(crate) struct LadderTier {
    pub index: u32,
    pub role: Symbol,
    /// Contact modes, lower case; empty allows every mode.
    pub modes: Vec<String>,
    pub max_ack_wait_s: i64,
    pub required_fields: Vec<String>,
    pub requires_readback: bool,
}

/// Thresholds and ladder, compiled.
#[derive(Debug, Clone)]
pub(crate) struct CriticalPolicy {
    thresholds: Vec<Threshold>,
    /// Sorted by index.
    pub tiers: Vec<LadderTier>,
}

impl CriticalPolicy {
    /// Classifies a value; limits are strict, the first entry for analyte and units that is broken counts.
    pub(crate) fn classify(&self, analyte: Symbol, units: Option<Symbol>, value: f64) -> Criticality {
        let broken = self.thresholds.iter().find(|t| {
            t.analyte == analyte
                && Some(t.units) == units
                && (t.low.is_some_and(|low| value < low) || t.high.is_some_and(|high| value > high))
        });
        broken.map_or(Criticality::Normal, |threshold| threshold.class)
    }

    pub(crate) fn compile(
        thresholds: &ThresholdsFile,
        ladder: &LadderFile,
        symbols: &mut Symbols,
    ) -> Result<Self, Contradiction> {
        let mut compiled: Vec<Threshold> = Vec::new();
        for entry in thresholds.entries() {
            let class = match entry.class.to_ascii_uppercase().as_str() {
                "CRIT_A" => Criticality::CritA,
                "CRIT_B" => Criticality::CritB,
                "NONE" => Criticality::Normal,
                _ => {
                    let message = format!("{} is no class of critical results", entry.class);
                    return Err(Contradiction::new(THRESHOLDS, &entry.class, message, "use CRIT_A, CRIT_B or NONE"));
                }
            };
            if entry.low.zip(entry.high).is_some_and(|(low, high)| low > high) {
                let message = format!("the lower limit of {} is above its upper limit", entry.analyte_code);
                return Err(Contradiction::new(THRESHOLDS, &entry.analyte_code, message, "swap `low` and `high`"));
            }
            let analyte = symbols.intern(&entry.analyte_code);
            let units = symbols.intern(&entry.units);
            compiled.push(Threshold { analyte, units, low: entry.low, high: entry.high, class });
        }
        let mut tiers: Vec<LadderTier> = Vec::new();
        for tier in &ladder.tiers {
            if tiers.iter().any(|other| other.index == tier.tier_index) {
                let message = format!("the ladder has two tiers {}", tier.tier_index);
                return Err(Contradiction::new(LADDER, &tier.role, message, "number the tiers 0, 1, 2, ..."));
            }
            tiers.push(LadderTier {
                index: tier.tier_index,
                role: symbols.intern(&tier.role),
                modes: tier.allowed_contact_modes.iter().map(|mode| mode.trim().to_lowercase()).collect(),
                max_ack_wait_s: tier.max_ack_wait_s,
                required_fields: tier.required_fields.clone(),
                requires_readback: tier.requires_readback,
            });
        }
        tiers.sort_by_key(|tier| tier.index);
        Ok(Self { thresholds: compiled, tiers })
    }
}
