//! What a method sees in one step: columns, one value a thing, in whole numbers.
//!
//! Lists are in a fixed order (zones, doors, devices and agents as in the [`Site`]; specimens by priority, then arrival,
//! then id), so "the first that fits" means the same in every run. A `key` numbers a thing from its first appearance on:
//! its place changes from step to step, its key does not.

use super::columns::{self, Reader};
use super::{Site, WireError, decode};
use serde::{Deserialize, Serialize};

/// Where a specimen is on its way through the laboratory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Stage {
    /// 0: waits at another site, or is on its way.
    InTransit,
    /// 1: waits at reception.
    Arrived,
    /// 2: registered, not yet checked.
    Accessioned,
    /// 3: registered and checked.
    Checked,
    /// 4: accepted, needs separation.
    Accepted,
    /// 5: in a centrifuge that still turns.
    Spinning,
    /// 6: spun, waits to be taken out.
    Spun,
    /// 7: separated, needs an aliquot.
    Separated,
    /// 8: at the aliquoter.
    Aliquoting,
    /// 9: ready to be queued on an analyser.
    Ready,
    /// 10: in a device queue.
    Queued,
    /// 11: on an analyser.
    Running,
    /// 12: measured, waits for its result to be filed.
    Analysed,
    /// 13: has a result.
    Resulted,
    /// 14: its result is released.
    Released,
    /// 15: held.
    Held,
    /// 16: rejected.
    Rejected,
}

impl Stage {
    /// All, by number.
    pub const ALL: [Self; 17] = [
        Self::InTransit,
        Self::Arrived,
        Self::Accessioned,
        Self::Checked,
        Self::Accepted,
        Self::Spinning,
        Self::Spun,
        Self::Separated,
        Self::Aliquoting,
        Self::Ready,
        Self::Queued,
        Self::Running,
        Self::Analysed,
        Self::Resulted,
        Self::Released,
        Self::Held,
        Self::Rejected,
    ];
}

/// Priority of work, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Priority {
    /// 0: as soon as anything is free.
    Stat,
    /// 1: before routine work.
    Urgent,
    /// 2: in its turn.
    Routine,
}

impl Priority {
    /// All, by number.
    pub const ALL: [Self; 3] = [Self::Stat, Self::Urgent, Self::Routine];
}

/// What a device is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum DeviceStatus {
    /// 0: free (batch devices: at least one unit is).
    Idle,
    /// 1: busy.
    Running,
    /// 2: in a maintenance window.
    Maintenance,
    /// 3: broken.
    Fault,
}

impl DeviceStatus {
    /// All, by number.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Running, Self::Maintenance, Self::Fault];
}

/// A table of columns, each read and written as [`columns`] does, in the order in which they stand here; then what is no
/// column.
macro_rules! table {
    (
        $(#[$about:meta])*
        pub struct $table:ident {
            $($(#[$doc:meta])* pub $column:ident: [$cell:ty],)+
            $(; $(#[$also_doc:meta])* pub $also:ident: $also_type:ty,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $table {
            $($(#[$doc])* #[serde(with = "columns")] pub $column: Vec<$cell>,)+
            $($(#[$also_doc])* pub $also: $also_type,)?
        }

        impl $table {
            fn read(&mut self, reader: &mut Reader<'_>) -> Option<()> {
                $(reader.column(&mut self.$column)?;)+
                $(self.$also = reader.one()?;)?
                Some(())
            }
        }
    };
}

table! {
    /// Agents, as in [`Site::agents`].
    pub struct Agents {
        /// Zone where each is.
        pub zone: [Option<u16>],
        /// Zone that each walks to.
        pub walking_to: [Option<u16>],
        /// When each arrives there [s], rounded up.
        pub arrives_s: [Option<i64>],
        /// Role of each now, a place in [`Site::roles`]; `None` for no role, or one that nobody had at the start.
        pub role: [Option<u16>],
        /// What each one's role may do at all, bit i for the act of index i; bit 0 is always set.
        pub may: [u32],
        ;
        /// Whose last action was refused, and the reason code.
        pub refused: Vec<(u16, String)>,
    }
}

table! {
    /// Doors, as in [`Site::doors`].
    pub struct Doors {
        /// Since when each is open [s].
        pub open_since_s: [Option<i64>],
    }
}

table! {
    /// Devices, as in [`Site::devices`].
    pub struct Devices {
        /// What each is doing.
        pub status: [DeviceStatus],
        /// Units that could start now [count].
        pub free_units: [u32],
        /// Work waiting [count].
        pub queue_len: [u32],
        /// Specimen at the head of the queue, a place in [`Observation::specimens`].
        pub queue_head: [Option<u32>],
        /// Whether its quality control does not fail.
        pub qc_pass: [bool],
        /// Whether a planned control is due.
        pub control_due: [bool],
        /// When the current run ends [s], rounded up.
        pub busy_until_s: [Option<i64>],
    }
}

table! {
    /// Specimens in play by priority, arrival, id.
    pub struct Specimens {
        /// Number of each, the same for the whole episode.
        pub key: [u32],
        /// Where each is on its way.
        pub stage: [Stage],
        /// How urgent each is.
        pub priority: [Priority],
        /// Panel of each: a number, the same for the whole episode.
        pub panel: [Option<u32>],
        /// When each arrived [s].
        pub arrival_s: [i64],
        /// Since when each is at its stage [s].
        pub since_s: [i64],
        /// When each loses its stability at its stage [s].
        pub deadline_s: [i64],
        /// Device whose queue or run holds each, a place in [`Site::devices`].
        pub device: [Option<u16>],
        /// Devices that can measure them, one specimen after the other, places in [`Site::devices`].
        pub compatible: [u16],
        /// Where each one's part of `compatible` ends.
        pub compatible_end: [u32],
    }
}

table! {
    /// Ended runs with missing results, oldest first.
    pub struct Runs {
        /// Number of each, the same for the whole episode; a run of several specimens is there once for each.
        pub key: [u32],
        /// Device of each.
        pub device: [u16],
        /// Specimen whose result is missing, a place in [`Observation::specimens`].
        pub specimen: [Option<u32>],
        /// When each ended [s], rounded up.
        pub ended_s: [i64],
    }
}

table! {
    /// Results not yet released, oldest first.
    pub struct Results {
        /// Number of each, the same for the whole episode.
        pub key: [u32],
        /// Specimen of each, a place in [`Observation::specimens`].
        pub specimen: [Option<u32>],
        /// When each was filed [s].
        pub filed_s: [i64],
        /// Whether each is held.
        pub held: [bool],
        /// Whether each is critical.
        pub critical: [bool],
        /// Whether somebody was told and has not yet acknowledged.
        pub called: [bool],
        /// Whether the gates would let each pass now.
        pub releasable: [bool],
    }
}

table! {
    /// Consignments, oldest first.
    pub struct Consignments {
        /// Number of each, the same for the whole episode.
        pub key: [u32],
        /// When each is expected [s], rounded up.
        pub expected_arrival_s: [i64],
        /// Whether the custody chain is signed.
        pub signed: [bool],
        /// Whether each was received.
        pub received: [bool],
    }
}

table! {
    /// Transports that the episode asks for.
    pub struct Transports {
        /// Specimens of each that are still elsewhere [count].
        pub waiting: [u32],
    }
}

table! {
    /// Tokens that can be used now, in the order in which they were issued.
    pub struct Tokens {
        /// Number of each, the same for the whole episode.
        pub key: [u32],
        /// Whether each lets somebody into a restricted zone; else it lifts a rule once.
        pub entry: [bool],
        /// Last second of validity [s].
        pub expires_s: [i64],
    }
}

table! {
    /// Panels without reagent.
    pub struct Stockouts {
        /// The panels, by their numbers.
        pub panel: [u32],
        /// Whether the policy asks to send the specimen elsewhere, instead of holding it.
        pub reroute: [bool],
    }
}

/// One step, as a method sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Number of the step, from 0.
    pub step: u32,
    /// Now [s].
    pub now_s: i64,
    /// Whether the audit log is frozen: nobody can do anything.
    pub log_frozen: bool,
    /// Whether each zone is frozen, as in [`Site::zones`].
    #[serde(with = "columns")]
    pub zone_frozen: Vec<bool>,
    /// Agents.
    pub agents: Agents,
    /// Doors.
    pub doors: Doors,
    /// Devices.
    pub devices: Devices,
    /// Specimens.
    pub specimens: Specimens,
    /// Runs.
    pub runs: Runs,
    /// Results.
    pub results: Results,
    /// Consignments.
    pub consignments: Consignments,
    /// Transports.
    pub transports: Transports,
    /// Tokens.
    pub tokens: Tokens,
    /// Panels without reagent.
    pub stockouts: Stockouts,
}

/// Refuses a column that is longer or shorter than its table.
macro_rules! same_length {
    ($length:expr; $($table:ident . $column:ident),+ $(,)?) => {
        $(if $table.$column.len() != $length {
            return Err(WireError::Ragged { column: concat!(stringify!($table), ".", stringify!($column)) });
        })+
    };
}

impl Observation {
    /// Becomes what `bytes` say, as [`decode`] reads them, in the memory that it has: for a plugin that reads one after the
    /// other.
    ///
    /// # Errors
    /// As [`decode`]. It is then of no use but to be read into again.
    pub fn read_from(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let mut reader = Reader(bytes);
        if self.read(&mut reader).is_none() || !reader.0.is_empty() {
            *self = decode(bytes)?;
        }
        Ok(())
    }

    pub(super) fn read(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        (self.step, self.now_s, self.log_frozen) = reader.one()?;
        reader.column(&mut self.zone_frozen)?;
        self.agents.read(reader)?;
        self.doors.read(reader)?;
        self.devices.read(reader)?;
        self.specimens.read(reader)?;
        self.runs.read(reader)?;
        self.results.read(reader)?;
        self.consignments.read(reader)?;
        self.transports.read(reader)?;
        self.tokens.read(reader)?;
        self.stockouts.read(reader)
    }

    /// Whether all columns fit together and the site, so that a method may use places without looking twice.
    ///
    /// # Errors
    /// [`WireError::Ragged`], naming the first column that does not fit.
    pub fn check(&self, site: &Site) -> Result<(), WireError> {
        let Self {
            zone_frozen, agents, doors, devices, specimens, runs, results, consignments, tokens, stockouts, ..
        } = self;
        if zone_frozen.len() != site.zones.len() {
            return Err(WireError::Ragged { column: "zone_frozen" });
        }
        same_length!(site.agents.len(); agents.zone, agents.walking_to, agents.arrives_s, agents.role, agents.may);
        same_length!(site.doors.len(); doors.open_since_s);
        same_length!(site.devices.len(); devices.status, devices.free_units, devices.queue_len, devices.queue_head,
            devices.qc_pass, devices.control_due, devices.busy_until_s);
        same_length!(specimens.key.len(); specimens.stage, specimens.priority, specimens.panel, specimens.arrival_s,
            specimens.since_s, specimens.deadline_s, specimens.device, specimens.compatible_end);
        same_length!(runs.key.len(); runs.device, runs.specimen, runs.ended_s);
        same_length!(results.key.len(); results.specimen, results.filed_s, results.held, results.critical,
            results.called, results.releasable);
        same_length!(consignments.key.len(); consignments.expected_arrival_s, consignments.signed,
            consignments.received);
        same_length!(tokens.key.len(); tokens.entry, tokens.expires_s);
        same_length!(stockouts.panel.len(); stockouts.reroute);
        let ends = &specimens.compatible_end;
        let last = ends.last().map_or(0, |&end| end as usize);
        if !ends.is_sorted() || last != specimens.compatible.len() {
            return Err(WireError::Ragged { column: "specimens.compatible_end" });
        }
        let (zones, roles, specimens_len) = (site.zones.len(), site.roles.len(), specimens.key.len());
        let devices_len = site.devices.len();
        let places = [
            ("agents.zone", fit(agents.zone.iter().flatten(), zones)),
            ("agents.walking_to", fit(agents.walking_to.iter().flatten(), zones)),
            ("agents.role", fit(agents.role.iter().flatten(), roles)),
            ("agents.refused", fit(agents.refused.iter().map(|(place, _)| place), site.agents.len())),
            ("devices.queue_head", fit(devices.queue_head.iter().flatten(), specimens_len)),
            ("specimens.device", fit(specimens.device.iter().flatten(), devices_len)),
            ("specimens.compatible", fit(&specimens.compatible, devices_len)),
            ("runs.device", fit(&runs.device, devices_len)),
            ("runs.specimen", fit(runs.specimen.iter().flatten(), specimens_len)),
            ("results.specimen", fit(results.specimen.iter().flatten(), specimens_len)),
        ];
        match places.into_iter().find(|(_, fits)| !fits) {
            Some((column, _)) => Err(WireError::Ragged { column }),
            None => Ok(()),
        }
    }
}

/// Whether all places are in a table of this length.
fn fit<'p, P: Copy + Into<u32> + 'p>(places: impl IntoIterator<Item = &'p P>, length: usize) -> bool {
    places.into_iter().all(|&place| (place.into() as usize) < length)
}
