//! An agent policy as somebody outside would write it; shown in the reference.

use labtrust_plugin::prelude::*;

/// Takes the first specimen that waits at reception.
pub(crate) struct Receptionist;

impl Agent for Receptionist {
    const ID: &'static str = "org.example.receptionist";
    const SUMMARY: &'static str = "Registers the first specimen that has arrived.";
    type Params = NoParams;

    fn new(_: NoParams, _: &Site, _: u16) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn decide(&mut self, seen: &Observation, me: u16) -> Result<Option<Choice>, Problem> {
        if !seen.is_idle(me) || !seen.may(me, Act::CreateAccession) {
            return Ok(None);
        }
        let first = seen.at(Stage::Arrived).next();
        Ok(first.map(|specimen| Choice::new(me, Act::CreateAccession).specimen(specimen.place)))
    }
}
register_agent!(Receptionist); // compiled in
export_wasm!(Receptionist); // or a WebAssembly file of its own
