//! The stores of one episode, made in one order.

use super::chain::Chain;
use super::critical::Critical;
use super::devices::Devices;
use super::enforcement::Enforcement;
use super::gates::{Capabilities, Rbac, is_on};
use super::invariants::{self, Invariant};
use super::keys::Keys;
use super::policy::Policy;
use super::quality::Quality;
use super::queues::Queues;
use super::reagents::Reagents;
use super::specimens::Specimens;
use super::tokens::Tokens;
use super::tools::Tools;
use super::transport::Transport;
use super::value::{at, given};
use super::zones::Zones;
use labtrust_plugin::lab::LabError;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Everything that an episode remembers.
#[derive(Debug)]
pub(super) struct Episode {
    pub chain: Chain,
    pub log_frozen: bool,
    /// Time of the newest event [s], blocked ones included.
    pub now: i64,
    pub tokens: Tokens,
    pub zones: Zones,
    pub specimens: Specimens,
    pub quality: Quality,
    pub critical: Critical,
    pub queues: Queues,
    /// Only in simulated timing.
    pub devices: Option<Devices>,
    pub stability: Map<String, Value>,
    /// `None`: there is no registry, and findings of handlers are reported as they are.
    pub invariants: Option<Arc<[Invariant]>>,
    pub reagents: Reagents,
    pub transport: Transport,
    /// Only where it is switched on.
    pub enforcement: Option<Enforcement>,
    pub keys: Keys,
    pub strict: bool,
    pub rbac: Rbac,
    pub capabilities: Capabilities,
    pub tools: Tools,
    /// The first finalised step says that the scale was limited.
    pub scale_config_pending: bool,
}

impl Episode {
    /// # Errors
    /// [`LabError::InitialState`] when an initial token lacks a field.
    pub(super) fn start(policy: &Policy, initial: &Map<String, Value>) -> Result<Self, LabError> {
        let files = policy.for_episode(initial);
        let downtime = at(initial, "system").get("downtime_active").is_some_and(super::value::truthy);
        let zones = Zones::new(files.zone_layout(), at(initial, "agents"));
        let queues = Queues::new(zones.devices(), at(initial, "initial_queue_entries"));
        let timing = given(at(initial, "timing_mode")).unwrap_or_default();
        let simulated = timing.trim().to_lowercase() == "simulated";
        let devices = simulated.then(|| Devices::new(files.equipment(), files.failure_models(), zones.devices()));
        let enforced = is_on(initial, "enforcement_enabled");
        Ok(Self {
            chain: Chain::new(initial),
            log_frozen: false,
            now: 0,
            tokens: Tokens::new(at(initial, "tokens"), files.token_types())?,
            specimens: Specimens::new(at(initial, "specimens")),
            quality: Quality::default(),
            critical: Critical::new(files.critical_thresholds(), files.ladder(), downtime),
            stability: files.stability(),
            invariants: files.invariants().map(|entries| invariants::compile(entries).into()),
            reagents: Reagents::new(files.reagents(), at(initial, "reagent_initial_stock")),
            transport: Transport::new(files.sites(), initial),
            enforcement: enforced.then(|| Enforcement::new(files.enforcement_rules())),
            keys: Keys::new(&files.keys(), initial),
            strict: is_on(initial, "strict_signatures"),
            rbac: Rbac::new(&files.rbac()),
            capabilities: Capabilities::new(&files.capabilities()),
            tools: Tools::new(policy, initial),
            scale_config_pending: !at(initial, "_scale_config_sanitized").is_null(),
            zones,
            queues,
            devices,
        })
    }
}
