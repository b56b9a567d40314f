//! A method whose agents submit bids, as somebody outside would write it; shown in the reference.

use labtrust_plugin::method::{Combined, Submission, Submitting};
use labtrust_plugin::prelude::*;

/// Each bids for one specimen at reception; who has done least so far bids least.
pub(crate) struct Volunteers {
    /// How much each agent of the site has been given [count].
    given: Vec<i64>,
}

const WORK: [(Stage, Act); 3] = [
    (Stage::Checked, Act::AcceptSpecimen),
    (Stage::Accessioned, Act::CheckAcceptanceRules),
    (Stage::Arrived, Act::CreateAccession),
];

impl Submitting for Volunteers {
    const ID: &'static str = "org.example.volunteers";
    const SUMMARY: &'static str = "Everybody bids for work at reception, and who has done least gets it.";
    type Params = NoParams;

    fn new(_: NoParams, site: &Site) -> Result<Self, Problem> {
        Ok(Self { given: vec![0; site.agents.len()] })
    }

    fn propose(&mut self, seen: &Observation, me: u16) -> Result<Option<Submission>, Problem> {
        if !seen.is_idle(me) {
            return Ok(None);
        }
        let mine = WORK.iter().filter(|(_, act)| seen.may(me, *act));
        let mut work = mine.flat_map(|&(stage, act)| seen.at(stage).map(move |specimen| (act, specimen.place)));
        let cost = self.given[usize::from(me)];
        Ok(work.next().map(|(act, place)| Submission::Bid { work: Choice::new(me, act).specimen(place), cost }))
    }

    fn combine_submissions(
        &mut self,
        submissions: &[(u16, Submission)],
        _: &Observation,
        out: &mut Decision,
    ) -> Result<(), Problem> {
        labtrust_plugin::method::combine(submissions, out);
        for choice in &out.choices {
            self.given[usize::from(choice.agent)] += 1;
        }
        Ok(())
    }
}
register_method!(Combined<Volunteers>);
