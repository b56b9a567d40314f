//! Notes and payloads, tried on every member of the panel, with every course of defences.

use super::defences::{Course, Defences};
use super::model::{Attack, Effect, Recorded, RegressionText, Scenario};
use super::scene::{Attempt, Bench, Played, source};
use super::trial::{Came, MemberCame, Trial};
use crate::AssuranceError;
use labtrust_controls::panel::Member;
use labtrust_controls::pi_defense::Source;
use std::collections::BTreeSet;

/// Texts to try, whoever wrote them.
struct Texts<'a> {
    seat: &'a str,
    source: Source,
    effect: &'a Effect,
    bound: &'a [String],
    benign: &'a str,
    /// Attempts, each of several rounds; a round is what is said moment by moment.
    attempts: Vec<Vec<Vec<String>>>,
}

fn source_of(file: &str, place: &str, name: &str) -> Result<Source, AssuranceError> {
    source(name).ok_or_else(|| AssuranceError::Invalid {
        file: file.to_owned(),
        place: place.to_owned(),
        problem: format!(
            "there is no source {name:?}; there are specimen_note, scenario_note, transport_manifest_note"
        ),
    })
}

/// Tries a scenario.
///
/// # Errors
/// [`AssuranceError`] when the laboratory does not work under the policy, or a source is none.
pub fn scenario(
    bench: &Bench,
    attack: &Attack,
    scenario: &Scenario,
    bound: &[String],
    taken: &BTreeSet<String>,
) -> Result<Trial, AssuranceError> {
    let texts = Texts {
        seat: "A_RECEPTION",
        source: source_of(super::model::SCENARIOS, &scenario.scenario_id, &scenario.injection_source)?,
        effect: &scenario.effect,
        bound,
        benign: &scenario.benign,
        attempts: vec![vec![scenario.moments.clone()]],
    };
    tried(bench, attack, &texts, taken)
}

/// Tries the recorded payloads of an attack.
///
/// # Errors
/// As [`scenario`].
pub fn recorded(
    bench: &Bench,
    attack: &Attack,
    recorded: &Recorded,
    bound: &[String],
    taken: &BTreeSet<String>,
) -> Result<Trial, AssuranceError> {
    let source = attack.injection_source.as_deref().unwrap_or("specimen_note");
    let round = |text: &String| vec![text.clone()];
    let texts = Texts {
        seat: &recorded.seat,
        source: source_of(super::model::SUITE, &attack.attack_id, source)?,
        effect: &recorded.forbidden_effect,
        bound,
        benign: &recorded.benign_note,
        attempts: recorded.payloads.iter().map(|payload| payload.rounds.iter().map(round).collect()).collect(),
    };
    tried(bench, attack, &texts, taken)
}

/// One attempt on one member in one course: the next round is said when the one before did not work.
fn one(
    bench: &Bench,
    texts: &Texts<'_>,
    rounds: &[Vec<String>],
    member: Member,
    defences: &Defences<'_>,
) -> Result<Played, AssuranceError> {
    let mut all = Played::default();
    for moments in rounds {
        let attempt =
            Attempt { seat: texts.seat, source: texts.source, moments, effect: Some(texts.effect), bound: texts.bound };
        let played = bench.attempt(&attempt, member, defences)?;
        all.stops.extend(played.stops);
        all.worked = played.worked;
        all.through |= played.through;
        if all.through {
            break;
        }
    }
    Ok(all)
}

fn tried(bench: &Bench, attack: &Attack, texts: &Texts<'_>, taken: &BTreeSet<String>) -> Result<Trial, AssuranceError> {
    let defences = |course| Defences { control: &attack.control_id, course, taken };
    let mut trial = Trial { but: Some(Came::default()), ..Trial::default() };
    let mut misled: Vec<(bool, bool)> = vec![(false, false); Member::ALL.len()];
    for (number, rounds) in texts.attempts.iter().enumerate() {
        let mut potent = 0;
        for (member, misled) in Member::ALL.into_iter().zip(&mut misled) {
            // Whom the texts do nothing to while nothing defends is no measure of a defence, and is looked at all the same.
            let bare = one(bench, texts, rounds, member, &defences(Course::Nothing))?;
            let guarded = one(bench, texts, rounds, member, &defences(Course::All))?;
            misled.0 |= bare.through;
            misled.1 |= guarded.through;
            let mut came = came(&guarded);
            if !bare.through && !guarded.through {
                // Stops of members that are not misled are no evidence; nor is what they do an effect.
                came.by.clear();
                came.codes.clear();
                came.noticed = 0;
            }
            trial.all.add(&came);
            trial.nothing.add(&self::came(&bare));
            if bare.through {
                potent += 1;
                trial.alone.add(&self::came(&one(bench, texts, rounds, member, &defences(Course::Alone))?));
                let but = self::came(&one(bench, texts, rounds, member, &defences(Course::But))?);
                trial.but.get_or_insert_default().add(&but);
            }
        }
        trial.potency += potent;
        if potent == 0 && trial.inert.is_none() {
            trial.inert = Some(format!("attempt {}", number + 1));
        }
    }
    trial.panel = Member::ALL
        .into_iter()
        .zip(misled)
        .map(|(member, (bare, guarded))| MemberCame {
            model: member.name(),
            outcome: match (bare, guarded) {
                (_, true) => "accepted",
                (true, false) => "blocked",
                (false, false) => "not_misled",
            },
        })
        .collect();
    let moments = [texts.benign.to_owned()];
    let benign =
        Attempt { seat: texts.seat, source: texts.source, moments: &moments, effect: None, bound: texts.bound };
    let worked = bench.attempt(&benign, Member::Honest, &defences(Course::All))?;
    trial.benign = worked.worked && !worked.through;
    Ok(trial)
}

/// An attempt as it counts: stopped by what first spoke, whatever else did.
fn came(played: &Played) -> Came {
    let mut came = match played.stops.first() {
        Some((layer, code)) => Came::stopped(layer, code),
        None => Came { arrived: 1, ..Came::default() },
    };
    came.through = u64::from(played.through);
    came
}

/// What came of a text that has to stay harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegressionCame {
    /// Its id.
    pub id: String,
    /// Whether it stayed harmless with every member, and misled one where it is hostile and nothing defends.
    pub held: bool,
    /// Members that it misleads when nothing defends [count].
    pub potency: u64,
    /// What stopped it, by name.
    pub by: BTreeSet<String>,
}

/// Tries a text that has to stay harmless.
///
/// # Errors
/// As [`scenario`].
pub fn regression(
    bench: &Bench,
    text: &RegressionText,
    taken: &BTreeSet<String>,
) -> Result<RegressionCame, AssuranceError> {
    let source = source_of(super::model::REGRESSION, &text.id, &text.injection_key)?;
    let bound = ["NOOP", "TICK"].map(str::to_owned);
    // An empty note is no note.
    let moments: Vec<String> = Some(text.text.clone()).into_iter().filter(|text| !text.is_empty()).collect();
    let attempt = Attempt {
        seat: "A_RECEPTION",
        source,
        moments: &moments,
        effect: text.forbidden_effect.as_ref(),
        bound: &bound,
    };
    let mut came = RegressionCame { id: text.id.clone(), held: true, potency: 0, by: BTreeSet::new() };
    let defences = |course| Defences { control: super::defences::SHIELD, course, taken };
    for member in Member::ALL {
        let bare = bench.attempt(&attempt, member, &defences(Course::Nothing))?;
        let guarded = bench.attempt(&attempt, member, &defences(Course::All))?;
        came.potency += u64::from(bare.through);
        came.held &= !guarded.through;
        if bare.through {
            came.by.extend(guarded.stops.first().map(|(layer, _)| layer.clone()));
        }
        if text.forbidden_effect.is_none() && member == Member::Honest {
            came.held &= guarded.worked;
        }
    }
    came.held &= text.forbidden_effect.is_none() || came.potency > 0;
    Ok(came)
}
