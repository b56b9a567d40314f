//! Methods with a router: another method's rule, and ways that are planned together.
//!
//! Who gets which work is the other method's; what is added is [`Routing::Planned`]. Where any number of people fits
//! everywhere such a method is the other one. **Core** the router; without it everybody takes the shortest way and waits
//! where there is no room.

use crate::core::{Core, Floor, Job, Plan, Routing, Rule, Step};
use labtrust_mapf::Backend;
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, MethodCard, Told};
use labtrust_plugin::params::Params;
use labtrust_plugin::wire::{Act, Problem, ProblemKind, Settings};
use serde_json::Value;

labtrust_plugin::params! {
    /// Parameters of the router, as written on a command line or in a policy.
    pub struct RouterParams {
        /// With the router, or without: "on" or "off".
        core: String = "on";
        /// Who plans the ways: "whca", "pibt", "lacam", "cbs", "ecbs", "rhcr" or "lns".
        router_backend: String = "whca";
        /// How far ways are planned [steps].
        whca_horizon: u32 = 15, 1..=64;
    }
}

/// Parameters of the router and of the other method.
pub struct RoutedParams<P> {
    router: RouterParams,
    other: P,
}

impl<P: Params> Params for RoutedParams<P> {
    fn read(settings: &Settings) -> Result<Self, Problem> {
        let mine = ["core", "router_backend", "whca_horizon"];
        let (router, other) = settings.0.clone().into_iter().partition(|(name, _)| mine.contains(&name.as_str()));
        Ok(Self { router: RouterParams::read(&Settings(router))?, other: P::read(&Settings(other))? })
    }

    fn schema() -> String {
        let properties = |schema: &str| -> Option<(Value, Value)> {
            let mut schema: Value = serde_json::from_str(schema).ok()?;
            let properties = schema.get_mut("properties")?.take();
            Some((schema, properties))
        };
        let Some(((mut schema, router), (_, other))) =
            properties(&RouterParams::schema()).zip(properties(&P::schema()))
        else {
            return RouterParams::schema();
        };
        let mut all = other;
        for (name, property) in router.as_object().into_iter().flatten() {
            all[name] = property.clone();
        }
        schema["properties"] = all;
        schema.to_string()
    }
}

/// Which method gets a router.
pub trait Routed: Send + 'static {
    /// The other method.
    type Other: Rule;
    /// The published id.
    const ID: &'static str;
    /// What it does, in one sentence.
    const SUMMARY: &'static str;
    /// Where it belongs, what it costs, where it comes from.
    const CARD: MethodCard;
}

/// A method with a router.
pub struct WithRouter<K: Routed> {
    other: K::Other,
    routing: Routing,
}

impl<K: Routed> Rule for WithRouter<K> {
    const ID: &'static str = K::ID;
    const SUMMARY: &'static str = K::SUMMARY;
    const CARD: MethodCard = K::CARD;
    const AWARDED_AGAIN: u32 = K::Other::AWARDED_AGAIN;
    type Params = RoutedParams<<K::Other as Rule>::Params>;

    fn new(params: Self::Params, floor: &Floor) -> Result<Self, Problem> {
        let RouterParams { core, router_backend, whca_horizon: window } = params.router;
        let unknown = |error: labtrust_mapf::MapfError| {
            Problem::of_kind(ProblemKind::Settings, format!("router_backend: {error}"))
        };
        let backend = Backend::parse(&router_backend).map_err(unknown)?;
        let planned = Routing::Planned { backend, window };
        let routing = if Core::read(&core)?.is_on() { planned } else { Routing::Shortest };
        Ok(Self { other: K::Other::new(params.other, floor)?, routing })
    }

    fn urgency(&self, job: &Job, now_s: i64) -> i64 {
        self.other.urgency(job, now_s)
    }

    fn due_s(&self, job: &Job) -> Option<i64> {
        self.other.due_s(job)
    }

    fn rank(&self, act: Act) -> u8 {
        self.other.rank(act)
    }

    fn stages(&self) -> bool {
        self.other.stages()
    }

    fn routing(&self) -> Routing {
        self.routing
    }

    fn begin(&mut self, step: &Step<'_>) {
        self.other.begin(step);
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        self.other.allocate(step, plan);
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        self.other.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.other.unreached()
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.other.evidence(out);
    }

    fn told(&self) -> Told {
        self.other.told()
    }
}
