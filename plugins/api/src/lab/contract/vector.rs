//! What an agent sees, as numbers of fixed count: for learners, and for policies that were learned.
//!
//! A [`Layout`] says which number is what. What is the agent's own comes first, then what all agents of a step share, so
//! that the shared part is made once a step. Version 0.1 has the published quantities, version 0.2 adds the work at every
//! station. Every number is between 0 and the bound of its field; what is beyond the bound is written as the bound.

use super::observation::{door_open_since, restricted_zone_frozen, status_counts, tokens_of};
use super::{ActionSpace, INDEX};
use crate::lab::{AgentView, DeviceStatus, DeviceView, Priority, Stage, Symbols, WorldView};

/// Stages of a specimen [count].
const STAGES: usize = Stage::Rejected as usize + 1;
/// Most of what is counted in one number [count].
const MANY: u32 = 1000;
/// The same of what stands at one place [count].
const SOME: u32 = 100;
/// Longest time that is told [s].
const LONG_S: u32 = 1_000_000;

/// What kind of number a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of several.
    Choice,
    /// Yes or no.
    Flag,
    /// A count [count].
    Count,
    /// A time span [s].
    Seconds,
}

impl Kind {
    /// Its name, for learners in other languages and for the files that they write.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Flag => "flag",
            Self::Count => "count",
            Self::Seconds => "seconds",
        }
    }
}

/// Numbers that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What its numbers are.
    pub kind: Kind,
    /// How many there are [count].
    pub len: usize,
    /// The greatest that one of them may be.
    pub high: u32,
}

/// Which number is what, for every agent of a laboratory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    space: ActionSpace,
    own: Vec<Field>,
    shared: Vec<Field>,
    own_len: usize,
    shared_len: usize,
}

/// How many numbers a field has.
#[derive(Clone, Copy)]
enum Extent {
    Fixed(usize),
    Zones,
    Devices,
}

/// How a field is written, from what its numbers are of.
struct Column<W> {
    name: &'static str,
    kind: Kind,
    extent: Extent,
    high: u32,
    /// Whether version 0.1 has it.
    published: bool,
    write: W,
}

type WriteOwn = fn(&Own<'_>, &mut Pen<'_>);
type WriteShared = fn(&Shared<'_>, &mut Pen<'_>);

/// Where numbers go.
struct Pen<'a> {
    out: std::slice::IterMut<'a, f32>,
    high: u32,
}

impl Pen<'_> {
    fn put(&mut self, value: u32) {
        if let Some(place) = self.out.next() {
            // Below 2^24, so exact.
            *place = value.min(self.high) as f32;
        }
    }

    fn count(&mut self, value: usize) {
        self.put(u32::try_from(value).unwrap_or(u32::MAX));
    }

    fn flag(&mut self, value: bool) {
        self.put(u32::from(value));
    }

    fn seconds(&mut self, value: i64) {
        self.put(u32::try_from(value.max(0)).unwrap_or(u32::MAX));
    }
}

/// What an agent has for itself.
struct Own<'a> {
    view: &'a WorldView,
    me: &'a AgentView,
    refused: bool,
}

/// What all of them share.
struct Shared<'a> {
    view: &'a WorldView,
    symbols: &'a Symbols,
}

const fn published<W: Copy>(name: &'static str, kind: Kind, extent: Extent, high: u32, write: W) -> Column<W> {
    Column { name, kind, extent, high, published: true, write }
}

const fn added<W: Copy>(name: &'static str, kind: Kind, extent: Extent, high: u32, write: W) -> Column<W> {
    Column { name, kind, extent, high, published: false, write }
}

const ONE: Extent = Extent::Fixed(1);

static OWN: [Column<WriteOwn>; 6] = [
    // The bound of a choice that has as many values as there are zones, and "nowhere", is set with the layout.
    published("my_zone_idx", Kind::Choice, ONE, 0, |own, pen| pen.count(own.me.zone.map_or(0, |zone| zone + 1))),
    added("my_zone", Kind::Flag, Extent::Zones, 1, |own, pen| {
        (0..own.view.zones.len()).for_each(|zone| pen.flag(own.me.zone == Some(zone)));
    }),
    added("my_role_may", Kind::Flag, Extent::Fixed(INDEX.len()), 1, |own, pen| {
        INDEX.iter().for_each(|kind| pen.flag(own.me.may.contains(kind.id())));
    }),
    added("walking", Kind::Choice, ONE, 1, |own, pen| pen.flag(own.me.walking_to.is_some())),
    added("walk_remaining_s", Kind::Seconds, ONE, LONG_S, |own, pen| {
        pen.seconds(own.me.arrives_s.map_or(0, |at| at - own.view.now_s));
    }),
    added("last_refused", Kind::Choice, ONE, 1, |own, pen| pen.flag(own.refused)),
];

static SHARED: [Column<WriteShared>; 26] = [
    published("door_restricted_open", Kind::Choice, ONE, 1, |all, pen| {
        pen.flag(door_open_since(all.view, all.symbols).is_some());
    }),
    published("door_restricted_duration_s", Kind::Seconds, ONE, LONG_S, |all, pen| {
        pen.seconds(door_open_since(all.view, all.symbols).map_or(0, |since| all.view.now_s - since));
    }),
    published("restricted_zone_frozen", Kind::Choice, ONE, 1, |all, pen| {
        pen.flag(restricted_zone_frozen(all.view, all.symbols));
    }),
    published("queue_lengths", Kind::Count, Extent::Devices, SOME, |all, pen| devices(all, |d| pen.put(d.queue_len))),
    published("queue_has_head", Kind::Flag, Extent::Devices, 1, |all, pen| {
        devices(all, |device| pen.flag(device.queue_head.is_some()));
    }),
    published("specimen_status_counts", Kind::Count, Extent::Fixed(8), MANY, |all, pen| {
        status_counts(all.view).into_iter().for_each(|count| pen.put(count));
    }),
    published("device_qc_pass", Kind::Flag, Extent::Devices, 1, |all, pen| devices(all, |d| pen.flag(d.qc_pass))),
    published("log_frozen", Kind::Choice, ONE, 1, |all, pen| pen.flag(all.view.log_frozen)),
    published("token_count_override", Kind::Count, ONE, SOME, |all, pen| {
        pen.count(tokens_of(all.view, all.symbols, "OVERRIDE"));
    }),
    published("token_count_restricted", Kind::Count, ONE, SOME, |all, pen| {
        pen.count(tokens_of(all.view, all.symbols, "RESTRICTED"));
    }),
    added("t_s", Kind::Seconds, ONE, LONG_S, |all, pen| pen.seconds(all.view.now_s)),
    added("remaining_s", Kind::Seconds, ONE, LONG_S, |all, pen| {
        pen.seconds(all.view.horizon_s.map_or(i64::from(LONG_S), |end| end - all.view.now_s));
    }),
    added("specimens_by_stage", Kind::Count, Extent::Fixed(STAGES), MANY, |all, pen| stages(all, false, pen)),
    added("stat_specimens_by_stage", Kind::Count, Extent::Fixed(STAGES), MANY, |all, pen| stages(all, true, pen)),
    added("next_deadline_s", Kind::Seconds, ONE, LONG_S, |all, pen| pen.seconds(next_deadline(all))),
    added("device_status", Kind::Count, Extent::Devices, 3, |all, pen| devices(all, |d| pen.put(status(d.status)))),
    added("device_free_units", Kind::Count, Extent::Devices, SOME, |all, pen| devices(all, |d| pen.put(d.free_units))),
    added("device_remaining_s", Kind::Seconds, Extent::Devices, LONG_S, |all, pen| {
        devices(all, |device| pen.seconds(device.busy_until_s.map_or(0, |end| end - all.view.now_s)));
    }),
    added("device_control_due", Kind::Flag, Extent::Devices, 1, |all, pen| devices(all, |d| pen.flag(d.control_due))),
    added("runs_pending", Kind::Count, ONE, MANY, |all, pen| pen.count(all.view.runs.len())),
    added("results_releasable", Kind::Count, ONE, MANY, |all, pen| {
        pen.count(all.view.results.iter().filter(|result| result.releasable && !result.held).count());
    }),
    added("results_held", Kind::Count, ONE, MANY, |all, pen| {
        pen.count(all.view.results.iter().filter(|result| result.held).count());
    }),
    added("results_critical", Kind::Count, ONE, MANY, |all, pen| {
        pen.count(all.view.results.iter().filter(|result| result.critical && !result.releasable).count());
    }),
    added("transports_asked_for", Kind::Count, ONE, MANY, |all, pen| {
        pen.count(all.view.transport_required.len().saturating_sub(all.view.consignments.len()));
    }),
    added("consignments_unsigned", Kind::Count, ONE, MANY, |all, pen| {
        pen.count(all.view.consignments.iter().filter(|one| !one.received && !one.signed).count());
    }),
    added("consignments_on_the_way", Kind::Count, ONE, MANY, |all, pen| {
        pen.count(all.view.consignments.iter().filter(|one| !one.received).count());
    }),
];

fn devices(all: &Shared<'_>, each: impl FnMut(&DeviceView)) {
    all.view.devices.iter().for_each(each);
}

fn status(status: DeviceStatus) -> u32 {
    match status {
        DeviceStatus::Idle => 0,
        DeviceStatus::Running => 1,
        DeviceStatus::Maintenance => 2,
        DeviceStatus::Fault => 3,
    }
}

fn stages(all: &Shared<'_>, only_stat: bool, pen: &mut Pen<'_>) {
    let mut counts = [0; STAGES];
    for specimen in &all.view.specimens {
        counts[specimen.stage as usize] += u32::from(!only_stat || specimen.priority == Priority::Stat);
    }
    counts.into_iter().for_each(|count| pen.put(count));
}

/// How long the most pressing specimen that is not analysed yet keeps [s].
fn next_deadline(all: &Shared<'_>) -> i64 {
    let waits = |stage: Stage| (Stage::Arrived..=Stage::Queued).contains(&stage);
    let left = all.view.specimens.iter().filter(|specimen| waits(specimen.stage)).map(|specimen| specimen.deadline_s);
    left.min().map_or(i64::from(LONG_S), |deadline| deadline.saturating_sub(all.view.now_s))
}

fn fields<W>(columns: &[Column<W>], space: ActionSpace, zones: usize, devices: usize) -> Vec<Field> {
    let field = |column: &Column<W>| {
        let Column { name, kind, extent, high, .. } = *column;
        let len = match extent {
            Extent::Fixed(len) => len,
            Extent::Zones => zones,
            Extent::Devices => devices,
        };
        let zones = u32::try_from(zones).unwrap_or(u32::MAX);
        Field { name, kind, len, high: if high == 0 { zones } else { high } }
    };
    of_space(columns, space).map(field).collect()
}

fn of_space<W>(columns: &[Column<W>], space: ActionSpace) -> impl Iterator<Item = &Column<W>> {
    columns.iter().filter(move |column| column.published || space == ActionSpace::V02)
}

/// Writes the fields one after the other.
fn write<W>(
    columns: &[Column<W>],
    space: ActionSpace,
    fields: &[Field],
    mut out: &mut [f32],
    each: impl Fn(&W, &mut Pen<'_>),
) {
    for (column, field) in of_space(columns, space).zip(fields) {
        let (numbers, rest) = out.split_at_mut(field.len.min(out.len()));
        each(&column.write, &mut Pen { out: numbers.iter_mut(), high: field.high });
        out = rest;
    }
}

impl Layout {
    /// The layout of a laboratory.
    #[must_use]
    pub fn of(view: &WorldView, space: ActionSpace) -> Self {
        Self::sized(view.zones.len(), view.devices.len(), space)
    }

    /// The layout of a laboratory with so many zones and devices: nothing else changes it.
    #[must_use]
    pub fn sized(zones: usize, devices: usize, space: ActionSpace) -> Self {
        let (own, shared) = (fields(&OWN, space, zones, devices), fields(&SHARED, space, zones, devices));
        let len = |fields: &[Field]| fields.iter().map(|field| field.len).sum();
        let (own_len, shared_len) = (len(&own), len(&shared));
        Self { space, own, shared, own_len, shared_len }
    }

    /// The version.
    #[must_use]
    pub fn space(&self) -> ActionSpace {
        self.space
    }

    /// What an agent has for itself.
    #[must_use]
    pub fn own(&self) -> &[Field] {
        &self.own
    }

    /// What all agents share; it follows what is their own.
    #[must_use]
    pub fn shared(&self) -> &[Field] {
        &self.shared
    }

    /// All fields in the order of an observation, and whether each is the agent's own.
    pub fn fields(&self) -> impl Iterator<Item = (&Field, bool)> {
        self.own.iter().map(|field| (field, true)).chain(self.shared.iter().map(|field| (field, false)))
    }

    /// Numbers of an agent's own [count].
    #[must_use]
    pub fn own_len(&self) -> usize {
        self.own_len
    }

    /// Numbers that are shared [count].
    #[must_use]
    pub fn shared_len(&self) -> usize {
        self.shared_len
    }

    /// Numbers of an observation [count].
    #[must_use]
    pub fn observation_len(&self) -> usize {
        self.own_len + self.shared_len
    }

    /// Writes what the agent `me`, a place in [`WorldView::agents`], has for itself. `refused`: whether its last action
    /// was. `out` has [`Layout::own_len`] places.
    ///
    /// # Panics
    /// When there is no such agent.
    pub fn write_own(&self, view: &WorldView, me: usize, refused: bool, out: &mut [f32]) {
        let own = Own { view, me: &view.agents[me], refused };
        write(&OWN, self.space, &self.own, out, |write, pen| write(&own, pen));
    }

    /// Writes what all agents share. `out` has [`Layout::shared_len`] places.
    pub fn write_shared(&self, view: &WorldView, symbols: &Symbols, out: &mut [f32]) {
        let shared = Shared { view, symbols };
        write(&SHARED, self.space, &self.shared, out, |write, pen| write(&shared, pen));
    }

    /// Writes the observations of agents one after the other, as far as `out` has room for whole ones. Of each its place in
    /// [`WorldView::agents`], and whether its last action was refused.
    ///
    /// # Panics
    /// When there is no such agent.
    pub fn write_rows(
        &self,
        view: &WorldView,
        symbols: &Symbols,
        agents: impl IntoIterator<Item = (usize, bool)>,
        out: &mut [f32],
    ) {
        let own = self.own_len;
        let mut rows = out.chunks_exact_mut(self.observation_len()).zip(agents);
        let Some((first, (me, refused))) = rows.next() else { return };
        self.write_own(view, me, refused, &mut first[..own]);
        self.write_shared(view, symbols, &mut first[own..]);
        let shared = &first[own..];
        for (row, (me, refused)) in rows {
            self.write_own(view, me, refused, &mut row[..own]);
            row[own..].copy_from_slice(shared);
        }
    }
}
