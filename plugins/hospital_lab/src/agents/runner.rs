//! Runner: separates, makes aliquots, arranges transport, as far as these are this runner's duties.
//!
//! Rules, first match:
//! 1. transport: receive a signed consignment that is due; dispatch what the episode asks for; sign for what is on
//!    its way;
//! 2. separation, at the centrifuges: take out what is spun; start a unit with all that wait when a batch should start
//!    (`separation.rs`);
//! 3. aliquots, at the aliquoter: make one for the first separated specimen;
//! 4. walk to the work: to the centrifuges if something is spun, to the aliquoter if something is separated, else to
//!    the first station of this runner's duties.
//!
//! A runner with one duty stands at its station and never walks again; a runner with both (alone on duty) goes back
//! and forth.

use super::scripted::{Memory, Rules, my_zone, on_specimen, walk};
use super::separation;
use super::team::{Team, pick};
use labtrust_plugin::lab::{
    ActionKind, AgentContext, Args, Decision, DeviceStatus, DeviceView, SpecimenView, Stage, Symbol, WorldView,
};

const CENTRIFUGE: &str = "CENTRIFUGE_BANK";
const ALIQUOTER: &str = "ALIQUOTER";

/// What a runner does.
#[derive(Clone, Copy, Debug)]
pub struct Duties {
    /// Centrifuges.
    pub separation: bool,
    /// Aliquots.
    pub aliquots: bool,
    /// Transport between sites.
    pub transport: bool,
}

/// The rules of a runner.
#[derive(Debug)]
pub struct Runner {
    duties: Duties,
    /// First specimens of the transports that this runner has dispatched.
    dispatched: Vec<Symbol>,
    team: Team,
}

impl Runner {
    /// A runner with these duties.
    #[must_use]
    pub fn new(duties: Duties) -> Self {
        Self { duties, dispatched: Vec::new(), team: Team::default() }
    }

    /// The same among the runners who have the same duties.
    #[must_use]
    pub fn in_team(self, team: Team) -> Self {
        Self { team, ..self }
    }

    fn transport(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let view = ctx.view;
        let under_way = || view.consignments.iter().filter(|c| !c.received);
        let on = |kind, id| memory.check(view, Decision::new(kind, Args { consignment: Some(id), ..Args::default() }));
        under_way()
            .filter(|c| c.signed && c.expected_arrival_s <= view.now_s)
            .find_map(|c| on(ActionKind::ReceiveTransport, c.id))
            .or_else(|| self.dispatch(view, memory))
            .or_else(|| under_way().filter(|c| !c.signed).find_map(|c| on(ActionKind::ChainOfCustodySign, c.id)))
    }

    fn dispatch(&mut self, view: &WorldView, memory: &Memory) -> Option<Decision> {
        let waits = |first: &Symbol| view.at(Stage::InTransit).any(|specimen| specimen.id == *first);
        let mut asked =
            view.transport_required.iter().filter_map(|(ids, from, to)| Some((ids.first()?, ids, from, to)));
        let (first, decision) = asked.find_map(|(first, ids, &from, &to)| {
            if self.dispatched.contains(first) || !waits(first) {
                return None;
            }
            let mut args = Args { specimens: ids.clone(), ..Args::default() };
            (args.rare_mut().origin_site, args.rare_mut().dest_site) = (Some(from), Some(to));
            Some((*first, memory.check(view, Decision::new(ActionKind::DispatchTransport, args))?))
        })?;
        self.dispatched.push(first);
        Some(decision)
    }

    fn separate(&self, ctx: &AgentContext<'_>, memory: &Memory, zone: usize) -> Option<Decision> {
        let view = ctx.view;
        let mut left = self.team.rank(ctx, &[Some(zone)]);
        let banks = || of_type(ctx, CENTRIFUGE).filter(move |(_, bank)| bank.zone == zone);
        let take_out = banks().filter_map(|(place, bank)| {
            let spun = view.at(Stage::Spun).filter(|tube| tube.device == Some(place));
            let args = Args { device: Some(bank.id), specimens: spun.map(|tube| tube.id).collect(), ..Args::default() };
            let full = !args.specimens.is_empty();
            memory.check(view, Decision::new(ActionKind::CentrifugeEnd, args)).filter(|_| full)
        });
        pick(take_out, &mut left).or_else(|| {
            // One batch at a time: who waits goes into the first bank that can take it.
            let works = |bank: &DeviceView| !matches!(bank.status, DeviceStatus::Fault | DeviceStatus::Maintenance);
            let free = || banks().map(|(_, bank)| bank).filter(|bank| bank.free_units > 0 && works(bank));
            let bank = free().next().filter(|_| left == 0)?;
            let waiting: Vec<&SpecimenView> = view.at(Stage::Accepted).take(bank.batch_capacity as usize).collect();
            let free_units = free().map(|bank| bank.free_units).sum();
            if !separation::should_start(view, bank, free_units, &waiting) {
                return None;
            }
            let specimens = waiting.iter().map(|specimen| specimen.id).collect();
            let args = Args { device: Some(bank.id), specimens, ..Args::default() };
            memory.check(view, Decision::new(ActionKind::CentrifugeStart, args))
        })
    }

    fn aliquot(&self, ctx: &mut AgentContext<'_>, memory: &Memory, zone: usize) -> Option<Decision> {
        let view = ctx.view;
        let rank = self.team.rank(ctx, &[Some(zone)]);
        let free = |device: &DeviceView| device.free_units > 0 && device.status == DeviceStatus::Idle;
        let stations = || of_type(ctx, ALIQUOTER).map(|(_, device)| device).filter(|d| d.zone == zone && free(d));
        // Without service times a station is free again at once, so several can use it in one step.
        let number = if view.simulated { rank } else { rank.checked_rem(stations().count())? };
        let station = stations().nth(number)?.id;
        let tubes = view.at(Stage::Separated).filter_map(|specimen| {
            let name = format!("{}_A1", ctx.symbols.text(specimen.id));
            let mut decision = on_specimen(ActionKind::AliquotCreate, specimen.id);
            decision.args.aliquot = Some(ctx.symbols.intern(&name));
            decision.args.device = Some(station);
            memory.check(view, decision)
        });
        pick(tubes, &mut { rank })
    }
}

/// Devices of a type with their places in the view.
fn of_type<'a>(ctx: &AgentContext<'a>, device_type: &str) -> impl Iterator<Item = (usize, &'a DeviceView)> + use<'a> {
    let device_type = ctx.symbols.get(device_type);
    ctx.view.devices.iter().enumerate().filter(move |(_, device)| Some(device.device_type) == device_type)
}

/// The device of a type to work at: the first that can take something, else the first.
fn station<'a>(ctx: &AgentContext<'a>, device_type: &str) -> Option<&'a DeviceView> {
    let all = || of_type(ctx, device_type).map(|(_, device)| device);
    all().find(|device| device.free_units > 0 && device.status == DeviceStatus::Idle).or_else(|| all().next())
}

impl Rules for Runner {
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        if self.duties.transport
            && let Some(decision) = self.transport(ctx, memory)
        {
            return Some(decision);
        }
        let bank = station(ctx, CENTRIFUGE).filter(|_| self.duties.separation);
        let aliquoter = station(ctx, ALIQUOTER).filter(|_| self.duties.aliquots);
        let here = my_zone(ctx)?;
        if let Some(bank) = bank.filter(|device| device.zone == here)
            && let Some(decision) = self.separate(ctx, memory, bank.zone)
        {
            return Some(decision);
        }
        if let Some(aliquoter) = aliquoter.filter(|device| device.zone == here)
            && let Some(decision) = self.aliquot(ctx, memory, aliquoter.zone)
        {
            return Some(decision);
        }
        let has = |stage| ctx.view.at(stage).next().is_some();
        let goal =
            bank.filter(|_| has(Stage::Spun)).or(aliquoter.filter(|_| has(Stage::Separated))).or(bank).or(aliquoter)?;
        walk(ctx, memory, goal.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scripted, test_view::Lab};
    use super::*;

    const SEPARATION: Duties = Duties { separation: true, aliquots: false, transport: true };
    const ALIQUOTS: Duties = Duties { separation: false, aliquots: true, transport: false };
    const BOTH: Duties = Duties { separation: true, aliquots: true, transport: false };

    fn lab(duties: Duties, zone: &str) -> (Lab, Scripted<Runner>) {
        let mut lab = Lab::new(&["Z_SORTING_LANES", "Z_CENTRIFUGE_BAY", "Z_ALIQUOT_LABEL"]);
        let bank = lab.device("BANK", CENTRIFUGE, "Z_CENTRIFUGE_BAY");
        (bank.free_units, bank.batch_capacity, bank.batch_wait_s) = (2, 3, 120);
        lab.device("ALIQ", ALIQUOTER, "Z_ALIQUOT_LABEL");
        lab.agent("A_RUNNER_0", zone);
        lab.view.horizon_s = Some(1500);
        (lab, Scripted::new(Runner::new(duties)))
    }

    #[test]
    fn a_runner_walks_to_the_station_of_its_duty() {
        let (mut lab_a, mut separates) = lab(SEPARATION, "Z_SORTING_LANES");
        assert_eq!(lab_a.said(&mut separates, 0), "MOVE Z_CENTRIFUGE_BAY");
        let (mut lab_b, mut aliquots) = lab(ALIQUOTS, "Z_CENTRIFUGE_BAY");
        lab_b.specimen("S1", Stage::Spun, 0, &[]);
        assert_eq!(lab_b.said(&mut aliquots, 0), "MOVE Z_ALIQUOT_LABEL");
    }

    #[test]
    fn a_batch_waits_for_company_unless_it_is_full() {
        let (mut lab, mut agent) = lab(SEPARATION, "Z_CENTRIFUGE_BAY");
        lab.specimen("S1", Stage::Accepted, 0, &[]);
        lab.view.now_s = 20;
        assert_eq!(lab.said(&mut agent, 0), "nothing");
        lab.specimen("S2", Stage::Accepted, 20, &[]);
        lab.specimen("S3", Stage::Accepted, 20, &[]);
        lab.specimen("S4", Stage::Accepted, 20, &[]);
        assert_eq!(lab.said(&mut agent, 0), "CENTRIFUGE_START S1 S2 S3 BANK");
    }

    #[test]
    fn without_service_times_nobody_waits() {
        let (mut lab, mut agent) = lab(SEPARATION, "Z_CENTRIFUGE_BAY");
        lab.view.simulated = false;
        lab.specimen("S1", Stage::Accepted, 0, &[]);
        assert_eq!(lab.said(&mut agent, 0), "CENTRIFUGE_START S1 BANK");
    }

    #[test]
    fn what_is_spun_is_taken_out_before_anything_starts() {
        let (mut lab, mut agent) = lab(SEPARATION, "Z_CENTRIFUGE_BAY");
        lab.specimen("S1", Stage::Accepted, 0, &[]);
        lab.specimen("S2", Stage::Spun, 0, &[]).device = Some(0);
        lab.view.now_s = 300;
        assert_eq!(lab.said(&mut agent, 0), "CENTRIFUGE_END S2 BANK");
    }

    #[test]
    fn a_bank_without_a_free_unit_starts_nothing() {
        let (mut lab, mut agent) = lab(SEPARATION, "Z_CENTRIFUGE_BAY");
        lab.view.devices[0].free_units = 0;
        lab.specimen("S1", Stage::Accepted, 0, &[]);
        lab.view.now_s = 900;
        assert_eq!(lab.said(&mut agent, 0), "nothing");
    }

    #[test]
    fn aliquots_are_made_one_by_one_while_the_station_is_free() {
        let (mut lab, mut agent) = lab(ALIQUOTS, "Z_ALIQUOT_LABEL");
        lab.specimen("S1", Stage::Separated, 0, &[]);
        assert_eq!(lab.said(&mut agent, 0), "ALIQUOT_CREATE S1 ALIQ S1_A1");
        lab.view.devices[1].status = DeviceStatus::Running;
        lab.view.devices[1].free_units = 0;
        assert_eq!(lab.said(&mut agent, 0), "nothing");
    }

    #[test]
    fn a_runner_alone_on_duty_goes_where_the_work_is() {
        let (mut lab, mut agent) = lab(BOTH, "Z_CENTRIFUGE_BAY");
        lab.specimen("S1", Stage::Separated, 0, &[]);
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_ALIQUOT_LABEL");
        lab.view.agents[0].zone = Some(2);
        lab.view.specimens[0].stage = Stage::Spun;
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_CENTRIFUGE_BAY");
    }

    #[test]
    fn a_transport_is_dispatched_once_signed_and_received_when_it_is_due() {
        let (mut lab, mut agent) = lab(SEPARATION, "Z_SORTING_LANES");
        lab.specimen("S1", Stage::InTransit, 0, &[]);
        let (s1, from, to) = (lab.id("S1"), lab.id("SITE_ACUTE"), lab.id("SITE_HUB"));
        lab.view.transport_required.push(([s1].into_iter().collect(), from, to));
        let dispatch = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!(dispatch.kind, ActionKind::DispatchTransport);
        assert_eq!((dispatch.args.rare().origin_site, dispatch.args.rare().dest_site), (Some(from), Some(to)));
        lab.consignment("CONS_1", 600);
        assert_eq!(lab.said(&mut agent, 0), "CHAIN_OF_CUSTODY_SIGN CONS_1");
        lab.view.consignments[0].signed = true;
        lab.view.now_s = 599;
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_CENTRIFUGE_BAY");
        lab.view.now_s = 600;
        assert_eq!(lab.said(&mut agent, 0), "RECEIVE_TRANSPORT CONS_1");
        lab.view.consignments[0].received = true;
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_CENTRIFUGE_BAY");
    }

    #[test]
    fn two_runners_empty_two_banks_and_two_others_make_two_aliquots() {
        let (mut lab, _) = lab(SEPARATION, "Z_CENTRIFUGE_BAY");
        lab.device("BANK_2", CENTRIFUGE, "Z_CENTRIFUGE_BAY");
        lab.view.simulated = false;
        for (agent, zone) in [("A1", "Z_CENTRIFUGE_BAY"), ("A2", "Z_ALIQUOT_LABEL"), ("A3", "Z_ALIQUOT_LABEL")] {
            lab.agent(agent, zone);
        }
        for (id, stage, device) in
            [("S1", Stage::Spun, 0), ("S2", Stage::Spun, 2), ("S3", Stage::Separated, 0), ("S4", Stage::Separated, 0)]
        {
            lab.specimen(id, stage, 0, &[]).device = Some(device);
        }
        let team = |members: [usize; 2]| Team::of(std::sync::Arc::from(members));
        let mut said = |duties, members, me| {
            let mut agent = Scripted::new(Runner::new(duties).in_team(team(members)));
            lab.said(&mut agent, me)
        };
        assert_eq!(said(SEPARATION, [0, 1], 0), "CENTRIFUGE_END S1 BANK");
        assert_eq!(said(SEPARATION, [0, 1], 1), "CENTRIFUGE_END S2 BANK_2");
        assert_eq!(said(ALIQUOTS, [2, 3], 2), "ALIQUOT_CREATE S3 ALIQ S3_A1");
        assert_eq!(said(ALIQUOTS, [2, 3], 3), "ALIQUOT_CREATE S4 ALIQ S4_A1");
    }
}
