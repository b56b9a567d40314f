//! Who is not known, and whose role does not have an action, does nothing.

use super::Grounds;
use crate::AssuranceError;
use crate::suite::defences::{Course, Defences};
use crate::suite::model::Expected;
use crate::suite::scene::{Bench, START_S, event, play};
use crate::suite::trial::{Came, Trial};
use serde_json::{Value, json};

/// Releases R1 as somebody; what came of it by the state.
fn release(bench: &Bench, defences: &Defences<'_>, agent: &str) -> Result<Came, AssuranceError> {
    let mut engine = bench.engine(defences)?;
    let refused = play(&mut *engine, &event("suite", START_S, agent, "RELEASE_RESULT", json!({ "result_id": "R1" })));
    let status = engine.query("result_status('R1')").unwrap_or_default();
    Ok(match refused {
        _ if status.as_str().is_some_and(|status| status.eq_ignore_ascii_case("released")) => Came::passed(),
        Some(code) => Came::stopped("engine.role", &code),
        None => Came { arrived: 1, ..Came::default() },
    })
}

/// Strangers, roles without the right, and roles whose list is empty.
pub(super) fn denied_by_default(grounds: &Grounds<'_>) -> Result<Trial, AssuranceError> {
    let policy = &grounds.bench.policy;
    let mut roles: Value = policy.value("rbac/rbac_policy.v0.1.yaml")?;
    roles["rbac_policy"]["roles"]["ROLE_SUPERVISOR"]["allowed_actions"] = json!([]);
    let text = roles.to_string();
    let emptied = policy.with_text("rbac/rbac_policy.v0.1.yaml", &text);
    let domain = grounds.registry.lab_domain("hospital_lab").map_err(|error| AssuranceError::Invalid {
        file: "the program".to_owned(),
        place: "hospital_lab".to_owned(),
        problem: error.to_string(),
    })?;
    let emptied = Bench::new(domain.load(&emptied)?, &emptied)?;
    let courses = grounds.courses(|defences| {
        let mut came = Came::default();
        for agent in ["A_NOBODY", "A_RECEPTION", "A_RUNNER", "A_PREAN", "A_QC", "a_analytics", ""] {
            came.add(&release(grounds.bench, defences, agent)?);
        }
        came.add(&release(&emptied, defences, "A_SUPERVISOR")?);
        Ok(came)
    })?;
    let entitled = release(grounds.bench, &grounds.defences(Course::All), "A_ANALYTICS")?;
    Ok(Trial::each(Expected::Blocked, courses, entitled.through == 1))
}
