//! An agent policy: it says in every step what one agent does. Each agent has an instance of its own.
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

/// Takes the first work that the agent may do where it stands and that is not a colleague's, or walks to where there is some.
pub struct FirstMethod {
    params: Params,
    site: Site,
}

impl Agent for FirstMethod {
    const ID: &'static str = "org.example.first_method";
    const SUMMARY: &'static str = "Whoever is free takes the first work of their role that is not a colleague's.";
    type Params = Params;

    /// The start of an episode, for the agent `me`. A policy remembers nothing of earlier ones.
    fn new(params: Params, site: &Site, _me: u16) -> Result<Self, Problem> {
        Ok(Self { params, site: site.clone() })
    }

    /// One step. `None` is to do nothing.
    fn decide(&mut self, seen: &Observation, me: u16) -> Result<Option<Choice>, Problem> {
        if !seen.is_idle(me) {
            return Ok(None);
        }
        let column = &seen.agents;
        let (here, may) = (column.zone[usize::from(me)], column.may[usize::from(me)]);
        let mut jobs = work::list(&self.site, seen, self.params.patience_s);
        jobs.retain(|job| seen.may(me, job.act));
        let goal = jobs.first().and_then(|job| job.zone);
        // Everybody sees the same list. So that no two reach for the same work, they count themselves off.
        let is_colleague = |other: usize| column.zone[other] == here && column.may[other] == may;
        let before = (0..me).filter(|&other| seen.is_idle(other) && is_colleague(usize::from(other))).count();
        let mut at_hand = jobs.into_iter().filter(|job| job.zone.is_none() || job.zone == here);
        let walk = |goal| Choice::new(me, Act::Move).object(u32::from(goal));
        Ok(at_hand.nth(before).map(|job| job.choice(me)).or(goal.map(walk)))
    }
}

export_wasm!(FirstMethod);

#[cfg(test)]
mod tests {
    use super::FirstMethod;
    use labtrust_plugin::testing::check;

    #[test]
    fn it_decides_the_same_twice_and_survives_whatever_it_sees() {
        let tried = check::agent_policy::<FirstMethod>();
        assert!(tried.acts > 0, "it never does anything");
    }
}
