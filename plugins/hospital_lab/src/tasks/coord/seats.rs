//! The seats of a scale: every worker runs the scripted rules of its role, beside the others of that role.

use super::floor::Floor;
use crate::agents::{Analyst, Duties, QcOfficer, Receptionist, Runner, Scripted, Supervisor, Team};
use crate::tasks::common::crew::{HALL_A, HALL_B, HALLS};
use labtrust_plugin::lab::AgentPolicy;
use labtrust_plugin::{AgentSeat, Opening};
use serde_json::Value;
use std::sync::Arc;

const RECEPTION: &str = "ROLE_RECEPTION";
const RUNNER: &str = "ROLE_RUNNER";
const ANALYTICS: &str = "ROLE_ANALYTICS";
const QC: &str = "ROLE_QC";
const SUPERVISOR: &str = "ROLE_SUPERVISOR";
/// The roles that have rules.
pub(super) const ROLES: [&str; 5] = [RECEPTION, RUNNER, ANALYTICS, QC, SUPERVISOR];

const BOTH: Duties = Duties { separation: true, aliquots: true, transport: false };
const SEPARATION: Duties = Duties { aliquots: false, ..BOTH };
const ALIQUOTS: Duties = Duties { separation: false, ..BOTH };

/// The seats, in the order of the state's agents. Their places there are their places in the view.
pub(super) fn seats(floor: &Floor, opening: &Opening<'_>) -> Vec<AgentSeat> {
    let ids: Vec<&str> = opening
        .state
        .get("agents")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|agent| agent.get("agent_id")?.as_str())
        .collect();
    let roster = opening.state.get("roster").and_then(|roster| roster.get("agents"));
    let role = |id: &str| roster.and_then(|roster| roster.get(id)?.as_str()).unwrap_or_default();
    let roles: Vec<&str> = ids.iter().map(|id| role(id)).collect();
    let crew = Crew::new(&roles, &floor.halls);
    let seat = |(place, id): (usize, &&str)| AgentSeat {
        name: format!("worker_{place}").into(),
        agent_id: (*id).to_owned().into(),
        attacker: false,
        policy: crew.policy(place, roles[place]),
    };
    ids.iter().enumerate().map(seat).collect()
}

/// Who shares work with whom.
struct Crew {
    reception: Arc<[usize]>,
    /// Runners, dealt to their duties.
    runners: Vec<(Duties, Arc<[usize]>)>,
    /// Analysts, dealt to the halls.
    analysts: Vec<(&'static str, Arc<[usize]>)>,
    staffed: &'static [&'static str],
    qc: Arc<[usize]>,
    supervisors: Arc<[usize]>,
}

impl Crew {
    fn new(roles: &[&str], halls: &[&'static str]) -> Self {
        let of = |wanted: &str| -> Vec<usize> {
            roles.iter().enumerate().filter(|(_, role)| **role == wanted).map(|(place, _)| place).collect()
        };
        let (runners, analysts) = (of(RUNNER), of(ANALYTICS));
        let duties: &[Duties] = if runners.len() < 2 { &[BOTH] } else { &[SEPARATION, ALIQUOTS] };
        let staffed = &halls[..halls.len().min(analysts.len())];
        Self {
            reception: of(RECEPTION).into(),
            runners: dealt(&runners, duties),
            analysts: dealt(&analysts, staffed),
            staffed: match staffed {
                [HALL_A] => &[HALL_A],
                [HALL_B] => &[HALL_B],
                _ => HALLS,
            },
            qc: of(QC).into(),
            supervisors: of(SUPERVISOR).into(),
        }
    }

    fn policy(&self, place: usize, role: &str) -> Box<dyn AgentPolicy> {
        let team = |members: &Arc<[usize]>| Team::of(Arc::clone(members));
        match role {
            RECEPTION => Box::new(Scripted::new(Receptionist::in_team(team(&self.reception)))),
            QC => Box::new(Scripted::new(QcOfficer::in_team(team(&self.qc)))),
            SUPERVISOR => Box::new(Scripted::new(Supervisor::in_team(team(&self.supervisors)))),
            RUNNER if let Some((duties, members)) = group_of(&self.runners, place) => {
                Box::new(Scripted::new(Runner::new(*duties).in_team(team(members))))
            }
            ANALYTICS if let Some((hall, members)) = group_of(&self.analysts, place) => {
                let releases = self.supervisors.is_empty();
                Box::new(Scripted::new(Analyst::new(hall, self.staffed).in_team(team(members), releases)))
            }
            _ => Box::new(crate::agents::NullAgent),
        }
    }
}

/// Deals people to groups as cards are dealt.
fn dealt<T: Copy>(people: &[usize], groups: &[T]) -> Vec<(T, Arc<[usize]>)> {
    let group = |(number, group): (usize, &T)| {
        let members = people.iter().skip(number).step_by(groups.len());
        (*group, members.copied().collect())
    };
    groups.iter().enumerate().map(group).collect()
}

fn group_of<T>(groups: &[(T, Arc<[usize]>)], place: usize) -> Option<&(T, Arc<[usize]>)> {
    groups.iter().find(|(_, members)| members.contains(&place))
}
