//! An emergency department: a whole domain on the kernel, to be read with the tutorial.
//!
//! [`Department`] says what is simulated, [`Outcome`] is what a shift comes to, [`study`] compares many shifts.

mod shift;
pub mod study;

use labtrust_kernel::SimDuration;
use labtrust_plugin::{Domain, register_plugin};
pub use shift::Outcome;

// ANCHOR: department
/// Patients of one urgency. All lengths of time are exponential with these means.
#[derive(Clone, Debug)]
pub struct Class {
    /// Names the class's random streams, so it must be unique.
    pub name: &'static str,
    /// Between arrivals; above zero.
    pub gap: SimDuration,
    /// With a doctor.
    pub treatment: SimDuration,
    /// In the waiting room before giving up; `None` is to wait forever.
    pub patience: Option<SimDuration>,
}

/// An emergency department from its opening to its closing.
#[derive(Clone, Debug)]
pub struct Department {
    /// Doctors, all alike [count]; without any, nobody is seen.
    pub doctors: u32,
    /// The most urgent first.
    pub classes: Vec<Class>,
    /// Length of the shift.
    pub open: SimDuration,
}

impl Department {
    /// A day of a middling town: 3 urgent and 12 minor patients an hour.
    pub fn example(doctors: u32) -> Self {
        let minutes = |minutes: u64| SimDuration::from_secs(minutes * 60);
        let urgent = Class { name: "urgent", gap: minutes(20), treatment: minutes(25), patience: None };
        let minor = Class { name: "minor", gap: minutes(5), treatment: minutes(10), patience: Some(minutes(60)) };
        Self { doctors, classes: vec![urgent, minor], open: minutes(24 * 60) }
    }
}
// ANCHOR_END: department

// ANCHOR: plugin
/// The domain, as the registry knows it.
pub struct EmergencyDepartment;

register_plugin!(Domain, EmergencyDepartment);

impl Domain for EmergencyDepartment {
    fn id(&self) -> &'static str {
        "emergency_department"
    }

    fn summary(&self) -> &'static str {
        "Patients of several urgencies, a pool of doctors, and patience that ends."
    }
}
// ANCHOR_END: plugin
