//! `--coord-method`, agent policies and their parameters, wherever episodes of one task are run.

use crate::error::CliError;
use crate::plugin_files::PluginOptions;
use labtrust_bench::{Directing, Direction};
use labtrust_coordination::catalogue::Catalogue;
use labtrust_coordination::core::watch::{Terms, Watched};
use labtrust_plugin::method::{CoordinationMethod, KIND};
use labtrust_plugin::wire::{Setting, Settings};
use labtrust_plugin::{Registry, agent};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::ffi::OsString;

/// The parameter of methods that talk: whether what is said is signed, and what its readers check.
const SIGNED: &str = "signed";

/// Which method directs the agents.
#[derive(Debug, clap::Args)]
pub(crate) struct MethodOptions {
    /// Coordination method that directs all agents but attackers (`labtrust methods list` shows them)
    #[arg(long, value_name = "ID")]
    coord_method: Option<String>,
    /// Parameter of the method (`labtrust methods show` tells them): true or false, a whole number, or a text
    #[arg(long, visible_alias = "param", value_name = "NAME=VALUE", requires = "coord_method", value_parser = parameter)]
    coord_param: Vec<(String, Setting)>,
    /// Watch the agents with a detector that may give N false alarms in 1000 steps; who is suspected is asked for nothing for 50 steps
    #[arg(long, value_name = "N", requires = "coord_method", value_parser = clap::value_parser!(u32).range(1..=1000))]
    watch: Option<u32>,
}

/// Parameters of an agent policy.
#[derive(Debug, clap::Args)]
pub(crate) struct AgentParams {
    /// Parameter of an agent policy (`labtrust plugins show` tells them): true or false, a whole number, or a text
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    agent_param: Vec<(String, Setting)>,
}

fn parameter(text: &str) -> Result<(String, Setting), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("should be NAME=VALUE")?;
    let setting = match (value, value.parse()) {
        ("true", _) => Setting::Flag(true),
        ("false", _) => Setting::Flag(false),
        (_, Ok(number)) => Setting::Number(number),
        (text, Err(_)) => Setting::Text(text.to_owned()),
    };
    Ok((name.to_owned(), setting))
}

/// The method that was asked for.
pub(crate) struct ChosenMethod {
    directing: Directing<'static>,
    method: &'static dyn CoordinationMethod,
    /// The same, where a detector watches it.
    watched: Option<Watched<'static>>,
    settings: Settings,
    facts: Map<String, Value>,
}

impl MethodOptions {
    /// The method with its parameters, if one is asked for. `bus`: how a method that talks signs what it says, where nobody
    /// has said otherwise; where somebody may be on the wire it does.
    ///
    /// # Errors
    /// [`CliError::Registry`] for an unknown one, [`CliError::ParamTwice`], [`CliError::Policy`] and
    /// [`CliError::Catalogue`] for what the policy says of methods.
    pub(crate) fn choose(
        &self,
        registry: &Registry,
        plugins: &PluginOptions,
        policy: &PolicyStore,
        bus: Option<&str>,
    ) -> Result<Option<ChosenMethod>, CliError> {
        let Some(id) = &self.coord_method else { return Ok(None) };
        let mut given = settings(&self.coord_param, "--coord-param")?;
        if let Some(bus) = bus.filter(|_| !given.0.contains_key(SIGNED)) {
            let method = registry.coordination_method(id)?;
            if method.card().is_some_and(|card| card.uses_messages)
                && method.params_schema().contains(&format!("\"{SIGNED}\""))
            {
                given.0.insert(SIGNED.to_owned(), Setting::Text(bus.to_owned()));
            }
        }
        let chosen = ChosenMethod::new(id, given, registry, plugins, policy)?;
        Ok(Some(match self.watch {
            Some(budget) => chosen.watched(Terms::with_budget(budget)),
            None => chosen,
        }))
    }

    /// Whether a method is asked for.
    pub(crate) const fn is_chosen(&self) -> bool {
        self.coord_method.is_some()
    }

    /// The same for another process of this program.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let method = self.coord_method.iter().flat_map(|id| ["--coord-method".to_owned(), id.clone()]);
        let params = self.coord_param.iter().flat_map(|(name, setting)| {
            let value = match setting {
                Setting::Flag(flag) => flag.to_string(),
                Setting::Number(number) => number.to_string(),
                Setting::Text(text) => text.clone(),
            };
            ["--coord-param".to_owned(), format!("{name}={value}")]
        });
        let watch = self.watch.iter().flat_map(|budget| ["--watch".to_owned(), budget.to_string()]);
        method.chain(params).chain(watch).map(OsString::from).collect()
    }
}

impl AgentParams {
    /// Refuses parameters where there is nothing that has them.
    ///
    /// # Errors
    /// [`CliError::NoParams`].
    pub(crate) fn none_for(&self, id: &str) -> Result<(), CliError> {
        match self.agent_param.is_empty() {
            true => Ok(()),
            false => Err(CliError::NoParams { id: id.to_owned() }),
        }
    }

    /// The agent policy `id` as a team, if that is what `id` is: agent sets come first.
    ///
    /// # Errors
    /// [`CliError::Registry`] when it is neither, [`CliError::ParamTwice`], [`CliError::NoParams`] for parameters of a set.
    pub(crate) fn choose(
        &self,
        id: &str,
        registry: &Registry,
        plugins: &PluginOptions,
    ) -> Result<Option<ChosenMethod>, CliError> {
        let set = registry.agent_set(id);
        let method = match (registry.agent_policy(id), set) {
            (_, Ok(_)) => return self.none_for(id).map(|()| None),
            (Ok(method), Err(_)) => method,
            (Err(_), Err(unknown)) => return Err(unknown.into()),
        };
        let settings = settings(&self.agent_param, "--agent-param")?;
        let facts = facts(method, agent::KIND, registry, plugins);
        Ok(Some(ChosenMethod { directing: Directing::Team, method, watched: None, settings, facts }))
    }
}

fn settings(given: &[(String, Setting)], option: &'static str) -> Result<Settings, CliError> {
    let mut settings = Settings::default();
    for (name, setting) in given {
        if settings.0.insert(name.clone(), setting.clone()).is_some() {
            return Err(CliError::ParamTwice { option, name: name.clone() });
        }
    }
    Ok(settings)
}

impl ChosenMethod {
    /// The method `id` with the parameters that are given and those of the policy.
    ///
    /// # Errors
    /// [`CliError::Registry`] for an unknown one, [`CliError::Policy`] and [`CliError::Catalogue`] for what the policy
    /// says of methods.
    pub(crate) fn new(
        id: &str,
        given: Settings,
        registry: &Registry,
        plugins: &PluginOptions,
        policy: &PolicyStore,
    ) -> Result<Self, CliError> {
        let method = registry.coordination_method(id)?;
        let settings = Catalogue::load(policy)?.settings(id, given)?;
        let directing = Directing::Everybody;
        Ok(Self { directing, method, watched: None, settings, facts: facts(method, KIND, registry, plugins) })
    }

    /// The same under the eyes of a detector; its results say so.
    fn watched(mut self, terms: Terms) -> Self {
        let Terms { budget, contained_steps } = terms;
        let said = json!({ "alarms_per_1000_steps": budget.alarms_per_1000_steps, "contained_steps": contained_steps });
        self.facts.insert("watch".to_owned(), said);
        self.watched = Some(Watched::new(self.method, terms));
        self
    }

    /// For the cast of a run.
    pub(crate) fn direction(&self) -> Direction<'_> {
        let Self { directing, method, watched, settings, facts } = self;
        let method = watched.as_ref().map_or(*method, |watched| watched);
        Direction { directing: *directing, method, settings, facts }
    }

    /// The same in the seat of this name only.
    pub(crate) fn in_seat<'a>(&'a self, seat: &'a str) -> Direction<'a> {
        Direction { directing: Directing::Seat(seat), ..self.direction() }
    }
}

/// Where a method comes from and what holds for it.
fn facts(
    method: &dyn CoordinationMethod,
    kind: &str,
    registry: &Registry,
    plugins: &PluginOptions,
) -> Map<String, Value> {
    let facts = match method.origin() {
        Some(origin) => {
            let mut facts = json!({
                "carrier": origin.carrier,
                "version": origin.version,
                "sha256": origin.sha256,
                "contract": format!("{}.{}", origin.contract.0, origin.contract.1),
                "on_trap": plugins.on_trap_text(),
            });
            if let Some(engine) = origin.engine {
                facts["engine"] = engine.into();
                facts["limits"] = serde_json::to_value(plugins.limits()).unwrap_or_default();
            }
            facts
        }
        None => {
            let of = |entry: &&&labtrust_plugin::Registration| {
                entry.plugin.kind() == kind && entry.plugin.id() == method.id()
            };
            let version = registry.entries().iter().find(of).map(|entry| entry.version);
            json!({ "carrier": "compiled_in", "version": version })
        }
    };
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}
