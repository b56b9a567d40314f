//! A method made of another: earliest due, but reception takes no routine tube further while a STAT tube is on its counter.

use labtrust_example_earliest_due::{EarliestDue, Params};
use labtrust_plugin::prelude::*;

/// The method.
struct StatFirst(EarliestDue);

register_method!(StatFirst);

/// What takes a specimen on reception's counter further; `None` for one that is not there.
const fn next_act(stage: Stage) -> Option<Act> {
    match stage {
        Stage::Arrived => Some(Act::CreateAccession),
        Stage::Accessioned => Some(Act::CheckAcceptanceRules),
        Stage::Checked => Some(Act::AcceptSpecimen),
        _ => None,
    }
}

impl Method for StatFirst {
    const ID: &'static str = "org.example.stat_first";
    const SUMMARY: &'static str = "Earliest due, and reception takes no routine tube while a STAT tube waits for it.";
    type Params = Params;

    fn new(params: Params, site: &Site) -> Result<Self, Problem> {
        EarliestDue::new(params, site).map(Self)
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.0.decide(seen, out)?;
        let waits = |place: u32, stat: bool| {
            let specimen = seen.specimen(place);
            next_act(specimen.stage).filter(|_| (specimen.priority == Priority::Stat) == stat)
        };
        let taken: Vec<u32> = out.choices.iter().filter_map(|choice| choice.specimens.first().copied()).collect();
        let mut stat = (0..seen.specimens.key.len() as u32)
            .filter(|place| !taken.contains(place))
            .filter_map(|place| Some((place, waits(place, true)?)));
        // Whoever was to take a routine tube takes a STAT tube instead, as long as there are any.
        for choice in &mut out.choices {
            let routine = choice.specimens.first().is_some_and(|&place| waits(place, false).is_some());
            if let Some((place, act)) = if routine { stat.next() } else { None } {
                *choice = Choice::new(choice.agent, act).specimen(place);
            }
        }
        Ok(())
    }
}
