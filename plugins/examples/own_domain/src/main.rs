//! Prints what one more doctor brings.

use labtrust_example_own_domain::{Department, Outcome, study};
use labtrust_kernel::stats::Interval;
use labtrust_plugin::Registry;
use std::{error::Error, io::Write};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for entry in Registry::linked()?.entries() {
        writeln!(out, "{} {} {}\n", entry.plugin.kind(), entry.plugin.id(), entry.version)?;
    }
    let leaving = |shift: &Outcome| Some(100.0 * shift.left[1] as f64 / shift.arrived[1] as f64);
    let text = |figure: Option<Interval>| figure.map_or("-".into(), |i| format!("{:.1} ±{:.1}", i.mean, i.half_width));
    writeln!(out, "doctors   urgent wait [min]   minor wait [min]   minor leaving [%]   by the last doctor")?;
    let mut before = Vec::new();
    for doctors in 3..=6 {
        let department = Department::example(doctors);
        let shifts = study::replicate(&department, 12345, 30);
        let wait = |class: usize| text(study::interval(shifts.iter().map(|shift| shift.waits_min[class].mean())));
        let (left, gain) = (study::interval(shifts.iter().map(leaving)), study::gain(&before, &shifts, leaving));
        writeln!(out, "{doctors:>7}{:>20}{:>19}{:>20}{:>21}", wait(0), wait(1), text(left), text(gain))?;
        let worst = shifts.iter().map(|shift| shift.little_gap(department.open)).fold(0.0, f64::max);
        assert!(worst < 1e-9, "Little's law is missed by {worst:e}");
        before = shifts;
    }
    Ok(())
}
