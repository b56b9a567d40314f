//! What can be in the calendar, and the order of what falls on one moment.

use bevy_ecs::entity::Entity;
use labtrust_kernel::EventClass;
use serde::{Deserialize, Serialize};

/// An event of the laboratory's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Due {
    /// The unit of a batch device has finished its work; the batch can be taken out.
    SpinEnd { device: u16, batch: u32 },
    /// A unit of a batch device can take the next load.
    UnitFree { device: u16, unit: u16 },
    /// The aliquoter has finished a tube.
    AliquotEnd {
        device: u16,
        #[serde(with = "crate::entity")]
        specimen: Entity,
    },
    /// An analyser has finished a run.
    RunEnd {
        #[serde(with = "crate::entity")]
        run: Entity,
    },
    /// An agent has reached the zone it walked to.
    WalkEnd {
        #[serde(with = "crate::entity")]
        body: Entity,
    },
    /// A door is open too long.
    DoorBreach { door: u16 },
    /// A maintenance window opens.
    MaintenanceBegin { device: u16 },
    /// A maintenance window closes.
    MaintenanceEnd { device: u16 },
    /// A device fails.
    Fault { device: u16 },
    /// A device is repaired.
    Repaired { device: u16 },
    /// An outage begins that the episode brings with it.
    OutageBegin { outage: u16 },
    /// Such an outage ends.
    OutageEnd { outage: u16 },
    /// A consignment reaches its site.
    ConsignmentArrival {
        #[serde(with = "crate::entity")]
        consignment: Entity,
    },
    /// Specimens reach reception.
    Arrivals { group: u32 },
}

impl Due {
    /// Order among events of one moment: what ends comes before what begins, so that a device that finishes now is
    /// free for a specimen that arrives now.
    pub(crate) const fn class(self) -> EventClass {
        EventClass(match self {
            Self::SpinEnd { .. } | Self::AliquotEnd { .. } | Self::RunEnd { .. } => 0,
            Self::UnitFree { .. }
            | Self::WalkEnd { .. }
            | Self::MaintenanceEnd { .. }
            | Self::Repaired { .. }
            | Self::OutageEnd { .. } => 1,
            Self::MaintenanceBegin { .. } | Self::Fault { .. } | Self::OutageBegin { .. } | Self::DoorBreach { .. } => {
                2
            }
            Self::ConsignmentArrival { .. } | Self::Arrivals { .. } => 3,
        })
    }
}
