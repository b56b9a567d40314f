//! `night_shift`: four people, one hall, two to five tubes in the first five minutes, each third of them STAT.
//!
//! **Asks** whether a small crew gets everything out that comes at night. **Starts** with tubes at reception. The state is
//! the published form of an initial state; whoever works here without a method runs the scripted rules of their role.

use labtrust_hospital_lab::agents::{Analyst, Duties, Receptionist, Runner, Scripted, Supervisor};
use labtrust_kernel::Streams;
use labtrust_plugin::lab::AgentPolicy;
use labtrust_plugin::{AgentSeat, Opening, Task, TaskSpec, register_plugin};
use serde_json::{Map, Value, json};

const HALL: &str = "Z_ANALYZER_HALL_A";

/// Who works at night: name, id, role, and where the shift begins for them.
const CREW: [(&str, &str, &str, &str); 4] = [
    ("reception_0", "A_NIGHT_DESK", "ROLE_RECEPTION", "Z_SRA_RECEPTION"),
    ("runner_0", "A_NIGHT_RUNNER", "ROLE_RUNNER", "Z_SORTING_LANES"),
    ("ops_0", "A_NIGHT_ANALYST", "ROLE_ANALYTICS", HALL),
    ("supervisor_0", "A_NIGHT_SUPERVISOR", "ROLE_SUPERVISOR", "Z_QC_SUPERVISOR"),
];

/// The task.
struct NightShift;

register_plugin!(Task, NightShift);

static SPEC: TaskSpec = TaskSpec {
    max_steps: 120,
    max_steps_simulated: 180,
    dt_s: 10,
    sla_turnaround_s: Some(3600),
    attack_start_step: None,
    timing_mode: "explicit",
    reward_config: &[("throughput_reward", 1.0)],
    scripted_agents: &[],
    agent_set: "scripted_workflow_v1",
    baseline_id: "scripted_night_v1",
};

impl Task for NightShift {
    fn id(&self) -> &'static str {
        "night_shift"
    }

    fn spec(&self) -> &TaskSpec {
        &SPEC
    }

    fn initial_state(&self, seed: u64, _calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        // Streams of the task's own: no draw of the engine or of another task depends on them.
        let streams = Streams::new(seed);
        let (mut count, mut times) =
            (streams.stream("night_shift.count", "tubes"), streams.stream("night_shift.arrivals", "tubes"));
        let tubes = (0..count.between(2, 5)).map(|tube| {
            let id = format!("S_NIGHT_{seed}_{tube}");
            json!({
                "specimen_id": id,
                "patient_identifiers_hash": format!("pid:hash:{id}"),
                "collection_ts_s": 0,
                "arrival_ts_s": times.between(0, 300),
                "panel_id": "BIOCHEM_PANEL_CORE",
                "container_type": "SERUM_SST",
                "specimen_type": "SERUM",
                "fill_ratio_ok": true,
                "temp_band": "AMBIENT_20_25",
                "status": "arrived_at_reception",
                "priority_class": if tube % 3 == 2 { "STAT" } else { "ROUTINE" },
            })
        });
        let roster: Map<String, Value> = CREW.iter().map(|&(_, id, role, _)| (id.to_owned(), role.into())).collect();
        let agents = CREW.map(|(_, id, _, zone)| json!({ "agent_id": id, "zone_id": zone }));
        let state = json!({
            "system": { "now_s": 0, "downtime_active": false },
            "agents": agents,
            "roster": { "agents": roster },
            "specimens": tubes.collect::<Value>(),
            "reagent_initial_stock": { "R_CHEM_CORE": 1000.0 },
        });
        state.as_object().cloned().unwrap_or_default()
    }

    fn agents(&self, _opening: &Opening<'_>) -> Vec<AgentSeat> {
        let everything = Duties { separation: true, aliquots: true, transport: false };
        let policies: [Box<dyn AgentPolicy>; 4] = [
            Box::new(Scripted::new(Receptionist::default())),
            Box::new(Scripted::new(Runner::new(everything))),
            Box::new(Scripted::new(Analyst::new(HALL, &[HALL]))),
            Box::new(Scripted::new(Supervisor::default())),
        ];
        let seat = |((name, id, ..), policy): ((&'static str, &'static str, _, _), _)| AgentSeat {
            name: name.into(),
            agent_id: id.into(),
            attacker: false,
            policy,
        };
        CREW.into_iter().zip(policies).map(seat).collect()
    }
}
