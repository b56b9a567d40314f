//! The honest way of a specimen: what comes next, who does it, and what follows from it.

use super::{
    floor::{ALIQUOT_S, CENTRIFUGE, DEVICES, RUN_S, SPIN_S, TRAVEL_S, UNIT_S, maintenance},
    model::{Draft, Model, Stage, Token},
    setup::Begin,
};
use serde_json::{Value, json};

/// Contacts of the escalation ladder, from the first.
pub(super) const LADDER: [(&str, i64); 4] =
    [("primary_contact", 300), ("secondary", 600), ("consultant_registrar", 900), ("duty_manager", 1200)];

impl Model<'_> {
    /// Does the next step of a specimen's way.
    pub(super) fn lane(&mut self, pick: usize) {
        let specimen = self.choose(pick);
        if let Some(draft) = self.next_step(specimen) {
            self.send(draft.clone());
            self.believe(specimen, &draft);
        }
    }

    /// The next step of a specimen's way; `None` at its end.
    pub(super) fn next_step(&self, n: usize) -> Option<Draft> {
        let specimen = &self.specimens[n];
        let panel = specimen.panel;
        let one = json!({"specimen_id": specimen.id});
        let many = json!([specimen.id]);
        let consignment = json!({"consignment_id": specimen.consignment});
        let overruled = matches!(specimen.begin, Begin::Stale | Begin::Warm);
        let reason = if specimen.begin == Begin::Warm { "TEMP_OUT_OF_BAND" } else { "TIME_EXPIRED" };
        let spun = panel.is_spun() || overruled;
        let draft = match specimen.stage {
            Stage::Acute => Draft::new(
                "A_RUNNER",
                "DISPATCH_TRANSPORT",
                json!({"specimen_ids": many, "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"}),
            ),
            Stage::Dispatched => Draft::new("A_RUNNER", "CHAIN_OF_CUSTODY_SIGN", consignment),
            Stage::Signed => {
                let draft = Draft::new("A_RUNNER", "RECEIVE_TRANSPORT", consignment);
                match self.setup.excursion {
                    true => draft.because("TRANSPORT_TEMP_EXCURSION").with_token(self.excursion_token(specimen)?),
                    false => draft,
                }
            }
            Stage::Arrived => Draft::new("A_RECEPTION", "CREATE_ACCESSION", one),
            Stage::Accessioning => {
                let match_ = specimen.begin != Begin::Mislabelled;
                let args = json!({"specimen_id": specimen.id, "id_match": match_});
                Draft::new("A_RECEPTION", "CHECK_ACCEPTANCE_RULES", args)
            }
            Stage::Checked => Draft::new("A_RECEPTION", "ACCEPT_SPECIMEN", one),
            Stage::Accepted if spun => {
                let args = json!({"device_id": CENTRIFUGE, "specimen_ids": many});
                Draft::new("A_PREAN", "CENTRIFUGE_START", args).from(self.unit_free())
            }
            Stage::Spinning => {
                let args = json!({"device_id": CENTRIFUGE, "specimen_ids": many});
                Draft::new("A_PREAN", "CENTRIFUGE_END", args)
            }
            Stage::Separated => {
                let args = json!({"specimen_id": specimen.id, "aliquot_id": format!("A_{}", specimen.id)});
                Draft::new("A_RUNNER", "ALIQUOT_CREATE", args).from(self.device_free("DEV_ALIQUOTER_01"))
            }
            Stage::Aliquoted if overruled => {
                let Some(token) = self.usable_token(&specimen.id, reason) else {
                    return Some(self.risk_request("specimen", &specimen.id, reason).honest());
                };
                let run = format!("RUN_{}", self.runs + 1);
                let args = json!({"device_id": panel.device(), "run_id": run, "specimen_ids": many});
                Draft::new(panel.analyst(), "START_RUN_OVERRIDE", args)
                    .justified(reason)
                    .with_token(token)
                    .from(self.device_free(panel.device()))
            }
            Stage::Accepted | Stage::Aliquoted => {
                let args = json!({"device_id": panel.device(), "work_id": specimen.id});
                Draft::new(panel.analyst(), "QUEUE_RUN", args)
            }
            Stage::Queued => {
                let args = json!({"device_id": panel.device(), "run_id": format!("RUN_{}", self.runs + 1)});
                Draft::new(panel.analyst(), "START_RUN", args).from(self.device_free(panel.device()))
            }
            Stage::Running => {
                let mut args = json!({"result_id": format!("R{}", self.results + 1), "run_id": specimen.run});
                if !self.setup.enforced {
                    // Nobody measures in the open workflow: the event says what was found.
                    let (analyte, units) = panel.analyte();
                    args["analyte_code"] = json!(analyte);
                    args["units"] = json!(units);
                    args["value"] = json!(if self.setup.critical { panel.critical_value() } else { 1.0 });
                }
                Draft::new(panel.analyst(), "GENERATE_RESULT", args)
            }
            Stage::Resulted if self.setup.critical => {
                Draft::new("A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", self.call(n))
            }
            Stage::Told => Draft::new("A_SUPERVISOR", "ACK_CRITICAL_RESULT", self.answer(n)),
            Stage::Resulted | Stage::Acknowledged => {
                Draft::new(panel.analyst(), "RELEASE_RESULT", json!({"result_id": specimen.result}))
            }
            Stage::Released | Stage::Gone => return None,
        };
        let from_s = draft.from_s.max(specimen.ready_s);
        Some(draft.from(from_s).honest())
    }

    /// The model after a step of a specimen's way.
    pub(super) fn believe(&mut self, n: usize, draft: &Draft) {
        let now_s = self.now_s;
        let simulated = self.setup.simulated;
        let takes = |time_s: i64| now_s + if simulated { time_s } else { 0 };
        let panel = self.specimens[n].panel;
        let specimen = &mut self.specimens[n];
        match draft.action.as_str() {
            "DISPATCH_TRANSPORT" => {
                self.dispatched += 1;
                specimen.consignment = format!("CONS_{}", self.dispatched);
                specimen.stage = Stage::Dispatched;
            }
            "CHAIN_OF_CUSTODY_SIGN" => {
                specimen.stage = Stage::Signed;
                specimen.ready_s = takes(TRAVEL_S);
            }
            "RECEIVE_TRANSPORT" => specimen.stage = Stage::Arrived,
            "CREATE_ACCESSION" => specimen.stage = Stage::Accessioning,
            "CHECK_ACCEPTANCE_RULES" => specimen.stage = Stage::Checked,
            "ACCEPT_SPECIMEN" => {
                let fine = !matches!(specimen.begin, Begin::Leaking | Begin::Underfilled | Begin::Mislabelled);
                specimen.stage = if fine { Stage::Accepted } else { Stage::Gone };
            }
            "CENTRIFUGE_START" => {
                specimen.stage = Stage::Spinning;
                specimen.ready_s = takes(SPIN_S);
                self.spins.push(takes(UNIT_S));
            }
            "CENTRIFUGE_END" => specimen.stage = Stage::Separated,
            "ALIQUOT_CREATE" => {
                specimen.stage = Stage::Aliquoted;
                specimen.ready_s = takes(ALIQUOT_S);
                self.occupy("DEV_ALIQUOTER_01", takes(ALIQUOT_S));
            }
            "QUEUE_RUN" => {
                specimen.stage = Stage::Queued;
                let device = self.devices.entry(panel.device()).or_default();
                device.queue.push(n);
                // The n-th specimen is ROUTINE, URGENT or STAT; a stable sort keeps requests in order.
                device.queue.sort_by_key(|&n| 2 - n % 3);
            }
            "START_RUN" => {
                let device = self.devices.entry(panel.device()).or_default();
                let head = if device.queue.is_empty() { n } else { device.queue.remove(0) };
                self.begin_run(head, takes(RUN_S));
            }
            "START_RUN_OVERRIDE" => {
                self.use_up(&draft.tokens);
                self.begin_run(n, takes(RUN_S));
            }
            "GENERATE_RESULT" => {
                self.results += 1;
                specimen.result = format!("R{}", self.results);
                specimen.stage = Stage::Resulted;
            }
            "NOTIFY_CRITICAL_RESULT" => {
                specimen.attempts += 1;
                specimen.told_s = now_s;
                specimen.stage = Stage::Told;
            }
            "ACK_CRITICAL_RESULT" => specimen.stage = Stage::Acknowledged,
            "RELEASE_RESULT" => specimen.stage = Stage::Released,
            "MINT_TOKEN" => self.believe_minted(draft),
            _ => {}
        }
    }

    fn begin_run(&mut self, n: usize, ends_s: i64) {
        self.runs += 1;
        let device = self.specimens[n].panel.device();
        self.occupy(device, ends_s);
        let specimen = &mut self.specimens[n];
        specimen.run = format!("RUN_{}", self.runs);
        specimen.stage = Stage::Running;
        specimen.ready_s = ends_s;
    }

    fn occupy(&mut self, device: &'static str, until_s: i64) {
        self.devices.entry(device).or_default().free_s = until_s;
    }

    /// When a device can start [s].
    fn device_free(&self, device: &str) -> i64 {
        let free_s = self.devices.get(device).map_or(0, |device| device.free_s);
        match maintenance(device).filter(|_| self.setup.simulated) {
            Some((from_s, to_s)) if (from_s..to_s).contains(&free_s.max(self.now_s)) => to_s,
            _ => free_s,
        }
    }

    /// When one of the two units of the centrifuge is free [s].
    fn unit_free(&self) -> i64 {
        let mut busy: Vec<i64> = self.spins.iter().copied().filter(|&until_s| until_s > self.now_s).collect();
        busy.sort_unstable_by(|a, b| b.cmp(a));
        busy.get(1).copied().unwrap_or(0)
    }

    /// Arguments of a call about a specimen's result.
    pub(super) fn call(&self, n: usize) -> Value {
        json!({
            "result_id": self.specimens[n].result, "channel": "phone", "receiver_role": LADDER[0].0,
            "message_template_id": "CRIT_1",
        })
    }

    /// Arguments of the answer to the newest call.
    pub(super) fn answer(&self, n: usize) -> Value {
        let specimen = &self.specimens[n];
        json!({
            "result_id": specimen.result,
            "attempt_id": format!("{}_attempt_{}", specimen.result, specimen.attempts.saturating_sub(1)),
            "channel": "phone", "receiver_role": LADDER[specimen.tier].0, "receiver_name_or_id": "Dr X",
            "receiver_location_or_org": "ward 3", "read_back_confirmed": true, "outcome": "reached",
        })
    }

    fn excursion_token(&self, specimen: &super::model::Specimen) -> Option<String> {
        // The first consignment has a token from the beginning; the others are left where they are.
        (specimen.consignment == "CONS_1").then(|| "T_WARM".to_owned())
    }

    /// A token for a subject and reason that the model has asked for and not used.
    pub(super) fn usable_token(&self, subject: &str, reason: &str) -> Option<String> {
        let fits = |token: &&Token| !token.used && token.subject == subject && token.reason == reason;
        self.tokens.iter().find(fits).map(|token| token.id.clone())
    }

    /// A request to accept a risk, approved by both roles.
    pub(super) fn risk_request(&self, subject_type: &str, subject: &str, reason: &str) -> Draft {
        let approvals = json!([
            {"approver_agent_id": "A_SUPERVISOR", "approver_key_id": "k:supervisor"},
            {"approver_agent_id": "A_CLINSCI", "approver_key_id": "k:clinsci"},
        ]);
        Draft::new(
            "A_SUPERVISOR",
            "MINT_TOKEN",
            json!({
                "token_type": "OVERRIDE_RISK_ACCEPTANCE", "subject_type": subject_type, "subject_id": subject,
                "reason_code": reason, "approvals": approvals,
            }),
        )
    }

    /// The token that a request leads to, if it is granted.
    pub(super) fn believe_minted(&mut self, draft: &Draft) {
        let text = |key: &str| draft.args[key].as_str().unwrap_or_default().to_owned();
        let kinds = [
            "OVERRIDE_RISK_ACCEPTANCE",
            "TOKEN_QC_DRIFT_OVERRIDE",
            "TOKEN_RESTRICTED_ENTRY",
            "TOKEN_EMERGENCY_ACCESS",
            "TOKEN_CHAIN_OF_CUSTODY",
        ];
        let reasons = [
            "TIME_EXPIRED",
            "TEMP_OUT_OF_BAND",
            "QC_DRIFT_SUSPECTED",
            "RBAC_RESTRICTED_ENTRY_DENY",
            "SYS_DOWNTIME_ACTIVE",
            "TRANSPORT_CHAIN_OF_CUSTODY_BROKEN",
            "TRANSPORT_TEMP_EXCURSION",
        ];
        let (kind, subject, reason) = (text("token_type"), text("subject_id"), text("reason_code"));
        let Some(&kind) = kinds.iter().find(|&&known| known == kind) else { return };
        let Some(&reason) = reasons.iter().find(|&&known| known == reason) else { return };
        let family = if kind.contains("OVERRIDE") { "OVR" } else { kind };
        let mut id = format!("T_{family}_{subject}");
        let base = id.clone();
        for number in 2.. {
            if !self.tokens.iter().any(|token| token.id == id) {
                break;
            }
            id = format!("{base}_{number}");
        }
        self.tokens.push(Token { id, subject, reason, used: false });
    }

    pub(super) fn use_up(&mut self, ids: &[String]) {
        for token in self.tokens.iter_mut().filter(|token| ids.contains(&token.id)) {
            token.used = true;
        }
    }

    /// Who works a device.
    pub(super) fn worker(device: &str) -> &'static str {
        DEVICES.iter().find(|(known, _)| *known == device).map_or("A_ANALYTICS", |(_, agent)| agent)
    }
}
