//! Columns as rows, for methods that think in things.

use super::{Act, Observation, Priority, Stage};

/// One specimen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Specimen<'a> {
    /// Its place, what a [`Choice`](super::Choice) names.
    pub place: u32,
    /// Its number, the same for the whole episode.
    pub key: u32,
    /// Where it is on its way.
    pub stage: Stage,
    /// How urgent it is.
    pub priority: Priority,
    /// Its panel, by number.
    pub panel: Option<u32>,
    /// When it arrived [s].
    pub arrival_s: i64,
    /// Since when it is at its stage [s].
    pub since_s: i64,
    /// When it loses its stability at its stage [s].
    pub deadline_s: i64,
    /// Device whose queue or run holds it.
    pub device: Option<u16>,
    /// Devices that can measure it.
    pub compatible: &'a [u16],
}

impl Observation {
    /// The specimen at `place`.
    ///
    /// # Panics
    /// When there is none, or the columns do not fit together ([`Observation::check`]).
    #[must_use]
    pub fn specimen(&self, place: u32) -> Specimen<'_> {
        let (column, row) = (&self.specimens, place as usize);
        let begin = row.checked_sub(1).map_or(0, |before| column.compatible_end[before] as usize);
        Specimen {
            place,
            key: column.key[row],
            stage: column.stage[row],
            priority: column.priority[row],
            panel: column.panel[row],
            arrival_s: column.arrival_s[row],
            since_s: column.since_s[row],
            deadline_s: column.deadline_s[row],
            device: column.device[row],
            compatible: &column.compatible[begin..column.compatible_end[row] as usize],
        }
    }

    /// Specimens at a stage, the most urgent first.
    pub fn at(&self, stage: Stage) -> impl Iterator<Item = Specimen<'_>> {
        (0..).zip(&self.specimens.stage).filter(move |(_, at)| **at == stage).map(|(place, _)| self.specimen(place))
    }

    /// Whether an agent stands somewhere and can act now.
    #[must_use]
    pub fn is_idle(&self, agent: u16) -> bool {
        let agent = usize::from(agent);
        let stands = self.agents.zone.get(agent).is_some_and(Option::is_some);
        stands && self.agents.walking_to[agent].is_none() && !self.log_frozen
    }

    /// Whether an agent's role may do `act` at all; where and on what is another question.
    #[must_use]
    pub fn may(&self, agent: u16, act: Act) -> bool {
        self.agents.may.get(usize::from(agent)).is_some_and(|bits| bits >> act.index() & 1 == 1)
    }

    /// Why an agent's last action was refused; `None` if it was not.
    #[must_use]
    pub fn refused(&self, agent: u16) -> Option<&str> {
        self.agents.refused.iter().find(|(place, _)| *place == agent).map(|(_, code)| code.as_str())
    }
}
