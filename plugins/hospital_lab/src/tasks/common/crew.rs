//! Who works in a task: posts, their roles and keys.
//!
//! A task brings its roster and keys, laid over whatever the policy directory has, because a directory that was
//! written for other agents (it may know `A_RUNNER` but no `A_RUNNER_0`) would otherwise leave the crew without
//! rights.

use crate::agents::{
    Adversary, Analyst, Duties, Insider, QcOfficer, REVOKED_KEY, Receptionist, Runner, STOLEN_KEY, Scripted, Supervisor,
};
use labtrust_kernel::Streams;
use labtrust_plugin::{AgentSeat, SigningKey, lab::AgentPolicy};
use labtrust_trust::keys::Signer;
use serde_json::{Value, json};

/// The role of somebody who does not belong here: may walk and open doors, like any visitor.
pub(super) const ROLE_EXTERNAL: &str = "ROLE_EXTERNAL";
const EXTERNAL_ACTIONS: [&str; 4] = ["NOOP", "TICK", "MOVE", "OPEN_DOOR"];
pub(in crate::tasks) const HALL_A: &str = "Z_ANALYZER_HALL_A";
pub(in crate::tasks) const HALL_B: &str = "Z_ANALYZER_HALL_B";
/// The halls of which each has its analyst.
pub(in crate::tasks) const HALLS: &[&str] = &[HALL_A, HALL_B];

/// What somebody does.
#[derive(Clone, Copy, Debug)]
pub enum Job {
    /// Registers and accepts specimens.
    Reception,
    /// Runs the analysers of a hall.
    Analytics {
        /// The hall.
        hall: &'static str,
        /// All halls that have an analyst.
        staffed: &'static [&'static str],
    },
    /// Separates, aliquots, arranges transport.
    Runner(Duties),
    /// Quality control.
    Qc,
    /// Critical communication and release.
    Supervisor,
    /// Attacks from outside.
    Adversary,
    /// Attacks from within.
    Insider,
}

impl Job {
    fn attacks(self) -> bool {
        matches!(self, Self::Adversary | Self::Insider)
    }

    /// Keys that somebody with this job has beside the own one.
    pub(super) fn other_keys(self, episode_seed: u64) -> Vec<SigningKey> {
        match self {
            Self::Insider => vec![
                (signing_seed(episode_seed, REVOKED_KEY), REVOKED_KEY.to_owned()),
                (signing_seed(episode_seed, RECEPTION_0.agent_id), STOLEN_KEY.to_owned()),
            ],
            _ => Vec::new(),
        }
    }
}

/// A place in the crew.
#[derive(Clone, Copy, Debug)]
pub struct Post {
    /// Name on the environment side.
    pub name: &'static str,
    /// Name inside the engine.
    pub agent_id: &'static str,
    /// Role.
    pub role: &'static str,
    /// Zone where the episode finds them.
    pub zone: &'static str,
    /// What they do.
    pub job: Job,
}

const RECEPTION_0: Post = Post {
    name: "reception_0",
    agent_id: "A_RECEPTION_0",
    role: "ROLE_RECEPTION",
    zone: "Z_SRA_RECEPTION",
    job: Job::Reception,
};
const OPS_0: Post = Post {
    name: "ops_0",
    agent_id: "A_OPS_0",
    role: "ROLE_ANALYTICS",
    zone: HALL_A,
    job: Job::Analytics { hall: HALL_A, staffed: HALLS },
};
const OPS_1: Post = Post {
    name: "ops_1",
    agent_id: "A_OPS_1",
    role: "ROLE_ANALYTICS",
    zone: HALL_B,
    job: Job::Analytics { hall: HALL_B, staffed: HALLS },
};
const RUNNER_0: Post = Post {
    name: "runner_0",
    agent_id: "A_RUNNER_0",
    role: "ROLE_RUNNER",
    zone: "Z_SORTING_LANES",
    job: Job::Runner(Duties { separation: true, aliquots: false, transport: true }),
};
const RUNNER_1: Post = Post {
    name: "runner_1",
    agent_id: "A_RUNNER_1",
    role: "ROLE_RUNNER",
    zone: "Z_SORTING_LANES",
    job: Job::Runner(Duties { separation: false, aliquots: true, transport: false }),
};
/// The analyst of a crew that staffs one hall only.
const OPS_ALONE: Post = Post { job: Job::Analytics { hall: HALL_A, staffed: &[HALL_A] }, ..OPS_0 };
/// The runner of a crew that has only one.
const RUNNER_ALONE: Post =
    Post { job: Job::Runner(Duties { separation: true, aliquots: true, transport: true }), ..RUNNER_0 };
const QC_0: Post = Post { name: "qc_0", agent_id: "A_QC_0", role: "ROLE_QC", zone: "Z_QC_SUPERVISOR", job: Job::Qc };
const SUPERVISOR_0: Post = Post {
    name: "supervisor_0",
    agent_id: "A_SUPERVISOR_0",
    role: "ROLE_SUPERVISOR",
    zone: "Z_QC_SUPERVISOR",
    job: Job::Supervisor,
};
const ADVERSARY_0: Post = Post {
    name: "adversary_0",
    agent_id: "A_ADVERSARY_0",
    role: ROLE_EXTERNAL,
    zone: "Z_SORTING_LANES",
    job: Job::Adversary,
};

const INSIDER_0: Post = Post {
    name: "adversary_insider_0",
    agent_id: "A_INSIDER_0",
    role: "ROLE_RUNNER",
    zone: "Z_SORTING_LANES",
    job: Job::Insider,
};

/// The small crew of the published insider task, with the insider.
pub(in crate::tasks) const CREW_AND_INSIDER: &[Post] =
    &[RECEPTION_0, OPS_ALONE, RUNNER_ALONE, QC_0, SUPERVISOR_0, INSIDER_0];
/// The crew of the workflow baseline.
pub(in crate::tasks) const CREW: &[Post] = &[RECEPTION_0, OPS_0, OPS_1, RUNNER_0, RUNNER_1, QC_0, SUPERVISOR_0];
/// The same with an intruder.
pub(in crate::tasks) const CREW_AND_ADVERSARY: &[Post] =
    &[RECEPTION_0, OPS_0, OPS_1, RUNNER_0, RUNNER_1, QC_0, SUPERVISOR_0, ADVERSARY_0];

impl Post {
    /// Somebody new for this post.
    pub(super) fn seat(&self) -> AgentSeat {
        let policy: Box<dyn AgentPolicy> = match self.job {
            Job::Reception => Box::new(Scripted::new(Receptionist::default())),
            Job::Analytics { hall, staffed } => Box::new(Scripted::new(Analyst::new(hall, staffed))),
            Job::Runner(duties) => Box::new(Scripted::new(Runner::new(duties))),
            Job::Qc => Box::new(Scripted::new(QcOfficer::default())),
            Job::Supervisor => Box::new(Scripted::new(Supervisor::default())),
            Job::Adversary => Box::new(Adversary::default()),
            Job::Insider => Box::new(Insider::default()),
        };
        AgentSeat { name: self.name.into(), agent_id: self.agent_id.into(), attacker: self.job.attacks(), policy }
    }
}

/// The roster of an episode: who has which role, and the roles that no policy directory knows.
pub(super) fn roster(crew: &[Post]) -> Value {
    let agents: serde_json::Map<_, _> = crew.iter().map(|p| (p.agent_id.to_owned(), p.role.into())).collect();
    json!({ "roles": { ROLE_EXTERNAL: { "allowed_actions": EXTERNAL_ACTIONS } }, "agents": agents })
}

/// The public keys of an episode, one an agent.
pub(super) fn keys(crew: &[Post], episode_seed: u64) -> Value {
    let own = |post: &Post| key_entry(episode_seed, post.agent_id, post.role);
    // A key that was taken away from its holder; the policy's file has one of that name, whose secret nobody here knows.
    let revoked = |post: &Post| {
        json!({
            "key_id": REVOKED_KEY,
            "public_key": Signer::from_seed(signing_seed(episode_seed, REVOKED_KEY)).public_b64(),
            "agent_id": post.agent_id,
            "role_id": post.role,
            "status": "REVOKED",
        })
    };
    let insiders = crew.iter().filter(|post| matches!(post.job, Job::Insider));
    crew.iter().map(own).chain(insiders.map(revoked)).collect()
}

/// The declaration of an agent's own key.
pub(in crate::tasks) fn key_entry(episode_seed: u64, agent_id: &str, role: &str) -> Value {
    json!({
        "key_id": key_id(agent_id),
        "public_key": Signer::from_seed(signing_seed(episode_seed, agent_id)).public_b64(),
        "agent_id": agent_id,
        "role_id": role,
        "status": "ACTIVE",
    })
}

/// The id of an agent's key.
pub(in crate::tasks) fn key_id(agent_id: &str) -> String {
    format!("ed25519:key_{}", agent_id.to_ascii_lowercase())
}

/// The Ed25519 seed of an agent's key. Not secret: whoever knows the episode's seed can make it, as a benchmark needs.
pub(in crate::tasks) fn signing_seed(episode_seed: u64, agent_id: &str) -> [u8; 32] {
    let mut stream = Streams::new(episode_seed).stream("task.signing_key", agent_id);
    std::array::from_fn(|_| u8::try_from(stream.below(256)).unwrap_or_default())
}
