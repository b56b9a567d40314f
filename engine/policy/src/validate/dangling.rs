//! Ids that are used but declared nowhere, and ids that are declared twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::{Document, Place};
use super::names::{DECLARED, Family, NEARLY, Names, USED, declared_in};
use super::{Finding, Kind};
use crate::nearest::{nearest, within};

/// Every use of an id that nothing declares.
pub(super) fn check(documents: &[Arc<Document>], names: &Names, findings: &mut Vec<Finding>) {
    for (kind, pattern, family) in USED {
        let Some(known) = names.all(*family) else { continue };
        for document in documents.iter().filter(|document| document.kind == *kind) {
            for node in document.find(pattern) {
                // `NONE` is how a list says that nothing of the family is meant.
                let Some(id) = node.text().filter(|id| !known.contains(*id) && *id != "NONE") else { continue };
                let what = family.name();
                let message = format!("the {what} `{id}` does not exist");
                findings.push(Finding::at(
                    document,
                    node.place,
                    Kind::Unknown(*family),
                    id,
                    message,
                    fix(*family, id, names),
                ));
            }
        }
    }
}

/// Words that are nearly actions, where other words may stand as well.
pub(super) fn slips(documents: &[Arc<Document>], names: &Names, findings: &mut Vec<Finding>) {
    /// Most letters in which a slip differs [count].
    const SLIP: usize = 2;
    // Actions are not judged when the domain has none.
    let (Some(actions), Some(known)) = (names.all(Family::Action), names.all(Family::Deed)) else { return };
    for (kind, pattern) in NEARLY {
        for document in documents.iter().filter(|document| document.kind == *kind) {
            for node in document.find(pattern) {
                let Some(id) = node.text().filter(|id| !known.contains(*id)) else { continue };
                let Some(near) = within(actions.iter().map(String::as_str), id, SLIP) else { continue };
                let message = format!("the action `{id}` does not exist");
                let fix = format!("did you mean `{near}`?");
                findings.push(Finding::at(document, node.place, Kind::Unknown(Family::Action), id, message, fix));
            }
        }
    }
}

fn fix(family: Family, id: &str, names: &Names) -> String {
    let near = names.all(family).and_then(|known| nearest(known.iter().map(String::as_str), id));
    match (near, declared_in(family)) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some((file, pattern))) => {
            let section = pattern.trim_end_matches(".@").trim_end_matches(".*");
            format!("declare it in {file} under `{section}`, or take it out here")
        }
        (None, None) => "the engine brings these along; take it out".to_owned(),
    }
}

/// Every id that one file declares twice.
pub(super) fn twice(documents: &[Arc<Document>], findings: &mut Vec<Finding>) {
    for (family, kind, pattern) in DECLARED {
        for document in documents.iter().filter(|document| document.kind == *kind) {
            let mut first: BTreeMap<&str, Place> = BTreeMap::new();
            for node in document.find(pattern) {
                let Some(id) = node.text() else { continue };
                let Some(before) = first.insert(id, node.place) else { continue };
                let message = format!("the {} `{id}` stands here and in line {}", family.name(), before.line);
                let fix = "every id stands once; remove or rename one of the two".to_owned();
                findings.push(Finding::at(document, node.place, Kind::Twice, id, message, fix));
            }
        }
    }
}
