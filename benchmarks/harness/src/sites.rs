//! An episode of many laboratories, all of them in memory at once.
//!
//! Every site has its own engine, its own instance of the method and its own streams; they share the compiled policy.
//! Nothing grows with the square of all agents, because nobody sees beyond their site. Sites are coupled by what one
//! refers to the next ([`Referrals`]), so they advance together, in windows that are not longer than a courier takes:
//! what is sent within a window arrives in a later one, so within a window no site can hear of another (conservative
//! synchronisation; Chandy and Misra, IEEE TSE 5 (1979) 440-452). At the end of a window letters are handed over in the
//! order of the sites. That is why the result does not depend on the threads, which share the sites of a window.
//!
//! Figures are those of one laboratory with all specimens: percentiles are over the specimens of all sites, rates are
//! ratios of sums. The head of the episode is the Merkle root of the sites' chain heads.

mod figures;
mod letters;
mod site;

use crate::BenchError;
use crate::episode::{EpisodeOutcome, EpisodeSetup};
use figures::Figures;
use labtrust_evidence::digest::hex;
use labtrust_evidence::merkle::Tree;
use labtrust_kernel::Streams;
use labtrust_plugin::Sites;
use labtrust_plugin::lab::LoadedLab;
use rayon::prelude::*;
use serde_json::json;
use site::{Plan, Scratch, Site};

/// Sites that one thread takes at a time [count]: few enough to share them well, enough to use its memory again.
const AT_A_TIME: usize = 8;

/// Beyond so many sites those that nobody works in are [at rest](site) [count]: that costs time, and few take little room.
const REST_BEYOND: u32 = 256;

/// How the sites of an episode are run; what comes of it is the same.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whether events go on record; not where only the time is of interest that an episode takes without.
    pub recorded: bool,
    /// Whether sites that nobody works in are packed up; by how many they are where it is not said.
    pub at_rest: Option<bool>,
}

impl Manner {
    /// As episodes are run that count.
    pub const USUAL: Self = Self { recorded: true, at_rest: None };
}

/// An episode of many sites, between its beginning and its end.
pub struct SitesAtWork<'a> {
    setup: &'a EpisodeSetup<'a>,
    plan: Plan,
    sites: Vec<Site>,
    /// Sites that nobody works in are packed up.
    rests: bool,
    /// The next step.
    step: u32,
}

impl<'a> SitesAtWork<'a> {
    /// Opens all sites.
    ///
    /// # Errors
    /// [`BenchError::Sites`] when the run asks for what many sites cannot do; [`BenchError::Lab`] and
    /// [`BenchError::Method`] as for one laboratory, of the first site that could not be opened.
    pub fn open(
        lab: &dyn LoadedLab,
        setup: &'a EpisodeSetup<'a>,
        sites: &dyn Sites,
        manner: Manner,
    ) -> Result<Self, BenchError> {
        let task = setup.task.id();
        let refuse = |what| Err(BenchError::Sites { task: task.to_owned(), what });
        let Some(direction) = &setup.cast.method else {
            return refuse("its agents have no rules of their own; name a --coord-method");
        };
        if !matches!(direction.directing, crate::Directing::Everybody) {
            return refuse("only a --coord-method can direct them");
        }
        if setup.cast.injection.is_some() {
            return refuse("nothing is injected");
        }
        if setup.cast.approvals.is_some() {
            return refuse("nobody approves");
        }
        if setup.strict_signatures {
            return refuse("nothing is signed");
        }
        let (seed, failed) = (setup.seed, |source| BenchError::Lab { task: task.to_owned(), seed: setup.seed, source });
        let mut common = sites.common();
        common.insert("workflow".to_owned(), json!("enforced"));
        common.insert("timing_mode".to_owned(), json!(setup.timing.as_str()));
        let lab = lab.under(&common).map_err(failed)?;
        let streams = Streams::new(seed);
        let seeds: Vec<u64> = (0..sites.count()).map(|site| seed_of(&streams, site)).collect();
        // The floor is the same everywhere, so it is described once.
        let own = |seed: u64| {
            let mut state = sites.own(seed);
            for key in ["workflow", "timing_mode"] {
                state.insert(key.to_owned(), common[key].clone());
            }
            state
        };
        let rests = manner.at_rest.unwrap_or(sites.count() > REST_BEYOND);
        let plan = Plan::new(
            &*lab,
            setup,
            &own(seeds.first().copied().unwrap_or(seed)),
            sites.referrals(),
            direction,
            manner.recorded,
        )?;
        let open = |(number, seed): (usize, &u64)| {
            let mut site = Site::open(&*lab, &plan, setup, direction, &own(*seed), (number, *seed))?;
            if rests {
                site.rest();
            }
            Ok::<_, BenchError>(site)
        };
        let opened: Vec<_> = seeds.par_iter().enumerate().with_min_len(AT_A_TIME).map(open).collect();
        let sites = opened.into_iter().collect::<Result<_, _>>()?;
        Ok(Self { setup, plan, sites, rests, step: 0 })
    }

    /// Agents of all sites [count].
    #[must_use]
    pub fn agents(&self) -> u64 {
        self.plan.agents() as u64 * self.sites.len() as u64
    }

    /// Advances all sites by one window, or to the end. Whether there is more to come.
    pub fn advance(&mut self) -> bool {
        let Self { setup, plan, sites, rests, step } = self;
        let end = step.saturating_add(plan.window).min(setup.max_steps);
        let window = *step..end;
        sites.par_chunks_mut(AT_A_TIME).for_each_init(
            || Scratch::new(plan),
            |scratch, sites| {
                for site in sites {
                    site.advance(plan, window.clone(), scratch);
                    if *rests {
                        site.rest();
                    }
                }
            },
        );
        letters::hand_over(sites);
        *step = end;
        end < setup.max_steps
    }

    /// Lets the time of all sites run to the horizon and takes their figures.
    #[must_use]
    pub fn finish(self) -> EpisodeOutcome {
        let Self { setup, plan, sites, .. } = self;
        let spec = setup.task.spec();
        let finished: Vec<_> = sites.into_par_iter().with_min_len(AT_A_TIME).map(|site| site.finish(&plan)).collect();
        let mut figures = Figures::new(&plan, setup.max_steps);
        let mut heads = Vec::with_capacity(finished.len());
        for site in finished {
            figures.add(site.figures);
            heads.push(site.chain_head);
        }
        figures.outcome(setup, spec.sla_turnaround_s, merkle_root(&heads))
    }
}

/// RFC 6962 root over the chain heads of sites, so that a proof can show that one site's chain belongs to an episode.
fn merkle_root(heads: &[String]) -> String {
    let mut tree = Tree::default();
    heads.iter().for_each(|head| tree.push(head.as_bytes()));
    hex(&tree.root())
}

/// The seed of a site.
fn seed_of(streams: &Streams, site: u32) -> u64 {
    streams.stream_indexed("sites.seed", u64::from(site)).below(u64::MAX)
}

/// Runs one episode of many sites.
///
/// # Errors
/// As [`SitesAtWork::open`].
pub fn run_sites(
    lab: &dyn LoadedLab,
    setup: &EpisodeSetup<'_>,
    sites: &dyn Sites,
) -> Result<EpisodeOutcome, BenchError> {
    let mut at_work = SitesAtWork::open(lab, setup, sites, Manner::USUAL)?;
    while at_work.advance() {}
    Ok(at_work.finish())
}
