//! `coordination/coordination_methods.v0.1.yaml`: names, families, known weaknesses and default parameters of methods,
//! as a policy has them.

use labtrust_comms::NetworkSettings;
use labtrust_plugin::Registry;
use labtrust_plugin::wire::{Problem, Setting, Settings};
use labtrust_policy::{PolicyError, PolicyStore};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Where the file is in a policy.
pub const FILE: &str = "coordination/coordination_methods.v0.1.yaml";

/// One method, as a policy describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The id.
    pub method_id: String,
    /// A name for people.
    pub name: String,
    /// Its family.
    pub coordination_class: String,
    /// Whether a language model takes part.
    #[serde(default)]
    pub llm_based: bool,
    /// Whether it is meant for large laboratories.
    #[serde(default)]
    pub scale_capable: bool,
    /// The method that this is a variant of.
    #[serde(default)]
    pub base_method: Option<String>,
    /// What protects the variant.
    #[serde(default)]
    pub defense_profile: Option<String>,
    /// Figures of a scale that change how it works.
    #[serde(default)]
    pub scaling_knobs: Vec<String>,
    /// Risks that it is known to be weak against.
    #[serde(default)]
    pub known_weaknesses: Vec<String>,
    /// Controls without which it should not run.
    #[serde(default)]
    pub required_controls: Vec<String>,
    /// Disturbances that it is to be tried with.
    #[serde(default)]
    pub compatible_injections: Vec<String>,
    /// Parameters that it has unless a run says otherwise.
    #[serde(default)]
    pub default_params: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: String,
    methods: Vec<Entry>,
}

/// All methods that a policy describes.
#[derive(Clone, Debug)]
pub struct Catalogue {
    entries: Vec<Entry>,
    /// The policy's network as a parameter, or why there is none: told where somebody asks for it.
    network: Result<String, String>,
}

/// Why default parameters could not be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A default that no method can have.
    #[error("{FILE}, default_params of {method}: {problem}")]
    Default {
        /// The method.
        method: String,
        /// What is wrong.
        problem: Problem,
    },
    /// The network of the policy is asked for, and cannot be read.
    #[error("network: policy: {0}")]
    Network(String),
    /// A variant of nothing.
    #[error("{FILE}, {method}: there is no base_method {base}")]
    NoBase {
        /// The variant.
        method: String,
        /// What it names.
        base: String,
    },
}

impl Catalogue {
    /// The policy's own file, or the built-in one where it has none.
    ///
    /// # Errors
    /// [`PolicyError`] when it cannot be read.
    pub fn load(policy: &PolicyStore) -> Result<Self, PolicyError> {
        let file: File = policy.section_or_builtin(FILE, Some("coordination_methods"))?;
        let network = NetworkSettings::load(policy);
        let network = network.map(|settings| settings.to_text()).map_err(|error| error.to_string());
        Ok(Self { entries: file.methods, network })
    }

    /// All entries, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a method, if the policy describes it.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.method_id == id)
    }

    /// The parameters of a run: the defaults of the base, over them those of the variant, over them what is given.
    ///
    /// Where `network` is `policy`, the network is that of the policy ([`NetworkSettings::load`]), written out.
    ///
    /// # Errors
    /// [`CatalogueError`] for a default that is no flag, whole number or text, for a variant of nothing, and for a network policy that
    /// cannot be read.
    pub fn settings(&self, id: &str, given: Settings) -> Result<Settings, CatalogueError> {
        let Some(entry) = self.entry(id) else { return self.with_network(given) };
        let base = match &entry.base_method {
            None => None,
            Some(base) => Some(
                self.entry(base).ok_or_else(|| CatalogueError::NoBase { method: id.to_owned(), base: base.clone() })?,
            ),
        };
        let mut settings = Settings::default();
        for layer in base.into_iter().chain([entry]) {
            let defaults = Settings::from_json(&layer.default_params)
                .map_err(|problem| CatalogueError::Default { method: layer.method_id.clone(), problem })?;
            settings.0.extend(defaults.0);
        }
        settings.0.extend(given.0);
        self.with_network(settings)
    }

    /// Why a table of methods has no figures of this one: there is no such method, or it lacks something that it cannot do
    /// without. `None` of a method that can be run, and of one whose parameters are wrong: running it tells that.
    #[must_use]
    pub fn not_run(&self, registry: &Registry, id: &str) -> Option<String> {
        match registry.coordination_method(id) {
            Err(_) => Some(format!("there is no {id} in this version")),
            Ok(method) => method.lacks(&self.settings(id, Settings::default()).ok()?),
        }
    }

    fn with_network(&self, mut settings: Settings) -> Result<Settings, CatalogueError> {
        if let Some(network @ Setting::Text(_)) = settings.0.get_mut("network")
            && *network == Setting::Text("policy".to_owned())
        {
            let read = self.network.as_ref().map_err(|error| CatalogueError::Network(error.clone()))?;
            *network = Setting::Text(read.clone());
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(settings: &Settings, name: &str) -> Option<Setting> {
        settings.0.get(name).cloned()
    }

    #[test]
    fn every_method_has_an_entry_whose_defaults_are_those_of_the_code() {
        let (catalogue, registry) = (Catalogue::load(&PolicyStore::builtin()).unwrap(), Registry::linked().unwrap());
        assert!(catalogue.entries().len() >= registry.entries().len());
        for registered in registry.entries() {
            let method = registry.coordination_method(registered.plugin.id()).unwrap();
            let entry = catalogue.entry(method.id()).unwrap_or_else(|| panic!("{} has no entry", method.id()));
            assert_eq!(entry.coordination_class, method.card().unwrap().class, "{}", method.id());
            let schema: Value = serde_json::from_str(&method.params_schema()).unwrap();
            for (name, value) in &entry.default_params {
                assert_eq!(&schema["properties"][name]["default"], value, "{}: {name}", method.id());
            }
        }
    }

    #[test]
    fn a_variant_has_the_parameters_of_its_base_and_its_own_over_them() {
        let text = "coordination_methods:\n  version: '0.1'\n  methods:\n    - { method_id: a, name: A, \
                    coordination_class: market, default_params: { x: 1, y: 2 } }\n    - { method_id: b, name: B, \
                    coordination_class: market, base_method: a, default_params: { y: 3, z: 4 } }\n    - { method_id: c, \
                    name: C, coordination_class: market, base_method: d }\n";
        let catalogue = Catalogue::load(&PolicyStore::builtin().with_text(FILE, text)).unwrap();
        let given = Settings([("z".to_owned(), Setting::Number(5))].into());
        let settings = catalogue.settings("b", given).unwrap();
        let found: Vec<_> = ["x", "y", "z"].iter().map(|name| number(&settings, name)).collect();
        assert_eq!(found, [1, 3, 5].map(|value| Some(Setting::Number(value))));
        let refused = catalogue.settings("c", Settings::default()).unwrap_err().to_string();
        assert!(refused.ends_with("c: there is no base_method d"), "{refused}");
    }

    #[test]
    fn the_policys_network_is_written_out_where_it_is_asked_for() {
        let network = |policy: &PolicyStore, id: &str, text: &str| {
            let given = Settings([("network".to_owned(), Setting::Text(text.to_owned()))].into());
            Catalogue::load(policy).unwrap().settings(id, given).map(|settings| number(&settings, "network"))
        };
        let text = |text: &str| Some(Setting::Text(text.to_owned()));
        let builtin = PolicyStore::builtin();
        assert_eq!(network(&builtin, "gossip_consensus", "policy").unwrap(), text("perfect=true"));
        assert_eq!(network(&builtin, "gossip_consensus", "drop_rate=0.5").unwrap(), text("drop_rate=0.5"));
        const NETWORK: &str = "coordination/network_policy.v0.1.yaml";
        let lossy = builtin.with_text(NETWORK, "version: '0.1'\nperfect: false\ndrop_rate: 0.1\n");
        let written = text("p50_ms=10,p95_ms=50,drop_rate=0.1");
        assert_eq!(network(&lossy, "org.example.unknown", "policy").unwrap(), written);
        // A policy can have it as a default, too.
        let methods = "coordination_methods: { version: '0.1', methods: [{ method_id: a, name: A, coordination_class: \
                       market, default_params: { network: policy } }] }";
        let lossy = lossy.with_text(FILE, methods);
        let settings = Catalogue::load(&lossy).unwrap().settings("a", Settings::default()).unwrap();
        assert_eq!(number(&settings, "network"), written);
        let broken = PolicyStore::builtin().with_text(NETWORK, "version: '0.1'\ndrop_rate: 3\n");
        let refused = network(&broken, "a", "policy").unwrap_err().to_string();
        assert!(refused.contains("drop_rate"), "{refused}");
    }

    #[test]
    fn what_is_wrong_in_the_file_is_told() {
        let broken = |text: &str| Catalogue::load(&PolicyStore::builtin().with_text(FILE, text));
        assert!(broken("coordination_methods: { version: '0.1', methods: [{ method_id: a }] }").is_err());
        let text = "coordination_methods: { version: '0.1', methods: [{ method_id: a, name: A, coordination_class: \
                    market, default_params: { x: 0.5 } }] }";
        let refused = broken(text).unwrap().settings("a", Settings::default()).unwrap_err().to_string();
        assert!(refused.contains("default_params of a: x: 0.5 is not allowed"), "{refused}");
    }
}
