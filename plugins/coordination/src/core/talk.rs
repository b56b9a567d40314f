//! What methods that talk have in common: the network of their parameter `network`, signatures where `signed=on`, who is who, what
//! messages call a job, and what is counted. Those who are directed are the agents of the network, in their order; behind
//! them may come desks: a hub, an auctioneer, a region's controller.

use super::tapped::{OnTheWire, Tapped};
use super::{Floor, Job, Step, Subject};
use labtrust_comms::bus::{Control, Controls};
use labtrust_comms::codes::COORD_MESSAGE_MALFORMED;
use labtrust_comms::network::{Network, Wire};
use labtrust_comms::protocols::certified::Keys;
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::protocols::{Exchange, Letter, Machine, Scrutiny, Seal, Speaker, To, Watch};
use labtrust_comms::{AgentId, AgentSet, NetworkSettings};
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, EvidenceKind, Figure, Told};
use labtrust_plugin::wire::{Problem, ProblemKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most messages that one needs to say to another in a round [count]: three of a gossip, and one that the network has doubled.
const MOST_A_ROUND: u32 = 4;
/// Most messages beside those [count]: facts, and what is late from the last step.
const MOST_MORE: u32 = 8;
/// Most pieces of evidence that wait to be put on record [count].
const MOST_NEWS: usize = 256;

/// Everything that a method says, and what is counted of it.
pub struct Talk<M> {
    network: Network<Letter<M>>,
    /// One for each agent and one for the world; none where nobody signs.
    seals: Vec<Seal>,
    agents: Vec<AgentId>,
    /// Names of all who may sign, and of those who are directed their places in the site.
    names: Vec<String>,
    directed: Vec<u16>,
    /// What a protocol did not believe though the bus did, by reason code [count].
    refused: BTreeMap<&'static str, u64>,
    /// What of that is not yet on record.
    news: Vec<(&'static str, Option<u16>)>,
    tapped: Option<Arc<Tapped>>,
    /// For settings that are changed in an episode: its seed, and how long a step is [ms].
    seed: u64,
    step_ms: u32,
    /// Who has believed something in this step, where that is noted, and who has not though they were told something.
    heard: AgentSet,
    unreached: Vec<u16>,
    /// How old knowledge was when it was acted on [steps], and how often.
    ages: BTreeMap<u64, u64>,
}

impl<M> Talk<M>
where
    M: Clone + Wire + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// The network of those who are directed and of `desks`, after the parameters `network` and `signed`; messages are of one `kind`.
    ///
    /// # Errors
    /// [`ProblemKind::Settings`] for what [`settings`] and [`Signing::read`] refuse;
    /// [`ProblemKind::Site`] where two who sign have one name.
    pub fn new(
        network: &str,
        signed: &str,
        kind: &'static str,
        floor: &Floor,
        desks: &[String],
    ) -> Result<Self, Problem> {
        let wrong = |message: String| Problem::of_kind(ProblemKind::Settings, message);
        let count = floor.directed.len() + desks.len();
        let count = u32::try_from(count).map_err(|_| wrong("there are too many people".to_owned()))?;
        let network =
            Network::new(&settings(network, floor)?, count, floor.seed).map_err(|error| wrong(error.to_string()))?;
        let names: Vec<String> = floor.names.iter().chain(desks).cloned().collect();
        let seals = match Signing::read(signed)? {
            Signing::Off => Vec::new(),
            Signing::On(controls) => {
                let site = |error| Problem::of_kind(ProblemKind::Site, format!("signed: {error}"));
                Seal::of_all(floor.seed, &names, kind, controls).map_err(site)?
            }
        };
        Ok(Self {
            step_ms: network.settings().step_ms,
            network,
            seals,
            agents: (0..count).map(AgentId).collect(),
            names,
            directed: floor.directed.clone(),
            refused: BTreeMap::new(),
            news: Vec::new(),
            tapped: None,
            seed: floor.seed,
            heard: AgentSet::default(),
            unreached: Vec::new(),
            ages: BTreeMap::new(),
        })
    }

    /// Puts somebody on the wire, who stays; there is a network, so it is true.
    pub fn tap(&mut self, tap: SharedTap) -> bool {
        let tapped = Tapped::new(tap);
        self.network.set_injector(Some(Box::new(OnTheWire(Arc::clone(&tapped)))));
        self.tapped = Some(tapped);
        true
    }

    /// Directed agents to whom something was sent in this step and who believed nothing of what reached them in it, places in the
    /// site. Empty where nobody is on the wire and the network is perfect: it is not noted then.
    #[must_use]
    pub fn unreached(&self) -> &[u16] {
        &self.unreached
    }

    /// Everybody on the network: those who are directed, then the desks.
    #[must_use]
    pub fn agents(&self) -> &[AgentId] {
        &self.agents
    }

    /// The keys of an agent, for a protocol that signs more than its messages; `None` where nobody signs.
    #[must_use]
    pub fn keys(&self, agent: AgentId) -> Option<Keys> {
        self.seals.get(agent.index()).map(|seal| Keys::new(seal.handle(), seal.roster()))
    }

    /// Goes on to a step.
    pub fn begin_step(&mut self, step: u32) {
        if let Some(tapped) = &self.tapped
            && let Some(text) = tapped.begin_step(step)
        {
            let set = settings_of(&text, self.step_ms).map_err(|problem| problem.message).and_then(|settings| {
                self.network.set_settings(&settings, self.seed).map_err(|error| error.to_string())
            });
            if let Err(why) = set {
                tapped.refuse_settings(&why);
            }
        }
        self.heard.clear();
        self.unreached.clear();
        self.network.note_addressed(self.tapped.is_some() || !self.network.settings().perfect);
        self.network.begin_step(u64::from(step));
        for seal in &mut self.seals {
            seal.begin_epoch(u64::from(step));
        }
    }

    /// Lets the world tell everybody something.
    pub fn tell_all(&mut self, fact: &M) {
        let letter = match self.seals.last_mut() {
            None => Some(Letter::Open(fact.clone())),
            Some(world) => world.sign(&To::Others, fact.clone()).map(|signed| Letter::Signed(Arc::new(signed))),
        };
        if let Some(letter) = letter {
            self.network.broadcast(AgentId::WORLD, &letter);
        }
    }

    /// Lets the machines talk for some of the `of` rounds of a step; machine n is agent n.
    pub fn exchange<P: Machine<Message = M>>(&mut self, machines: &mut [P], rounds: u32, of: u32) {
        self.seals.iter_mut().for_each(|seal| seal.expect(of.saturating_mul(MOST_A_ROUND).saturating_add(MOST_MORE)));
        let watch = self.tapped.as_deref().map(|tapped| tapped as &dyn Watch);
        let mut seals = self.seals.iter_mut();
        let speaker = |(&me, machine)| Speaker::new(me, machine, seals.next()).watched(watch);
        let mut speakers: Vec<Speaker<'_, P>> = self.agents.iter().zip(machines).map(speaker).collect();
        let exchange = Exchange { rounds, ..Exchange::over_a_step(of, &self.network) };
        exchange.run(&mut speakers, &mut self.network, |_, _| true);
        let unreadable: u64 = speakers.iter().map(Speaker::unreadable).sum();
        if unreadable > 0 {
            // Nobody can say of whom it is, so it is not put on record.
            *self.refused.entry(COORD_MESSAGE_MALFORMED).or_default() += unreadable;
        }
        if let Some(addressed) = self.network.addressed() {
            let heard = self.agents.iter().zip(&speakers).filter(|(_, speaker)| speaker.has_heard());
            self.heard.extend(heard.map(|(&agent, _)| agent));
            let unreached = |agent: &AgentId| addressed.contains(*agent) && !self.heard.contains(*agent);
            self.unreached.clear();
            self.unreached.extend(
                self.agents.iter().zip(&self.directed).filter(|(agent, _)| unreached(agent)).map(|(_, place)| place),
            );
        }
    }

    /// Counts something that a protocol did not believe, and whom it names for it.
    pub fn refuse(&mut self, code: &'static str, about: Option<AgentId>) {
        *self.refused.entry(code).or_default() += 1;
        if self.news.len() < MOST_NEWS {
            let place = about.and_then(|about| self.directed.get(about.index()));
            self.news.push((code, place.copied()));
        }
    }

    /// Counts that somebody acted on knowledge of so many steps ago.
    pub fn acted_on(&mut self, age_steps: u64) {
        *self.ages.entry(age_steps).or_default() += 1;
    }

    /// Puts on record what was not believed since the last time, about whom it speaks against. Who is named by a forgery is not.
    pub fn evidence(&mut self, out: &mut Vec<Evidence>) {
        let bus = |agent, code| Evidence { kind: EvidenceKind::Bus, agent, code, figures: Vec::new() };
        out.extend(self.news.drain(..).map(|(code, agent)| bus(agent, code)));
        for rejection in self.seals.iter_mut().flat_map(Seal::take_rejections) {
            let place = rejection.blamed().and_then(|name| self.names.iter().position(|known| *known == name));
            out.push(bus(place.and_then(|place| self.directed.get(place)).copied(), rejection.code()));
        }
    }

    /// Puts somebody on the wire: an attack, or a test.
    pub fn network_mut(&mut self) -> &mut Network<Letter<M>> {
        &mut self.network
    }

    /// The block `comm`, and `timing` where knowledge has an age.
    #[must_use]
    pub fn told(&self) -> Told {
        let counted = self.network.metrics();
        let mut refused = self.refused.clone();
        for (code, times) in self.seals.iter().flat_map(Seal::refused) {
            *refused.entry(code).or_default() += times;
        }
        #[expect(clippy::cast_possible_truncation, reason = "latencies are far below 2^53 hundredths")]
        let decimal = |value: f64, places: u8, unit: f64| Figure::Decimal(libm::round(value * unit) as i64, places);
        let comm = BTreeMap::from([
            ("msg_count", Figure::Count(counted.msg_count)),
            ("bytes", Figure::Count(counted.bytes)),
            ("sent_count", Figure::Count(counted.sent_count)),
            ("sent_bytes", Figure::Count(counted.sent_bytes)),
            ("dropped_count", Figure::Count(counted.dropped_count)),
            ("partition_events", Figure::Count(counted.partition_events)),
            ("duplicated_count", Figure::Count(counted.duplicated_count)),
            ("drop_rate", decimal(counted.drop_rate, 4, 1e4)),
            ("p50_latency_ms", decimal(counted.p50_latency_ms, 2, 100.0)),
            ("p95_latency_ms", decimal(counted.p95_latency_ms, 2, 100.0)),
            ("rejected_count", Figure::Count(refused.values().sum())),
            (
                "rejected_by_code",
                Figure::By(refused.into_iter().map(|(code, times)| (code.to_owned(), times)).collect()),
            ),
            ("signed", Figure::Count(u64::from(!self.seals.is_empty()))),
        ]);
        let mut comm = comm;
        if self.network.settings().retries > 0 || counted.retried_count > 0 {
            comm.insert("retried_count", Figure::Count(counted.retried_count));
        }
        let mut told = Told::from([("comm", comm)]);
        if !self.ages.is_empty() {
            let timing = BTreeMap::from([
                ("p50_view_age_steps", Figure::Count(quantile(&self.ages, 50))),
                ("p95_view_age_steps", Figure::Count(quantile(&self.ages, 95))),
            ]);
            told.insert("timing", timing);
        }
        told
    }
}

/// The value at place min(floor(percent n / 100), n - 1) of sorted values, given how often each comes.
fn quantile(counts: &BTreeMap<u64, u64>, percent: u64) -> u64 {
    let all: u64 = counts.values().sum();
    let place = (all * percent / 100).min(all.saturating_sub(1));
    let mut before = 0;
    for (&value, &count) in counts {
        before += count;
        if place < before {
            return value;
        }
    }
    0
}

/// The parameter `signed`: whether everybody signs, and what is checked of what they hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Nobody signs.
    Off,
    /// Everybody signs, and judges by these controls.
    On(Controls),
}

impl Signing {
    /// The signing of `off`, `on`, or `on without CONTROL...`, for the ablation of single controls.
    ///
    /// # Errors
    /// [`ProblemKind::Settings`] for anything else, with the names of the controls.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let names = || Control::ALL.map(Control::name).join(", ");
        let wrong = |message: String| Problem::of_kind(ProblemKind::Settings, message);
        let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
        match (words.next(), words.next()) {
            (Some("off"), None) => Ok(Self::Off),
            (Some("on"), None) => Ok(Self::On(Controls::ALL)),
            (Some("on"), Some("without")) => {
                let mut left = Controls::ALL;
                for word in words {
                    let gone = Control::named(word).ok_or_else(|| {
                        wrong(format!("signed: {word:?} is no control of the bus; there are {}", names()))
                    })?;
                    left = left.without(gone);
                }
                if left == Controls::ALL {
                    return Err(wrong(format!("signed: {text:?} does not say without what; there are {}", names())));
                }
                Ok(Self::On(left))
            }
            _ => {
                let message = format!("signed: {text:?} is neither \"on\" nor \"off\" nor \"on without CONTROL...\"");
                Err(wrong(format!("{message}; controls are {}", names())))
            }
        }
    }

    /// Whether everybody signs.
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On(_))
    }

    /// How closely bids are looked at. Who does not sign believes what could be true, as ever.
    #[must_use]
    pub const fn scrutiny(self) -> Scrutiny {
        match self {
            Self::Off => Scrutiny::TooGood,
            Self::On(controls) if controls.has(Control::Bids) => Scrutiny::Both,
            Self::On(_) => Scrutiny::Nothing,
        }
    }
}

/// Place of an agent among those who are directed: its number on the network.
#[must_use]
pub fn place(floor: &Floor, agent: u16) -> Option<usize> {
    floor.directed.binary_search(&agent).ok()
}

/// What messages call a job: its act and the number of what it is about, the same in every step.
#[must_use]
pub fn key(job: &Job) -> Key {
    key_of(job.about())
}

/// The same of what was asked for.
#[must_use]
pub const fn key_of((act, subject): Subject) -> Key {
    (act.index() as u32) << 24 | subject & 0x00FF_FFFF
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

    /// Their keys, sorted.
    #[must_use]
    pub fn keys(&self) -> Arc<[Key]> {
        self.0.iter().map(|&(key, _)| key).collect()
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
    let step_ms = u32::try_from(floor.dt_s.saturating_mul(1000)).map(|step_ms| step_ms.max(1));
    settings_of(text, step_ms.unwrap_or(NetworkSettings::default().step_ms))
}

/// The same where a step is so long [ms].
fn settings_of(text: &str, step_ms: u32) -> Result<NetworkSettings, Problem> {
    let wrong = |message: String| Problem::of_kind(ProblemKind::Settings, message);
    let mut settings = NetworkSettings { step_ms, ..NetworkSettings::default() };
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

    #[test]
    fn each_control_can_be_taken_away_by_its_name() {
        let read = |text: &str| Signing::read(text).map_err(|problem| problem.message);
        assert_eq!((read("off"), read("on")), (Ok(Signing::Off), Ok(Signing::On(Controls::ALL))));
        for control in Control::ALL {
            let text = format!("on without {}", control.name());
            assert_eq!(read(&text), Ok(Signing::On(Controls::ALL.without(control))));
        }
        let both = Controls::ALL.without(Control::Replay).without(Control::Order);
        assert_eq!(read("on without replay, order"), Ok(Signing::On(both)));
        for wrong in ["", "yes", "off without replay", "on with replay", "on without", "on without replays"] {
            let message = read(wrong).unwrap_err();
            assert!(message.contains("signature, replay, epoch, recipient, order, bids, quota"), "{message}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let counts = BTreeMap::from([(0, 90), (3, 9), (40, 1)]);
        assert_eq!([50, 90, 95, 100].map(|percent| quantile(&counts, percent)), [0, 3, 3, 40]);
        assert_eq!(quantile(&BTreeMap::new(), 50), 0);
    }
}
