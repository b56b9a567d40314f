//! Reading the state an episode starts from.
//!
//! Shapes are checked here, in one pass, so that the engine meets only good values; what is wrong is named by its key.

use crate::components::Status;
use labtrust_kernel::{ClockMode, Symbol, Symbols};
use labtrust_plugin::lab::{Control, Controls, LabError, Priority, UnknownControl};
use serde_json::{Map, Value};
use smallvec::SmallVec;

/// A specimen of the initial state or of an injection.
#[derive(Debug, Clone)]
pub(crate) struct SpecimenEntry {
    pub id: Symbol,
    pub panel: Option<Symbol>,
    pub priority: Priority,
    pub status: Status,
    pub collection_s: i64,
    pub arrival_s: i64,
    pub separated_s: Option<i64>,
    pub cold: bool,
    pub readings: SmallVec<[(i64, bool); 2]>,
    pub citrate: bool,
    pub fill_ok: Option<bool>,
    pub leaking: bool,
    pub site: Option<Symbol>,
}

/// Work that is queued from the beginning.
#[derive(Debug, Clone)]
pub(crate) struct QueuedEntry {
    pub device: Symbol,
    pub work: Symbol,
    pub priority: Priority,
    pub enqueued_s: i64,
}

/// A control that the laboratory has planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ControlEntry {
    pub device: Symbol,
    pub after_runs: u32,
    pub fails: bool,
}

/// A time in which a device is broken; in simulated timing only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutageEntry {
    pub device: Symbol,
    pub start_s: i64,
    pub end_s: i64,
}

/// The initial state, read.
#[derive(Debug, Clone)]
pub(crate) struct InitialState {
    pub timing: ClockMode,
    /// Whether the order of work is enforced (`workflow: enforced`); the golden format defaults to `open`.
    pub enforced: bool,
    pub downtime_active: bool,
    pub strict_signatures: bool,
    pub enforcement_enabled: bool,
    /// Agents and the zones they start in; `None` when the state names no agents at all.
    pub agents: Option<Vec<(Symbol, Symbol)>>,
    pub specimens: Vec<SpecimenEntry>,
    pub queued: Vec<QueuedEntry>,
    pub controls: Vec<ControlEntry>,
    pub outages: Vec<OutageEntry>,
    pub tokens: Vec<Map<String, Value>>,
    pub reagent_stock: Vec<(Symbol, f64)>,
    pub transport_required: Vec<(Vec<Symbol>, Symbol, Symbol)>,
    pub partner_id: Option<String>,
    pub policy_fingerprint: Option<String>,
    pub break_chain_on_event: Option<String>,
    pub force_excursion: bool,
    /// Controls that the episode does without.
    pub ablated: Controls,
    pub scale_config: bool,
}

/// Reads typed values out of one map, naming the key in errors.
struct Keys<'a> {
    map: &'a Map<String, Value>,
    at: String,
}

impl<'a> Keys<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, expected: &str) -> LabError {
        LabError::InitialState(format!("{}{key} should be {expected}", self.at))
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, LabError> {
        self.get(key).map(|v| v.as_str().ok_or_else(|| self.wrong(key, "a text"))).transpose()
    }

    fn bool(&self, key: &str) -> Result<Option<bool>, LabError> {
        self.get(key).map(|v| v.as_bool().ok_or_else(|| self.wrong(key, "true or false"))).transpose()
    }

    fn int(&self, key: &str) -> Result<Option<i64>, LabError> {
        self.get(key).map(|v| v.as_i64().ok_or_else(|| self.wrong(key, "a whole number"))).transpose()
    }

    fn map(&self, key: &str) -> Result<Option<&'a Map<String, Value>>, LabError> {
        self.get(key).map(|v| v.as_object().ok_or_else(|| self.wrong(key, "a map"))).transpose()
    }

    fn maps(&self, key: &str) -> Result<Vec<Keys<'a>>, LabError> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| self.wrong(key, "a list of maps"))?;
        let each = list.iter().enumerate().map(|(i, item)| {
            let map = item.as_object().ok_or_else(|| self.wrong(key, "a list of maps"))?;
            Ok(Keys { map, at: format!("{}{key}[{i}].", self.at) })
        });
        each.collect()
    }

    fn required(&self, key: &str) -> Result<&'a str, LabError> {
        self.text(key)?.filter(|text| !text.is_empty()).ok_or_else(|| self.wrong(key, "a text that is not empty"))
    }
}

impl InitialState {
    pub(crate) fn read(state: &Map<String, Value>, symbols: &mut Symbols) -> Result<Self, LabError> {
        let top = Keys { map: state, at: String::new() };
        let enforced = match top.text("workflow")? {
            None | Some("open") => false,
            Some("enforced") => true,
            Some(_) => return Err(top.wrong("workflow", "`enforced` or `open`")),
        };
        let timing = match top.text("timing_mode")?.map(|text| text.trim().to_lowercase()) {
            Some(text) if text == "simulated" => ClockMode::Simulated,
            Some(text) if text.is_empty() || text == "explicit" => ClockMode::Explicit,
            None => ClockMode::Explicit,
            Some(_) => return Err(top.wrong("timing_mode", "`explicit` or `simulated`")),
        };
        let system = top.map("system")?;
        let downtime_active =
            system.map(|map| Keys { map, at: "system.".into() }.bool("downtime_active")).transpose()?.flatten();
        let mut agents = Vec::new();
        for agent in top.maps("agents")? {
            if let (Some(id), Some(zone)) = (agent.text("agent_id")?, agent.text("zone_id")?) {
                agents.push((symbols.intern(id), symbols.intern(zone)));
            }
        }
        let mut specimens: Vec<SpecimenEntry> = Vec::new();
        for entry in top.maps("specimens")? {
            if let Some(specimen) = SpecimenEntry::read(entry.map, &entry.at, symbols)? {
                // A repeated id replaces the earlier record.
                specimens.retain(|other| other.id != specimen.id);
                specimens.push(specimen);
            }
        }
        let mut queued = Vec::new();
        for entry in top.maps("initial_queue_entries")? {
            if let (Some(device), Some(work)) = (entry.text("device_id")?, entry.text("work_id")?) {
                queued.push(QueuedEntry {
                    device: symbols.intern(device),
                    work: symbols.intern(work),
                    priority: Priority::parse_lenient(entry.text("priority_class")?.unwrap_or_default()),
                    enqueued_s: entry.int("enqueued_ts_s")?.unwrap_or(0),
                });
            }
        }
        let (mut controls, mut outages) = (Vec::new(), Vec::new());
        for entry in top.maps("planned_controls")? {
            let after_runs = entry.int("after_runs")?.and_then(|runs| u32::try_from(runs).ok());
            let fails = match entry.text("outcome")? {
                None | Some("pass") => false,
                Some("fail") => true,
                Some(_) => return Err(entry.wrong("outcome", "`pass` or `fail`")),
            };
            controls.push(ControlEntry {
                device: symbols.intern(entry.required("device_id")?),
                after_runs: after_runs.ok_or_else(|| entry.wrong("after_runs", "a whole number from 0 on"))?,
                fails,
            });
        }
        for entry in top.maps("device_outages")? {
            let times = entry.int("start_ts_s")?.zip(entry.int("end_ts_s")?).filter(|(start, end)| start < end);
            let (start_s, end_s) = times.ok_or_else(|| entry.wrong("end_ts_s", "a time after `start_ts_s`"))?;
            outages.push(OutageEntry { device: symbols.intern(entry.required("device_id")?), start_s, end_s });
        }
        let mut reagent_stock = Vec::new();
        for (reagent, amount) in top.map("reagent_initial_stock")?.into_iter().flatten() {
            if let Some(amount) = amount.as_f64() {
                reagent_stock.push((symbols.intern(reagent), amount));
            }
        }
        let mut transport_required = Vec::new();
        for entry in top.maps("transport_required")? {
            let ids = entry.get("specimen_ids").and_then(Value::as_array);
            let ids = ids.ok_or_else(|| entry.wrong("specimen_ids", "a list of texts"))?;
            let ids = ids.iter().filter_map(Value::as_str).map(|id| symbols.intern(id)).collect();
            let (origin, dest) = (entry.required("origin_site")?, entry.required("dest_site")?);
            transport_required.push((ids, symbols.intern(origin), symbols.intern(dest)));
        }
        let mut ablated = Vec::new();
        if let Some(value) = top.get("ablate") {
            let list = value.as_array().ok_or_else(|| top.wrong("ablate", "a list of controls"))?;
            for id in list {
                let id = id.as_str().ok_or_else(|| top.wrong("ablate", "a list of controls"))?;
                let control: Result<Control, UnknownControl> = id.parse();
                ablated.push(control.map_err(|unknown| LabError::InitialState(format!("ablate: {unknown}")))?);
            }
        }
        let ablated: Controls = ablated.into_iter().collect();
        let chain_fault = top.map("audit_fault_injection")?;
        let transport_fault = top.map("transport_fault_injection")?;
        let text = |key: &str| top.text(key).map(|text| text.map(str::to_owned));
        Ok(Self {
            timing,
            enforced,
            downtime_active: downtime_active.unwrap_or(false),
            strict_signatures: top.bool("strict_signatures")?.unwrap_or(false),
            enforcement_enabled: top.bool("enforcement_enabled")?.unwrap_or(false),
            agents: (!agents.is_empty()).then_some(agents),
            specimens,
            queued,
            controls,
            outages,
            tokens: top.maps("tokens")?.into_iter().map(|token| token.map.clone()).collect(),
            reagent_stock,
            transport_required,
            partner_id: text("partner_id")?,
            policy_fingerprint: text("policy_fingerprint")?,
            break_chain_on_event: chain_fault
                .and_then(|map| map.get("break_hash_prev_on_event_id"))
                .and_then(Value::as_str)
                .map(str::to_owned),
            force_excursion: transport_fault
                .and_then(|map| map.get("force_temp_excursion_on_next_receive"))
                .and_then(Value::as_bool)
                .unwrap_or(false),
            ablated,
            scale_config: top.get("_scale_config_sanitized").is_some(),
        })
    }
}

impl SpecimenEntry {
    /// Reads a record; `None` when it has no id. A `template_ref` is replaced by its template.
    pub(crate) fn read(map: &Map<String, Value>, at: &str, symbols: &mut Symbols) -> Result<Option<Self>, LabError> {
        if let Some(name) = map.get("template_ref").and_then(Value::as_str) {
            let template = template(name);
            return Self::read(&template, &format!("{at}template_ref.{name}."), symbols);
        }
        let keys = Keys { map, at: at.to_owned() };
        let Some(id) = keys.text("specimen_id")?.filter(|id| !id.is_empty()) else { return Ok(None) };
        let flags = keys.map("integrity_flags")?;
        let leak = flags.and_then(|flags| flags.get("leak")).and_then(Value::as_bool).unwrap_or(false);
        let upper = |key: &str| keys.text(key).map(|text| text.unwrap_or_default().to_uppercase().replace(' ', "_"));
        let storage = upper("storage_requirement")?;
        let status = keys.text("status")?.unwrap_or("arrived_at_reception");
        let status = Status::parse(status).ok_or_else(|| {
            let known: Vec<_> = Status::ALL.iter().map(|status| status.name()).collect();
            keys.wrong("status", &format!("one of {}", known.join(", ")))
        })?;
        let mut readings = SmallVec::new();
        for entry in keys.maps("temp_exposure_log")? {
            let band = entry.text("temp_band")?.unwrap_or_default().to_uppercase().replace(' ', "_");
            readings.push((entry.int("t_s")?.unwrap_or(0), out_of_band(&storage, &band)));
        }
        readings.sort_by_key(|&(at_s, _)| at_s);
        let (panel, site) = (keys.text("panel_id")?, keys.text("site_id")?);
        let priority = match keys.text("priority_class")? {
            Some(text) => text,
            None => keys.text("priority")?.unwrap_or_default(),
        };
        Ok(Some(Self {
            id: symbols.intern(id),
            panel: panel.map(|panel| symbols.intern(panel)),
            priority: Priority::parse_lenient(priority),
            status,
            collection_s: keys.int("collection_ts_s")?.unwrap_or(0),
            arrival_s: keys.int("arrival_ts_s")?.unwrap_or(0),
            separated_s: keys.int("separated_ts_s")?,
            cold: upper("temp_band")?.contains("REFRIGERATED"),
            readings,
            citrate: upper("container_type")?.contains("CITRATE"),
            fill_ok: keys.bool("fill_ratio_ok")?,
            leaking: leak || keys.bool("hazard_flag")?.unwrap_or(false),
            site: site.map(|site| symbols.intern(site)),
        }))
    }
}

/// Whether a specimen with this storage requirement must not be in this band. Without a requirement every band is fine.
fn out_of_band(storage: &str, band: &str) -> bool {
    let is_cold = |text: &str| text.contains("REFRIGERATED") || text.contains("2_8") || text.contains("FROZEN");
    if is_cold(storage) {
        band.contains("AMBIENT") && !is_cold(band)
    } else {
        storage.contains("AMBIENT") && is_cold(band)
    }
}

/// The two specimen templates of the published scenario format; an unknown name makes a record with only that id.
fn template(name: &str) -> Map<String, Value> {
    let (id, panel, container, fill) = match name {
        "S_BIOCHEM_OK" => ("S1", "BIOCHEM_PANEL_CORE", "SERUM_SST", Value::Null),
        "S_COAG_OK" => ("S2", "COAG_PANEL_CORE", "PLASMA_CITRATE", Value::Bool(true)),
        _ => return Map::from_iter([("specimen_id".to_owned(), Value::from(name))]),
    };
    Map::from_iter([
        ("specimen_id".to_owned(), Value::from(id)),
        ("panel_id".to_owned(), Value::from(panel)),
        ("container_type".to_owned(), Value::from(container)),
        ("collection_ts_s".to_owned(), Value::from(0)),
        ("arrival_ts_s".to_owned(), Value::from(600)),
        ("fill_ratio_ok".to_owned(), fill),
        ("temp_band".to_owned(), Value::from("AMBIENT_20_25")),
        ("status".to_owned(), Value::from("arrived_at_reception")),
    ])
}
