//! A coordination method: it says in every step what each of its agents does.
#![deny(unsafe_code)]

mod work;

use labtrust_plugin::prelude::*;

params! {
    /// Parameters, as written in a study file.
    pub struct Params {
        /// How long a tube waits for others before a centrifuge starts that is not full [s].
        patience_s: u32 = 60, 0..=3600;
    }
}

/// Everybody who is free takes the first work that they may do where they stand, or walks to where there is some.
pub struct FirstMethod {
    params: Params,
    site: Site,
}

impl Method for FirstMethod {
    const ID: &'static str = "org.example.first_method";
    const SUMMARY: &'static str = "Everybody who is free takes the first work of their role.";
    type Params = Params;

    /// The start of an episode. A method remembers nothing of earlier ones.
    fn new(params: Params, site: &Site) -> Result<Self, Problem> {
        Ok(Self { params, site: site.clone() })
    }

    /// One step. Who is not named in `out` does nothing.
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        let mut jobs = work::list(&self.site, seen, self.params.patience_s);
        for agent in self.site.directed().filter(|&agent| seen.is_idle(agent)) {
            let here = seen.agents.zone[usize::from(agent)];
            let may = |job: &&work::Job| seen.may(agent, job.act);
            if let Some(number) = jobs.iter().position(|job| may(&job) && (job.zone.is_none() || job.zone == here)) {
                out.push(jobs.remove(number).choice(agent));
            } else if let Some(goal) = jobs.iter().find(may).and_then(|job| job.zone) {
                out.walk(agent, goal);
            }
        }
        Ok(())
    }
}

export_wasm!(FirstMethod);

#[cfg(test)]
mod tests {
    use super::FirstMethod;
    use labtrust_plugin::testing::check;

    #[test]
    fn it_decides_the_same_twice_and_survives_whatever_it_sees() {
        let tried = check::coordination_method::<FirstMethod>();
        assert!(tried.acts > 0, "it never does anything");
    }
}
