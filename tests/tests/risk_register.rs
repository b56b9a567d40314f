//! The risk register: evidence that proves nothing covers nothing, whichever way it came to prove nothing.

#[path = "red_team/campaign.rs"]
#[allow(dead_code, reason = "the red team's tests use more of it")]
mod campaign;
#[path = "risk_register/case.rs"]
mod case;
#[path = "risk_register/desk.rs"]
mod desk;
#[path = "risk_register/packs.rs"]
mod packs;
#[path = "risk_register/partners.rs"]
mod partners;
#[path = "risk_register/references.rs"]
mod references;
#[path = "risk_register/runs.rs"]
mod runs;
#[path = "risk_register/suites.rs"]
mod suites;
