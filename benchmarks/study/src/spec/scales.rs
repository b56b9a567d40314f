//! Sizes of a study: a product of dimensions, each size an entry like those of `scale_configs.v0.1.yaml`.

use super::document::Dimension;
use super::{File, suggestion};
use crate::StudyError;
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};

/// Where the policy has its sizes.
pub(crate) const CONFIGS: &str = "coordination/scale_configs.v0.1.yaml";
/// The key that they stand under.
pub(crate) const TOP: &str = "scale_configs";
/// The dimension that begins with a size of the policy.
const PRESET: &str = "scale_preset";
/// Dimensions and what they are where nobody says.
const DIMENSIONS: [&str; 6] = ["num_agents", "num_sites", "num_devices", "arrival_rate", "horizon_steps", PRESET];
/// Most sizes of a study [count]: beyond, somebody has multiplied too much.
const MOST: usize = 10_000;

/// A size.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Its id.
    pub id: String,
    /// Its configuration; none where it is a size of the policy as it is.
    pub config: Option<Value>,
}

/// A value of each dimension.
type Chosen<'d> = Vec<(&'d str, &'d Value)>;

/// What was chosen so far, with each value of one more dimension.
fn longer<'d>(so_far: &Chosen<'d>, dimension: &'d Dimension) -> Vec<Chosen<'d>> {
    let with = |value| so_far.iter().copied().chain([(dimension.name.as_str(), value)]).collect();
    dimension.values.iter().map(with).collect()
}

/// The product of the dimensions, last fastest.
pub(super) fn product(
    file: &File<'_>,
    dimensions: &[Dimension],
    policy: &PolicyStore,
) -> Result<Vec<Scale>, StudyError> {
    check(file, dimensions)?;
    let presets = presets(policy)?;
    if dimensions.is_empty() {
        let id = "scale_0".to_owned();
        return Ok(vec![Scale { config: Some(own(&id)), id }]);
    }
    let mut combined: Vec<Chosen<'_>> = vec![Vec::new()];
    for dimension in dimensions {
        if combined.len() * dimension.values.len() > MOST {
            let message = format!("the dimensions multiply to more than {MOST} sizes");
            return Err(file.wrong(&dimension.name, message, "a study has a size for every combination of values"));
        }
        combined = combined.iter().flat_map(|so_far| longer(so_far, dimension)).collect();
    }
    let mut scales: Vec<Scale> = Vec::with_capacity(combined.len());
    for chosen in combined {
        let scale = scale(file, &chosen, &presets)?;
        if scales.iter().any(|other| other.id == scale.id) {
            let message = format!("the size {} is there twice", scale.id);
            return Err(file.wrong(chosen[0].0, message, "name each value once"));
        }
        scales.push(scale);
    }
    Ok(scales)
}

fn check(file: &File<'_>, dimensions: &[Dimension]) -> Result<(), StudyError> {
    for (place, Dimension { name, values }) in dimensions.iter().enumerate() {
        if !DIMENSIONS.contains(&name.as_str()) {
            let all = format!("there are {}", DIMENSIONS.join(", "));
            let hint = suggestion(DIMENSIONS.into_iter(), name, &all);
            return Err(file.wrong(name, format!("{name} is no dimension of sizes"), hint));
        }
        if dimensions[..place].iter().any(|other| other.name == *name) {
            return Err(file.wrong(
                name,
                format!("the dimension {name} is there twice"),
                "put all values into one list",
            ));
        }
        if values.is_empty() {
            return Err(file.wrong(name, format!("the dimension {name} has no values"), "one or more"));
        }
    }
    Ok(())
}

/// The sizes of the policy, in its order.
fn presets(policy: &PolicyStore) -> Result<Vec<Map<String, Value>>, StudyError> {
    let document: Value = policy.section_or_builtin(CONFIGS, Some(TOP))?;
    let configs = document["configs"].as_array().into_iter().flatten();
    Ok(configs.filter_map(Value::as_object).cloned().collect())
}

/// The size of a study that names none.
fn own(id: &str) -> Value {
    json!({
        "id": id,
        "name": id,
        "num_agents_total": 2,
        "role_mix": {
            "ROLE_RUNNER": 0.4, "ROLE_ANALYTICS": 0.3, "ROLE_RECEPTION": 0.2, "ROLE_QC": 0.05, "ROLE_SUPERVISOR": 0.05,
        },
        "num_devices_per_type": { "CHEM_ANALYZER": 2, "CENTRIFUGE_BANK": 1 },
        "num_sites": 1,
        "specimens_per_min": 1.0,
        "horizon_steps": 200,
        "timing_mode": "explicit",
    })
}

/// A value as it was written.
fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn scale(file: &File<'_>, chosen: &[(&str, &Value)], presets: &[Map<String, Value>]) -> Result<Scale, StudyError> {
    let preset = chosen.iter().find(|(name, _)| *name == PRESET).map(|(_, value)| said(value));
    let base = match &preset {
        None => None,
        Some(id) => {
            let ids = || presets.iter().filter_map(|preset| preset.get("id")?.as_str());
            let found = presets.iter().find(|preset| preset.get("id").and_then(Value::as_str) == Some(id));
            let known: Vec<&str> = ids().collect();
            let all = format!("there are {}", known.join(", "));
            Some(found.ok_or_else(|| {
                let hint = suggestion(known.iter().copied(), id, &all);
                file.wrong(id, format!("the policy has no size {id}"), hint)
            })?)
        }
    };
    if let (Some(id), [_]) = (&preset, chosen) {
        // It has the same name, and hence the same episodes, as in `run-benchmark --scale` and in packs.
        return Ok(Scale { id: id.clone(), config: None });
    }
    let mut parts: Vec<(&str, String)> = chosen.iter().map(|(name, value)| (*name, said(value))).collect();
    parts.sort_unstable();
    let parts: Vec<String> = parts.into_iter().map(|(name, value)| format!("{name}_{value}")).collect();
    let id = format!("scale_{}", parts.join("_"));
    let mut config = base.map_or_else(|| own(&id), |base| Value::Object(base.clone()));
    config["id"] = id.as_str().into();
    config["name"] = id.as_str().into();
    for (name, value) in chosen.iter().filter(|(name, _)| *name != PRESET) {
        set(file, &mut config, name, value)?;
    }
    Ok(Scale { id, config: Some(config) })
}

fn set(file: &File<'_>, config: &mut Value, name: &str, value: &Value) -> Result<(), StudyError> {
    let counted = value.as_u64().filter(|count| *count > 0);
    let (key, value) = match name {
        "arrival_rate" => ("specimens_per_min", value.as_f64().filter(|rate| *rate >= 0.0).map(Value::from)),
        "num_agents" => ("num_agents_total", counted.map(Value::from)),
        "num_sites" => ("num_sites", counted.map(Value::from)),
        "horizon_steps" => ("horizon_steps", counted.map(Value::from)),
        _ => {
            if let Some(count) = counted {
                config["num_devices_per_type"]["CHEM_ANALYZER"] = count.into();
                return Ok(());
            }
            ("", None)
        }
    };
    match value {
        Some(value) => config[key] = value,
        None => {
            let what = if name == "arrival_rate" { "a rate [1/min], 0 or more" } else { "a whole number, 1 or more" };
            return Err(file.wrong(name, format!("a value of {name} makes no sense"), what));
        }
    }
    Ok(())
}
