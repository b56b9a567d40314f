//! What happens beside the way of a specimen: walking, doors, tokens, doubts, calls, the control desk, tools.

use super::{
    floor::{AGENTS, AIRLOCK, CONTAINMENT, DEVICES, ROLES, WALK_S, WAYS},
    lane::LADDER,
    model::{Draft, Model, Stage},
    signing::{Tamper, key_of},
};
use serde_json::json;

impl Model<'_> {
    pub(super) fn walk(&mut self, pick: usize, twist: u16) {
        let (agent, home) = AGENTS[pick % 10];
        let (zone, until_s) = self.people[agent];
        let ways: Vec<&str> = WAYS
            .iter()
            .filter_map(|&(a, b)| if a == zone { Some(b) } else { (b == zone).then_some(a) })
            .filter(|&to| to != CONTAINMENT || twist % 8 == 7)
            .collect();
        // People who left their place go home, or the lane ends.
        let to = if zone != home && ways.contains(&home) { home } else { ways[usize::from(twist) % ways.len()] };
        let mut args = json!({"from_zone": zone, "to_zone": to});
        if twist.is_multiple_of(5) {
            args = json!({"entity_type": "Specimen", "entity_id": self.specimens[self.choose(pick)].id, "from_zone": zone, "to_zone": to});
        }
        let is_specimen = twist.is_multiple_of(5);
        self.send(Draft::new(agent, "MOVE", args).from(if twist.is_multiple_of(3) { 0 } else { until_s }));
        if !is_specimen && to != CONTAINMENT {
            self.people.insert(agent, (to, self.now_s + WALK_S));
            // And back, so that the next step of a lane finds them where they belong.
            if zone == home && twist % 4 != 1 {
                let back = json!({"from_zone": to, "to_zone": home});
                self.send(Draft::new(agent, "MOVE", back).from(self.now_s + WALK_S));
                self.people.insert(agent, (home, self.now_s + WALK_S));
            }
        }
    }

    pub(super) fn door(&mut self, pick: usize, twist: u16) {
        let agent = ["A_SUPERVISOR", "A_RUNNER", "A_SECURITY"][pick % 3];
        let door = ["D_MAIN_INNER", AIRLOCK, "D_WASTE"][usize::from(twist) % 3];
        let action = if twist.is_multiple_of(2) { "CLOSE_DOOR" } else { "OPEN_DOOR" };
        let mut draft = Draft::new(agent, action, json!({"door_id": door}));
        let token = "T_ENTRY".to_owned();
        if door == AIRLOCK && action == "OPEN_DOOR" && twist % 4 == 1 {
            draft = draft.with_token(token);
        }
        self.send(draft);
        if action == "OPEN_DOOR" && twist % 16 > 9 {
            // Left open, until somebody looks: the second time is no slip any more.
            let limit_s = if door == "D_MAIN_INNER" { 610 } else { 210 };
            self.now_s += limit_s;
            self.send(Draft::new(["A_SUPERVISOR", "A_RUNNER"][pick % 2], "TICK", json!({})));
            self.send(Draft::new(["A_SUPERVISOR", "A_RUNNER"][pick % 2], "MOVE", json!({"to_zone": "Z_ACCESSIONING"})));
            self.send(Draft::new("A_SUPERVISOR", "MOVE", json!({"to_zone": "Z_SRA_RECEPTION"})));
        }
    }

    /// Asks for a token; which, and how well, depends on the twist.
    pub(super) fn mint_something(&mut self, pick: usize, twist: u16) {
        let n = self.choose(pick);
        let subject = self.specimens[n].id.clone();
        let result = self.specimens[n].result.clone();
        let pair = |a: &str, b: &str| json!([{"approver_agent_id": a, "approver_key_id": "k:1"}, {"approver_agent_id": b, "approver_key_id": "k:2"}]);
        let request = |agent: &str, kind: &str, (subject_type, subject): (&str, &str), reason: &str, approvals| {
            Draft::new(
                agent,
                "MINT_TOKEN",
                json!({
                    "token_type": kind, "subject_type": subject_type, "subject_id": subject, "reason_code": reason,
                    "approvals": approvals,
                }),
            )
        };
        let risk = "OVERRIDE_RISK_ACCEPTANCE";
        let both = || pair("A_SUPERVISOR", "A_CLINSCI");
        let twist = if self.setup.honest { twist % 2 } else { twist % 20 };
        let draft = match twist {
            0 => self.risk_request("specimen", &format!("{subject}_{}", self.events), "TIME_EXPIRED"),
            1 => self.risk_request("result", &format!("{result}X{}", self.events), "TIME_EXPIRED"),
            2 => request(
                "A_SUPERVISOR",
                "TOKEN_RESTRICTED_ENTRY",
                ("agent", "A_SUPERVISOR"),
                "RBAC_RESTRICTED_ENTRY_DENY",
                json!([]),
            ),
            3 => request(
                "A_SECURITY",
                "TOKEN_EMERGENCY_ACCESS",
                ("agent", "A_SECURITY"),
                "SYS_DOWNTIME_ACTIVE",
                pair("A_SUPERVISOR", "A_SECURITY"),
            ),
            4 => request(
                "A_SUPERVISOR",
                "TOKEN_CHAIN_OF_CUSTODY",
                ("consignment", "CONS_1"),
                "TRANSPORT_CHAIN_OF_CUSTODY_BROKEN",
                pair("A_SUPERVISOR", "A_SECURITY"),
            ),
            5 => request(
                "A_SUPERVISOR",
                "TOKEN_QC_DRIFT_OVERRIDE",
                ("result", &result),
                "QC_DRIFT_SUSPECTED",
                json!([{"approver_agent_id": "A_QC", "approver_key_id": "k:qc"}]),
            ),
            // What is wrong, from here on: type, subject, reasons, approvals.
            6 => request("A_SUPERVISOR", "TOKEN_OF_NO_TYPE", ("specimen", &subject), "TIME_EXPIRED", both()),
            7 => request("A_SUPERVISOR", risk, ("agent", "A_SUPERVISOR"), "TIME_EXPIRED", both()),
            8 => request("A_SUPERVISOR", risk, ("specimen", &subject), "QC_FAIL_ACTIVE", both()),
            9 => Draft::new(
                "A_SUPERVISOR",
                "MINT_TOKEN",
                json!({
                    "token_type": risk, "subject_type": "specimen", "subject_id": subject, "approvals": both(),
                }),
            ),
            10 => request(
                "A_SUPERVISOR",
                risk,
                ("specimen", &subject),
                "TIME_EXPIRED",
                pair("A_SUPERVISOR", "A_SUPERVISOR"),
            ),
            11 => {
                request("A_SUPERVISOR", risk, ("specimen", &subject), "TIME_EXPIRED", pair("A_SUPERVISOR", "A_RUNNER"))
            }
            12 => {
                request("A_CLINSCI", risk, ("specimen", &subject), "TIME_EXPIRED", json!(["A_SUPERVISOR", "A_CLINSCI"]))
            }
            13 => Draft::new("A_SUPERVISOR", "MINT_TOKEN", json!({"token_type": risk})),
            14 => request("A_QC", risk, ("specimen", &subject), "TIME_EXPIRED", both()),
            15 => request(
                "A_CLINSCI",
                "TOKEN_RESTRICTED_ENTRY",
                ("agent", "A_SUPERVISOR"),
                "RBAC_RESTRICTED_ENTRY_DENY",
                json!([]),
            ),
            16 => request("A_SUPERVISOR", risk, ("specimen", &subject), "TIME_EXPIRED", json!([])),
            17 => request(
                "A_SUPERVISOR",
                "TOKEN_MAINTENANCE_MODE",
                ("device", "DEV_CHEM_A_01"),
                "SYS_DOWNTIME_ACTIVE",
                json!([{"approver_agent_id": "A_SUPERVISOR"}]),
            ),
            18 => request("A_SUPERVISOR", risk, ("consignment", "CONS_2"), "TRANSPORT_TEMP_EXCURSION", both()),
            _ => self.risk_request("specimen", &subject, "TIME_EXPIRED"),
        };
        let draft = if twist < 2 { draft.honest() } else { draft };
        self.send(draft.clone());
        self.believe_minted(&draft);
    }

    /// Goes into containment and out again, with tokens of several kinds.
    pub(super) fn enter(&mut self, twist: u16) {
        let into = json!({"from_zone": "Z_SRA_RECEPTION", "to_zone": CONTAINMENT});
        let out = json!({"from_zone": CONTAINMENT, "to_zone": "Z_SRA_RECEPTION"});
        let token = ["T_ENTRY", "T_SHORT", "T_LATER", "T_MINTED", "T_REVOKED", "T_ODD", "T_NOBODY", "T_RISK"]
            [usize::from(twist / 8) % 8];
        match twist % 8 {
            0 | 1 => {
                let request = Draft::new(
                    "A_SUPERVISOR",
                    "MINT_TOKEN",
                    json!({
                        "token_type": "TOKEN_RESTRICTED_ENTRY", "subject_type": "agent", "subject_id": "A_SUPERVISOR",
                        "reason_code": "RBAC_RESTRICTED_ENTRY_DENY", "approvals": [],
                    }),
                );
                self.send(request.clone());
                self.believe_minted(&request);
                let Some(token) = self.usable_token("A_SUPERVISOR", "RBAC_RESTRICTED_ENTRY_DENY") else { return };
                self.use_up(std::slice::from_ref(&token));
                self.send(Draft::new("A_SUPERVISOR", "MOVE", into).with_token(token.clone()));
                self.send(
                    Draft::new("A_SUPERVISOR", "OPEN_DOOR", json!({"door_id": AIRLOCK}))
                        .with_token(token)
                        .from(self.now_s + 11),
                );
                self.send(Draft::new("A_SUPERVISOR", "MOVE", out.clone()));
                self.send(Draft::new("A_SUPERVISOR", "OPEN_DOOR", json!({"door_id": AIRLOCK})).with_token("T_ENTRY"));
                self.send(Draft::new("A_SUPERVISOR", "MOVE", out).from(self.now_s + 20));
                self.now_s += WALK_S;
            }
            2 => self.send(Draft::new("A_SUPERVISOR", "MOVE", into)),
            3 => self.send(Draft::new("A_INSIDER_0", "OPEN_DOOR", json!({"door_id": AIRLOCK})).with_token("T_ENTRY")),
            4 => self.send(Draft::new("A_SUPERVISOR", "MOVE", into).with_token(token)),
            5 => self.send(Draft::new("A_SUPERVISOR", "OPEN_DOOR", json!({"door_id": AIRLOCK})).with_token(token)),
            6 => self.send(Draft::new("A_SUPERVISOR", "MOVE", out)),
            _ => {
                self.send(
                    Draft::new("A_SUPERVISOR", "OPEN_DOOR", json!({"door_id": AIRLOCK}))
                        .because("TIME_EXPIRED")
                        .with_token(token),
                );
            }
        }
    }

    /// Overrides a limit: runs a specimen, or releases a result, with a token that fits or does not.
    pub(super) fn overrule(&mut self, pick: usize, twist: u16) {
        let n = self.choose(pick);
        let specimen = self.specimens[n].clone();
        let run = || json!({"device_id": specimen.panel.device(), "run_id": format!("RUN_X{}", self.events), "specimen_ids": [specimen.id]});
        let result = json!({"result_id": specimen.result});
        let analyst = specimen.panel.analyst();
        let draft = match twist % 12 {
            0..=3 => {
                // Told and acknowledged results only: an override is no way around that.
                for _ in 0..3 {
                    let stage = self.specimens[n].stage;
                    if matches!(stage, Stage::Running | Stage::Resulted | Stage::Told)
                        && (self.setup.critical || stage != Stage::Resulted)
                    {
                        self.lane(n);
                    }
                }
                let (kind, subject) = if twist.is_multiple_of(2) || specimen.result.is_empty() {
                    ("specimen", specimen.id.clone())
                } else {
                    ("result", specimen.result.clone())
                };
                let request = self.risk_request(kind, &subject, "TIME_EXPIRED");
                self.send(request.clone());
                self.believe_minted(&request);
                let Some(token) = self.usable_token(&subject, "TIME_EXPIRED") else { return };
                self.use_up(std::slice::from_ref(&token));
                let specimen = &self.specimens[n];
                if specimen.result.is_empty() {
                    let args = json!({"device_id": specimen.panel.device(), "run_id": format!("RUN_X{}", self.events), "specimen_ids": [specimen.id]});
                    let id = args["run_id"].as_str().unwrap_or_default().to_owned();
                    self.send(
                        Draft::new(analyst, "START_RUN_OVERRIDE", args)
                            .justified("TIME_EXPIRED")
                            .with_token(token.clone()),
                    );
                    self.send(
                        Draft::new(analyst, "GENERATE_RESULT", json!({"result_id": format!("R_{id}"), "run_id": id}))
                            .from(self.now_s + 60),
                    );
                    self.send(Draft::new(analyst, "RELEASE_RESULT", json!({"result_id": format!("R_{id}")})));
                    return;
                }
                let args = json!({"result_id": specimen.result});
                let agent = [analyst, "A_SUPERVISOR", "A_CLINSCI"][pick % 3];
                self.specimens[n].stage = Stage::Released;
                Draft::new(agent, "RELEASE_RESULT_OVERRIDE", args).justified("TIME_EXPIRED").with_token(token)
            }
            4 => Draft::new(analyst, "RELEASE_RESULT_OVERRIDE", result).justified("TIME_EXPIRED"),
            5 => Draft::new(analyst, "START_RUN_OVERRIDE", run()).justified("TIME_EXPIRED"),
            6 => Draft::new(analyst, "START_RUN_OVERRIDE", run()).with_token("T_RISK").because("TIME_EXPIRED"),
            7 => Draft::new(analyst, "START_RUN_OVERRIDE", run()).with_token("T_RISK").justified("TIME_EXPIRED"),
            8 => Draft::new("A_CLINSCI", "RELEASE_RESULT_OVERRIDE", result)
                .with_token("T_RESULT")
                .justified("TIME_EXPIRED"),
            9 => Draft::new(analyst, "START_RUN_OVERRIDE", run()).with_token("T_RISK").justified("QC_FAIL_ACTIVE"),
            10 => Draft::new(analyst, "START_RUN", run()).with_token("T_RISK"),
            _ => {
                let used = self
                    .tokens
                    .iter()
                    .rev()
                    .find(|token| token.used)
                    .map_or("T_RISK".to_owned(), |token| token.id.clone());
                Draft::new(analyst, "START_RUN_OVERRIDE", run())
                    .with_token(used.clone())
                    .with_token(used)
                    .justified("TIME_EXPIRED")
            }
        };
        self.send(draft);
    }

    pub(super) fn revoke(&mut self, pick: usize) {
        let known = self.tokens.get(pick % (self.tokens.len() + 1)).map(|token| token.id.clone());
        let token = known.unwrap_or_else(|| ["T_ENTRY", "T_RISK", "T_NOBODY", "T_WARM"][pick % 4].to_owned());
        let agent = ["A_SUPERVISOR", "A_SECURITY"][pick % 2];
        self.send(Draft::new(agent, "REVOKE_TOKEN", json!({"token_id": token})));
    }

    pub(super) fn quality(&mut self, pick: usize, twist: u16) {
        let (device, worker) = DEVICES[2 + pick % 4];
        let agent = if twist.is_multiple_of(2) && device.ends_with("A_01") { "A_QC" } else { worker };
        let honest = self.setup.honest;
        let agent = if honest || worker == "A_OPS_0" { worker } else { agent };
        match twist % 6 {
            _ if honest => {
                self.send(Draft::new(agent, "QC_EVENT", json!({"device_id": device, "qc_outcome": "pass"})).honest())
            }
            0 => self.send(Draft::new(agent, "QC_EVENT", json!({"device_id": device, "qc_outcome": "fail"}))),
            1 => self.send(Draft::new(agent, "QC_EVENT", json!({"device_id": device}))),
            2 => {
                self.send(Draft::new(worker, "QC_EVENT", json!({"device_id": device, "qc_outcome": "fail"})));
                self.lane(pick);
                self.send(Draft::new(worker, "QC_EVENT", json!({"device_id": device, "qc_outcome": "pass"})));
            }
            3 => self.send(Draft::new(agent, "QC_EVENT", json!({"device_id": device, "qc_outcome": "Maybe"}))),
            _ => self.send(Draft::new(agent, "QC_EVENT", json!({"device_id": device, "qc_outcome": "pass"}))),
        }
    }

    /// Holds a result, or asks for a rerun of a held one; a specimen that runs again goes back on its way.
    pub(super) fn doubt(&mut self, pick: usize, twist: u16) {
        let n = self.choose(pick);
        let stage = self.specimens[n].stage;
        if stage == Stage::Running {
            self.lane(n);
        }
        let result = json!({"result_id": self.specimens[n].result});
        let agent = ["A_SUPERVISOR", self.specimens[n].panel.analyst()][pick % 2];
        match twist % 5 {
            0 => self.send(Draft::new(agent, "HOLD_RESULT", result)),
            1 => self.send(Draft::new(agent, "RERUN_REQUEST", result)),
            _ => {
                self.send(Draft::new(agent, "HOLD_RESULT", result.clone()).because("QC_DRIFT_SUSPECTED"));
                if twist % 5 > 2 {
                    self.send(Draft::new(agent, "RERUN_REQUEST", result));
                    let specimen = &mut self.specimens[n];
                    if matches!(specimen.stage, Stage::Resulted | Stage::Told | Stage::Acknowledged) {
                        specimen.stage = if specimen.panel.is_spun() { Stage::Aliquoted } else { Stage::Accepted };
                        specimen.attempts = 0;
                        specimen.tier = 0;
                    }
                }
            }
        }
    }

    pub(super) fn set_aside(&mut self, pick: usize, twist: u16) {
        let n = self.choose(pick);
        let one = json!({"specimen_id": self.specimens[n].id});
        let action = ["HOLD_SPECIMEN", "REJECT_SPECIMEN"][usize::from(twist) % 2];
        let draft = Draft::new("A_RECEPTION", action, one.clone());
        self.send(if twist % 4 < 3 { draft.because("INT_CLOTTED") } else { draft });
        if action == "HOLD_SPECIMEN" && twist % 8 < 6 {
            self.send(Draft::new("A_RECEPTION", "ACCEPT_SPECIMEN", one));
        } else if self.specimens[n].stage < Stage::Queued && twist % 4 < 3 {
            self.specimens[n].stage = Stage::Gone;
        }
    }

    pub(super) fn end_run(&mut self, pick: usize) {
        let n = self.choose(pick);
        let (run, ready_s, agent) = {
            let specimen = &self.specimens[n];
            (specimen.run.clone(), specimen.ready_s, specimen.panel.analyst())
        };
        if run.is_empty() {
            if !self.setup.honest {
                self.send(Draft::new(agent, "END_RUN", json!({"run_id": "RUN_NOBODY"})));
            }
            return;
        }
        let draft = Draft::new(agent, "END_RUN", json!({"run_id": run}));
        self.send(if self.setup.honest || !pick.is_multiple_of(3) { draft.from(ready_s).honest() } else { draft });
    }

    pub(super) fn transport(&mut self, pick: usize, twist: u16) {
        let acute: Vec<usize> =
            (0..self.specimens.len()).filter(|&n| self.specimens[n].stage < Stage::Arrived).collect();
        if let Some(&n) = acute.get(pick % acute.len().max(1)) {
            if !self.setup.honest && twist % 4 == 1 {
                // Dispatched, and received before anybody signed, or before it is there.
                self.lane(n);
                let consignment = json!({"consignment_id": self.specimens[n].consignment});
                self.send(Draft::new("A_RUNNER", "RECEIVE_TRANSPORT", consignment.clone()));
                self.send(Draft::new("A_RUNNER", "RECEIVE_TRANSPORT", consignment).from(self.now_s + 720));
                return;
            }
            if self.setup.honest || !twist.is_multiple_of(4) {
                (0..=twist % 3).for_each(|_| self.lane(n));
                return;
            }
        }
        if self.setup.honest {
            return self.send(Draft::new("A_RUNNER", "TRANSPORT_TICK", json!({})).honest());
        }
        let id = self.specimens[self.choose(pick)].id.clone();
        let consignment = json!({"consignment_id": format!("CONS_{}", 1 + pick % 2)});
        let ids = |ids: &[&str]| json!({"specimen_ids": ids, "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"});
        let draft = match twist % 10 {
            0 => Draft::new("A_RUNNER", "DISPATCH_TRANSPORT", ids(&[&id])),
            1 => Draft::new(
                "A_RUNNER",
                "DISPATCH_TRANSPORT",
                json!({"specimen_ids": [id], "origin_site": "SITE_HUB", "dest_site": "SITE_ACUTE"}),
            ),
            2 => Draft::new("A_RUNNER", "DISPATCH_TRANSPORT", ids(&[])),
            3 => Draft::new("A_RUNNER", "DISPATCH_TRANSPORT", ids(&["S_NOBODY"])),
            4 => Draft::new("A_ANALYTICS", "RECEIVE_TRANSPORT", consignment),
            5 => Draft::new("A_RUNNER", "RECEIVE_TRANSPORT", consignment)
                .with_token("T_WARM")
                .because("TRANSPORT_TEMP_EXCURSION"),
            6 => Draft::new("A_RUNNER", "CHAIN_OF_CUSTODY_SIGN", consignment),
            7 => Draft::new("A_RUNNER", "RECEIVE_TRANSPORT", json!({"consignment_id": "CONS_99"})),
            _ => Draft::new("A_RUNNER", "TRANSPORT_TICK", json!({})),
        };
        self.send(draft);
    }

    /// Calls about a result: in order, out of order, without saying what must be said.
    pub(super) fn communicate(&mut self, pick: usize, twist: u16) {
        let n = self.choose(pick);
        if self.specimens[n].stage == Stage::Running {
            self.lane(n);
        }
        let (mut call, mut answer) = (self.call(n), self.answer(n));
        let tier = self.specimens[n].tier;
        let draft = match twist % 8 {
            0 | 1 => Draft::new("A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", call),
            2 => {
                call["channel"] = json!("pigeon");
                Draft::new("A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", call)
            }
            3 => {
                answer["read_back_confirmed"] = json!(false);
                Draft::new("A_SUPERVISOR", "ACK_CRITICAL_RESULT", answer)
            }
            4 => {
                answer["outcome"] = json!(null);
                Draft::new("A_SUPERVISOR", "ACK_CRITICAL_RESULT", answer)
            }
            5 => {
                let far = LADDER[(tier + 2) % 4].0;
                Draft::new(
                    "A_SUPERVISOR",
                    "ESCALATE_CRITICAL_RESULT",
                    json!({"result_id": self.specimens[n].result, "next_role": far}),
                )
            }
            _ => {
                let next = (tier + 1) % 4;
                let (role, _) = LADDER[if self.specimens[n].attempts == 0 { 0 } else { next }];
                let args = json!({"result_id": self.specimens[n].result, "next_role": role});
                let wait_s = if twist % 8 == 6 { self.specimens[n].told_s + LADDER[tier].1 } else { 0 };
                Draft::new("A_SUPERVISOR", "ESCALATE_CRITICAL_RESULT", args).from(wait_s)
            }
        };
        let escalated = draft.action == "ESCALATE_CRITICAL_RESULT" && twist % 8 == 6;
        let told = draft.action == "NOTIFY_CRITICAL_RESULT" && twist % 8 != 2;
        self.send(draft);
        let now_s = self.now_s;
        let specimen = &mut self.specimens[n];
        if (escalated || told) && !specimen.result.is_empty() {
            if escalated && specimen.attempts > 0 {
                specimen.tier = (tier + 1) % 4;
            } else {
                specimen.tier = 0;
            }
            specimen.attempts += 1;
            specimen.told_s = now_s;
            if specimen.stage == Stage::Resulted {
                specimen.stage = Stage::Told;
            }
        }
    }

    /// The control desk, with its own key or another.
    pub(super) fn desk(&mut self, pick: usize, twist: u16) {
        let inject = |id: &str| json!({"specimen_id": id, "panel_id": "HAEM_PANEL_CORE", "container_type": "EDTA", "collection_ts_s": 0});
        let (agent, role) = (AGENTS[pick % 10].0, ROLES[pick % 10]);
        let lift = |kind: &str, target: &str| {
            Draft::new("SYSTEM", "LIFT_ENFORCEMENT", json!({"kind": kind, "target": target}))
        };
        let draft = match twist % 20 {
            0 | 1 => Draft::new("SYSTEM", "UPDATE_ROSTER", json!({"roster": {agent: role}})),
            2 => Draft::new("SYSTEM", "UPDATE_ROSTER", json!({"roster": {agent: "ROLE_OPS"}})),
            3 => Draft::new("SYSTEM", "UPDATE_ROSTER", json!({"roster": {agent: "ROLE_OF_NOBODY"}})),
            4 | 5 => Draft::new("SYSTEM", "INJECT_SPECIMEN", inject(&format!("I{}", self.events))),
            6 => Draft::new("SYSTEM", "INJECT_SPECIMEN", inject("S1")),
            7 => Draft::new("SYSTEM", "INJECT_SPECIMEN", json!({"specimen_id": "I1", "collection_ts_s": "noon"})),
            8 => Draft::new("A_SUPERVISOR", "UPDATE_ROSTER", json!({"roster": {"A_SUPERVISOR": "R_SYSTEM_CONTROL"}})),
            9 => Draft::new("SYSTEM", "TICK", json!({})),
            10 => lift("log", ""),
            11 | 12 => lift("agent", agent),
            13 | 14 => lift("throttle", ["A_SUPERVISOR", "A_RUNNER", "A_ANALYTICS", "A_RECEPTION"][pick % 4]),
            15 => lift("device", DEVICES[pick % 6].0),
            16 => lift("zone", ["Z_SRA_RECEPTION", CONTAINMENT, "Z_ANALYZER_HALL_A", "Z_INGRESS_DOCK"][pick % 4]),
            17 => lift("gravity", "Z_SRA_RECEPTION"),
            _ => {
                // Everything that may be in force is lifted: afterwards work goes on.
                self.send(lift("log", ""));
                for target in ["A_SUPERVISOR", "A_RUNNER", "A_ANALYTICS", "A_RECEPTION", "A_PREAN", "A_OPS_0"] {
                    self.send(lift(["agent", "throttle"][usize::from(twist / 20) % 2], target));
                }
                for agent in ["A_SUPERVISOR", "A_RUNNER", "A_ANALYTICS", "A_RECEPTION", "A_PREAN", "A_OPS_0"] {
                    self.send(Draft::new(agent, "TICK", json!({})));
                }
                for zone in [CONTAINMENT, "Z_ANALYZER_HALL_A", "Z_INGRESS_DOCK", "Z_QC_SUPERVISOR"] {
                    self.send(lift("zone", zone));
                }
                lift("zone", "Z_SRA_RECEPTION")
            }
        };
        let tampered = match twist / 20 % 12 {
            0 => Tamper::PayloadBit(twist),
            1 => Tamper::ClaimsKey(key_of("A_SUPERVISOR")),
            2 => Tamper::NoSignature,
            3 => Tamper::SignatureBit(twist),
            _ => Tamper::Nothing,
        };
        let mut draft = draft;
        draft.tamper = tampered;
        draft.key_id = match twist / 20 % 12 {
            4 => Some(key_of("A_SUPERVISOR")),
            5 => Some("script:role:SYSTEM".into()),
            6 => Some(["script:revoked:SYSTEM", "script:expired:SYSTEM", "script:future:SYSTEM"][pick % 3].into()),
            _ => None,
        };
        self.send(draft);
    }

    /// The next step of a lane, with a tool.
    pub(super) fn tool(&mut self, pick: usize, twist: u16) {
        let n = self.choose(pick);
        let Some(mut draft) = self.next_step(n) else { return };
        draft.tool = Some(["read_lims_v1", "forbidden_v1", "unknown_v1"][usize::from(twist) % 3]);
        draft.args["tool_args"] = match twist / 3 % 4 {
            0 => json!({"n": 9}),
            1 => json!({"n": "nine"}),
            _ => json!({"n": 2}),
        };
        draft.honest = false;
        self.send(draft);
    }
}
