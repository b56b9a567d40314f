//! The laboratory's floor: what stands where, as far as the method cares.

use labtrust_plugin::wire::Site;

const RECEPTION: &str = "Z_SRA_RECEPTION";
const CENTRIFUGE: &str = "CENTRIFUGE_BANK";
const ALIQUOTER: &str = "ALIQUOTER";

/// What a device is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Spin,
    Aliquot,
    Measure,
}

/// A device as it is for the whole episode.
pub(crate) struct Device {
    pub(crate) place: u16,
    pub(crate) zone: Option<u16>,
    pub(crate) purpose: Use,
    pub(crate) batch_capacity: usize,
    pub(crate) batch_wait_s: i64,
}

/// The floor of an episode.
pub(crate) struct Floor {
    pub(crate) agents: Vec<u16>,
    pub(crate) devices: Vec<Device>,
    pub(crate) reception: Option<u16>,
    pub(crate) horizon_s: Option<i64>,
    pub(crate) simulated: bool,
    site: Site,
}

impl Floor {
    pub(crate) fn new(site: &Site) -> Self {
        let purpose = |device_type: &str| match device_type {
            CENTRIFUGE => Use::Spin,
            ALIQUOTER => Use::Aliquot,
            _ => Use::Measure,
        };
        let devices = (0..).zip(&site.devices).map(|(place, device)| Device {
            place,
            zone: device.zone,
            purpose: purpose(&device.device_type),
            batch_capacity: device.batch_capacity as usize,
            batch_wait_s: device.batch_wait_s,
        });
        Self {
            agents: site.directed().collect(),
            devices: devices.collect(),
            reception: (0..).zip(&site.zones).find(|(_, zone)| *zone == RECEPTION).map(|(place, _)| place),
            horizon_s: site.horizon_s,
            simulated: site.simulated,
            site: site.clone(),
        }
    }

    /// Devices for one use, in the order of the site.
    pub(crate) fn devices_for(&self, purpose: Use) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(move |device| device.purpose == purpose)
    }

    /// Zones where there are such devices, those with most of them first.
    pub(crate) fn zones_for(&self, purpose: Use) -> Vec<u16> {
        let all = || self.devices_for(purpose).filter_map(|device| device.zone);
        let mut zones: Vec<u16> = all().collect();
        zones.sort_unstable();
        zones.dedup();
        zones.sort_by_key(|&zone| std::cmp::Reverse(all().filter(|&other| other == zone).count()));
        zones
    }

    /// The first zone on the way; `None` where there is no way or none is needed.
    pub(crate) fn hop(&self, from: u16, to: u16) -> Option<usize> {
        self.site.hop(from, to).map(usize::from)
    }

    /// Length of the way in steps [count]; where there is no way, more than any way has.
    pub(crate) fn steps(&self, from: u16, to: u16) -> u32 {
        self.site.steps(from, to).unwrap_or(u32::MAX)
    }
}
