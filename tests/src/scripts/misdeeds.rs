//! Events with something wrong: who, where, what, when, with what signature, or not an event at all.

use super::{
    floor::{AGENTS, CENTRIFUGE, DEVICES},
    model::{Draft, Model, Stage},
    signing::{Tamper, key_of},
};
use serde_json::{Value, json};

impl Model<'_> {
    /// Takes a step of a lane and does something wrong with it, or something that is wrong from the start.
    pub(super) fn misdeed(&mut self, pick: usize, twist: u16) {
        let n = self.choose(pick);
        let specimen = self.specimens[n].clone();
        let panel = specimen.panel;
        let device = panel.device();
        let analyst = panel.analyst();
        let one = || json!({"specimen_id": specimen.id});
        let anyone = AGENTS[usize::from(twist / 64) % 10].0;
        let step = self.next_step(n);
        let draft = match twist % 50 {
            // The right step by the wrong agent, in the wrong place, too early, out of turn.
            0 => step.map(|mut step| {
                step.agent = anyone.to_owned();
                step
            }),
            1 => step.map(|mut step| {
                step.agent = "A_NOBODY".to_owned();
                step
            }),
            2 => step.map(|step| step.from(0)),
            3 => step.map(|mut step| {
                step.agent = "A_FENCED".to_owned();
                step
            }),
            4 => step.map(|step| step.with_token("T_ENTRY")),
            5 => step.map(|step| step.with_token("T_NOBODY")),
            6 => step.map(|mut step| {
                step.args["specimen_id"] = json!("S_NOBODY");
                step
            }),
            7 => step.map(|mut step| {
                step.args["device_id"] = json!("DEV_NOBODY");
                step
            }),
            8 => step.map(|mut step| {
                step.args["device_id"] = json!(DEVICES[usize::from(twist / 64) % 6].0);
                step
            }),
            // Signatures. Without signatures these are honest steps.
            9..=15 => step.map(|step| self.with_bad_signature(step, twist)),
            16 => return self.go_back(pick, step),
            // Steps that have nothing to do with how far the specimen is.
            17 => Some(Draft::new("A_RECEPTION", "CREATE_ACCESSION", one())),
            18 => Some(Draft::new("A_RECEPTION", "ACCEPT_SPECIMEN", one())),
            19 => Some(Draft::new("A_RECEPTION", "CHECK_ACCEPTANCE_RULES", one())),
            20 => {
                // Everything into the centrifuge, tube by tube: it has two units.
                let ids: Vec<String> = self.specimens.iter().map(|specimen| specimen.id.clone()).collect();
                for id in ids {
                    let args = json!({"device_id": CENTRIFUGE, "specimen_ids": [id]});
                    self.send(Draft::new("A_PREAN", "CENTRIFUGE_START", args));
                }
                None
            }
            21 => {
                let many: Vec<String> = (0..61).map(|i| format!("S{i}")).collect();
                Some(Draft::new("A_PREAN", "CENTRIFUGE_START", json!({"device_id": CENTRIFUGE, "specimen_ids": many})))
            }
            22 => Some(Draft::new(
                "A_PREAN",
                "CENTRIFUGE_END",
                json!({"device_id": CENTRIFUGE, "specimen_ids": [specimen.id]}),
            )),
            23 => Some(Draft::new(
                "A_RUNNER",
                "ALIQUOT_CREATE",
                json!({"specimen_id": specimen.id, "aliquot_id": format!("A_{}", specimen.id)}),
            )),
            24 => Some(Draft::new("A_RUNNER", "ALIQUOT_CREATE", one())),
            25 => Some(Draft::new(analyst, "QUEUE_RUN", json!({"device_id": device, "work_id": specimen.id}))),
            26 => Some(Draft::new(analyst, "QUEUE_RUN", json!({"device_id": device}))),
            27 => Some(Draft::new(
                Self::worker(DEVICES[2 + pick % 4].0),
                "START_RUN",
                json!({"device_id": DEVICES[2 + pick % 4].0}),
            )),
            28 => Some(Draft::new(analyst, "START_RUN", json!({"device_id": device, "work_id": "S_NOBODY"}))),
            29 => {
                let run = if specimen.run.is_empty() { "RUN_1".to_owned() } else { specimen.run.clone() };
                Some(Draft::new(analyst, "START_RUN", json!({"device_id": device, "run_id": run})))
            }
            30 => Some(Draft::new(analyst, "START_RUN", json!({}))),
            31 => {
                Some(Draft::new(analyst, "GENERATE_RESULT", json!({"result_id": "R_INVENTED", "run_id": "RUN_NOBODY"})))
            }
            32 => Some(Draft::new(
                analyst,
                "GENERATE_RESULT",
                json!({"result_id": specimen.result, "run_id": specimen.run}),
            )),
            33 => {
                // What the analyser did not measure.
                if specimen.stage == Stage::Queued {
                    self.lane(n);
                }
                let (run, ready_s) = (self.specimens[n].run.clone(), self.specimens[n].ready_s);
                let args = json!({"result_id": format!("R_F{}", self.events), "run_id": run, "value": -77.5});
                Some(Draft::new(analyst, "GENERATE_RESULT", args).from(ready_s))
            }
            34 => Some(Draft::new(analyst, "RELEASE_RESULT", json!({"result_id": specimen.result}))),
            35 => Some(Draft::new("A_CLINSCI", "RELEASE_RESULT", json!({"result_id": "R_INVENTED"}))),
            36 => Some(Draft::new("A_RECEPTION", "HOLD_SPECIMEN", one())),
            37 => Some(Draft::new("A_RUNNER", "OPEN_DOOR", json!({"door_id": "D_NOBODY"}))),
            38 => Some(Draft::new(anyone, "MOVE", json!({"to_zone": "Z_COLD_FREEZER"}))),
            39 => Some(Draft::new(anyone, "MOVE", json!({"entity_id": "A_RUNNER", "to_zone": "Z_ACCESSIONING"}))),
            40 => Some(Draft::new(
                anyone,
                ["TELEPORT", "END_RUN", "ALARM", "NOOP"][usize::from(twist / 64) % 4],
                json!({"run_id": "RUN_1"}),
            )),
            41 => Some(Draft::new("A_PREAN", "CENTRIFUGE_START", json!({"device_id": CENTRIFUGE}))),
            42 => Some(Draft::new(analyst, "RERUN_REQUEST", json!({"result_id": specimen.result}))),
            43 => {
                // A second result of the same run.
                Some(Draft::new(
                    analyst,
                    "GENERATE_RESULT",
                    json!({"result_id": format!("R_S{}", self.events), "run_id": specimen.run}),
                ))
            }
            44 => {
                // Everything about one specimen again and again: caps and throttles are met.
                for _ in 0..4 {
                    self.send(Draft::new("A_SUPERVISOR", "TICK", json!({})));
                    self.send(Draft::new(
                        "A_QC",
                        "QC_EVENT",
                        json!({"device_id": "DEV_CHEM_A_01", "qc_outcome": "pass"}),
                    ));
                }
                None
            }
            45 => Some(Draft::new("A_EVERYTHING", ["ALARM", "DEVICE_FAULT", "RECEIVE_BATCH"][pick % 3], json!({}))),
            46 => Some(Draft::new("A_STRAY", ["TICK", "QC_EVENT"][pick % 2], json!({"device_id": "DEV_CHEM_A_01"}))),
            47 if specimen.stage == Stage::Aliquoted => {
                // What waited too long, or got warm, is run as if nothing were the matter.
                self.send(Draft::new(analyst, "QUEUE_RUN", json!({"device_id": device, "work_id": specimen.id})));
                Some(Draft::new(analyst, "START_RUN", json!({"device_id": device, "specimen_ids": [specimen.id]})))
            }
            47 | 48 => Some(Draft::new("A_RUNNER", "RECEIVE_TRANSPORT", json!({"consignment_id": "CONS_1"}))),
            _ => {
                let device = ["DEV_CHEM_A_01", "DEV_HAEM_01"][pick % 2];
                Some(Draft::new("A_FENCED", "QC_EVENT", json!({"device_id": device})))
            }
        };
        if let Some(mut draft) = draft {
            draft.honest = false;
            self.send(draft.clone());
            // A badly signed step may be let through where nobody asks for signatures.
            if (9..=15).contains(&(twist % 50)) && draft.tamper != Tamper::Nothing {
                self.believe_if_voluntary(n, &draft);
            }
        }
    }

    fn with_bad_signature(&self, mut step: Draft, twist: u16) -> Draft {
        let own = key_of(&step.agent);
        step.tamper = match twist % 50 {
            9 => Tamper::PayloadBit(twist.rotate_left(5)),
            10 => Tamper::SignatureBit(twist.rotate_left(5)),
            11 => Tamper::ClaimsKey(key_of(AGENTS[usize::from(twist / 64) % 10].0)),
            12 => [Tamper::NoSignature, Tamper::NoKey][usize::from(twist / 64) % 2].clone(),
            13 => Tamper::Text(["", "AAAA", "GOLDEN_TEST_ACCEPT", "\u{e9}"][usize::from(twist / 64) % 4].into()),
            // Correct signatures by keys that are good for nothing.
            14 => Tamper::ClaimsKey(format!(
                "script:{}:{}",
                ["revoked", "expired", "future", "role"][usize::from(twist / 64) % 4],
                step.agent
            )),
            _ => Tamper::ClaimsKey("script:nobody".into()),
        };
        step.key_id = Some(own);
        if let Tamper::ClaimsKey(key) = &step.tamper
            && key.ends_with(&step.agent)
        {
            // The signature is that of the key it names; the key is what is wrong.
            step.key_id = Some(key.clone());
        }
        step
    }

    /// Where signatures are voluntary a bad one does not block.
    fn believe_if_voluntary(&mut self, n: usize, draft: &Draft) {
        if !matches!(self.setup.signing, super::Signing::Strict) {
            self.believe(n, draft);
        }
    }

    /// Time runs backwards.
    fn go_back(&mut self, pick: usize, step: Option<Draft>) {
        let draft = step.unwrap_or_else(|| Draft::new("A_RUNNER", "TICK", json!({})));
        let t_s = [self.now_s - 1, -5, 0, self.now_s - 600][pick % 4];
        let event = self.event(&draft, t_s);
        let signs = !matches!(self.setup.signing, super::Signing::Nobody | super::Signing::Control);
        let key = signs.then(|| key_of(&draft.agent));
        self.record(event, key, Tamper::Nothing, false);
    }

    /// Not an event: a key of the wrong type, in the envelope or among the arguments.
    pub(super) fn malformed(&mut self, pick: usize, twist: u16) {
        let n = self.choose(pick);
        let draft = self.next_step(n).unwrap_or_else(|| Draft::new("A_RUNNER", "TICK", json!({})));
        let mut event = self.event(&draft, self.now_s);
        let junk = [json!(7), json!(true), json!([1]), json!({"a": 1}), json!("x"), Value::Null]
            [usize::from(twist / 16) % 6]
            .clone();
        let keys = [
            "event_id",
            "t_s",
            "agent_id",
            "action_type",
            "args",
            "reason_code",
            "token_refs",
            "tool_id",
            "rationale",
            "key_id",
            "signature",
        ];
        let arguments = [
            "specimen_id",
            "specimen_ids",
            "device_id",
            "run_id",
            "result_id",
            "value",
            "to_zone",
            "approvals",
            "roster",
            "tool_args",
            "id_match",
            "read_back_confirmed",
            "priority",
        ];
        if twist.is_multiple_of(2) {
            event.insert(keys[usize::from(twist / 2) % keys.len()].into(), junk);
        } else if let Some(args) = event.get_mut("args").and_then(Value::as_object_mut) {
            args.insert(arguments[usize::from(twist / 2) % arguments.len()].into(), junk);
        }
        if twist % 16 == 9 {
            event.remove(keys[usize::from(twist / 64) % keys.len()]);
        }
        self.record(event, None, Tamper::Nothing, false);
    }

    /// An event that was sent before comes again, with its own id and time or as a new one.
    pub(super) fn again(&mut self, pick: usize, twist: u16) {
        let Some(earlier) = self.steps.len().checked_sub(1 + pick % 6) else { return };
        let mut step = self.steps[earlier].clone();
        if !twist.is_multiple_of(3) {
            step.event.insert("t_s".into(), json!(self.now_s));
        }
        if twist % 3 > 1 {
            self.events += 1;
            step.event.insert("event_id".into(), json!(format!("e{}", self.events)));
        }
        step.begins_batch = twist.is_multiple_of(2);
        step.honest = false;
        self.steps.push(step);
        if twist.is_multiple_of(7) && self.specimens.iter().all(|specimen| specimen.stage != Stage::Gone) {
            self.now_s += 1;
        }
    }
}
