//! The people, rooms and devices of the built-in policy that scripts speak of.

/// Agents and where they begin.
pub(super) const AGENTS: [(&str, &str); 11] = [
    ("A_RECEPTION", "Z_SRA_RECEPTION"),
    ("A_PREAN", "Z_CENTRIFUGE_BAY"),
    ("A_RUNNER", "Z_ALIQUOT_LABEL"),
    ("A_ANALYTICS", "Z_ANALYZER_HALL_A"),
    ("A_OPS_0", "Z_ANALYZER_HALL_B"),
    ("A_QC", "Z_ANALYZER_HALL_A"),
    ("A_SUPERVISOR", "Z_SRA_RECEPTION"),
    ("A_CLINSCI", "Z_QC_SUPERVISOR"),
    ("A_SECURITY", "Z_QC_SUPERVISOR"),
    ("A_INSIDER_0", "Z_SORTING_LANES"),
    ("SYSTEM", "Z_QC_SUPERVISOR"),
];

/// Roles of those agents, in the same order.
pub(super) const ROLES: [&str; 11] = [
    "ROLE_RECEPTION",
    "ROLE_PREANALYTICS",
    "ROLE_RUNNER",
    "ROLE_ANALYTICS",
    "ROLE_ANALYTICS",
    "ROLE_QC",
    "ROLE_SUPERVISOR",
    "ROLE_CLINICAL_SCIENTIST",
    "ROLE_SECURITY_OFFICER",
    "ROLE_RUNNER",
    "R_SYSTEM_CONTROL",
];

/// Zones with their neighbours' positions in this list, as far as agents walk in scripts.
pub(super) const WAYS: [(&str, &str); 16] = [
    ("Z_INGRESS_DOCK", "Z_SRA_RECEPTION"),
    ("Z_SRA_RECEPTION", "Z_ACCESSIONING"),
    ("Z_ACCESSIONING", "Z_SORTING_LANES"),
    ("Z_SORTING_LANES", "Z_PREANALYTICS"),
    ("Z_SORTING_LANES", "Z_CENTRIFUGE_BAY"),
    ("Z_PREANALYTICS", "Z_CENTRIFUGE_BAY"),
    ("Z_CENTRIFUGE_BAY", "Z_ALIQUOT_LABEL"),
    ("Z_ALIQUOT_LABEL", "Z_ANALYZER_HALL_A"),
    ("Z_ALIQUOT_LABEL", "Z_ANALYZER_HALL_B"),
    ("Z_ANALYZER_HALL_A", "Z_QC_SUPERVISOR"),
    ("Z_ANALYZER_HALL_B", "Z_QC_SUPERVISOR"),
    ("Z_ANALYZER_HALL_A", "Z_COLD_FRIDGE"),
    ("Z_ANALYZER_HALL_B", "Z_COLD_FRIDGE"),
    ("Z_COLD_FRIDGE", "Z_COLD_FREEZER"),
    ("Z_SRA_RECEPTION", "Z_RESTRICTED_BIOHAZARD"),
    ("Z_RESTRICTED_BIOHAZARD", "Z_WASTE_DISPOSAL"),
];

/// Time on any way, at most [s].
pub(super) const WALK_S: i64 = 20;

pub(super) const CENTRIFUGE: &str = "DEV_CENTRIFUGE_BANK_01";
pub(super) const AIRLOCK: &str = "D_RESTRICTED_AIRLOCK";
pub(super) const CONTAINMENT: &str = "Z_RESTRICTED_BIOHAZARD";

/// Devices and the agent that works them.
pub(super) const DEVICES: [(&str, &str); 6] = [
    (CENTRIFUGE, "A_PREAN"),
    ("DEV_ALIQUOTER_01", "A_RUNNER"),
    ("DEV_CHEM_A_01", "A_ANALYTICS"),
    ("DEV_CHEM_B_01", "A_OPS_0"),
    ("DEV_HAEM_01", "A_ANALYTICS"),
    ("DEV_COAG_01", "A_OPS_0"),
];

/// The windows in which a device is in maintenance when work takes time [s].
pub(super) fn maintenance(device: &str) -> Option<(i64, i64)> {
    match device {
        "DEV_CHEM_A_01" => Some((100, 400)),
        "DEV_HAEM_01" => Some((200, 500)),
        _ => None,
    }
}

/// How long one run takes at most [s].
pub(super) const RUN_S: i64 = 45;
/// How long tubes spin [s].
pub(super) const SPIN_S: i64 = 600;
/// How long a unit of the centrifuge is taken [s].
pub(super) const UNIT_S: i64 = 720;
/// How long the aliquoter takes for a tube [s].
pub(super) const ALIQUOT_S: i64 = 5;
/// How long a consignment is under way at most [s].
pub(super) const TRAVEL_S: i64 = 720;

/// What a specimen is examined for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Panel {
    ChemA,
    ChemB,
    Haem,
    Coag,
}

impl Panel {
    pub(super) const ALL: [Self; 4] = [Self::ChemA, Self::Haem, Self::ChemB, Self::Coag];

    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::ChemA | Self::ChemB => "BIOCHEM_PANEL_CORE",
            Self::Haem => "HAEM_PANEL_CORE",
            Self::Coag => "COAG_PANEL_CORE",
        }
    }

    pub(super) const fn container(self) -> &'static str {
        match self {
            Self::ChemA | Self::ChemB => "SERUM_SST",
            Self::Haem => "EDTA",
            Self::Coag => "PLASMA_CITRATE",
        }
    }

    /// Analyte and units that the analyser measures.
    pub(super) const fn analyte(self) -> (&'static str, &'static str) {
        match self {
            Self::ChemA | Self::ChemB => ("BIOCHEM_POTASSIUM_K", "mmol/L"),
            Self::Haem => ("HAEM_HB", "g/L"),
            Self::Coag => ("COAG_INR", "ratio"),
        }
    }

    /// A value that is critical under the built-in thresholds.
    pub(super) const fn critical_value(self) -> f64 {
        match self {
            Self::ChemA | Self::ChemB => 7.1,
            Self::Haem => 200.5,
            Self::Coag => 7.25,
        }
    }

    pub(super) const fn device(self) -> &'static str {
        match self {
            Self::ChemA => "DEV_CHEM_A_01",
            Self::ChemB => "DEV_CHEM_B_01",
            Self::Haem => "DEV_HAEM_01",
            Self::Coag => "DEV_COAG_01",
        }
    }

    /// Who works that device.
    pub(super) const fn analyst(self) -> &'static str {
        match self {
            Self::ChemA | Self::Haem => "A_ANALYTICS",
            Self::ChemB | Self::Coag => "A_OPS_0",
        }
    }

    pub(super) const fn is_spun(self) -> bool {
        !matches!(self, Self::Haem)
    }
}
