//! A method as somebody outside would write it.

use labtrust_plugin::prelude::*;

params! {
    /// Parameters, as written in a study file.
    pub struct Params {
        /// Most agents that get a task in one decision [count].
        batch: u32 = 1000, 1..=1000;
    }
}

/// Gives each idle agent the first specimen of a stage that it may work on.
pub(crate) struct FirstCome {
    batch: usize,
    directed: Vec<u16>,
    calls: u32,
}

impl FirstCome {
    /// Its number of decisions in this episode [count].
    pub(crate) const fn calls(&self) -> u32 {
        self.calls
    }
}

const WORK: [(Stage, Act); 4] = [
    (Stage::Arrived, Act::CreateAccession),
    (Stage::Accessioned, Act::CheckAcceptanceRules),
    (Stage::Checked, Act::AcceptSpecimen),
    (Stage::Ready, Act::QueueRun),
];

impl Method for FirstCome {
    const ID: &'static str = "org.example.first_come";
    const SUMMARY: &'static str = "Each idle agent takes the first specimen it may work on.";
    type Params = Params;

    fn new(params: Params, site: &Site) -> Result<Self, Problem> {
        if site.agents.is_empty() {
            return Err(Problem::of_kind(ProblemKind::Site, "there is nobody to direct"));
        }
        Ok(Self { batch: params.batch as usize, directed: site.directed().collect(), calls: 0 })
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.calls += 1;
        let mut taken = Vec::new();
        for &agent in self.directed.iter().filter(|&&agent| seen.is_idle(agent)) {
            let mut work = WORK
                .iter()
                .filter(|(_, act)| seen.may(agent, *act))
                .flat_map(|&(stage, act)| seen.at(stage).map(move |specimen| (act, specimen)));
            if let Some((act, specimen)) = work.find(|(_, specimen)| !taken.contains(&specimen.place)) {
                taken.push(specimen.place);
                out.push(Choice::new(agent, act).specimen(specimen.place));
            }
            if out.choices.len() == self.batch {
                break;
            }
        }
        Ok(())
    }
}
export_native!(FirstCome);
export_wasm!(FirstCome);
register_method!(FirstCome);
