//! Entries that refer to a neighbour with `same_as`: no circles, no dead ends.

use serde_json::{Map, Value};

use crate::error::{Located, PolicyError, find_token};
use crate::nearest::nearest;
use crate::parse;
use crate::store::PolicyStore;

const SAME_AS: &str = "same_as";

/// Checks every `same_as` in `text`. A file without the word costs one search through its text.
///
/// # Errors
/// [`PolicyError::Reference`] for the first entry, in the order of the names, that leads nowhere or to itself.
pub(crate) fn check(store: &PolicyStore, path: &str, text: &str) -> Result<(), PolicyError> {
    if !text.contains(SAME_AS) {
        return Ok(());
    }
    let document: Value = parse::typed(store, path, text, None)?;
    check_value(store, path, text, &document)
}

fn check_value(store: &PolicyStore, path: &str, text: &str, value: &Value) -> Result<(), PolicyError> {
    match value {
        Value::Object(entries) => {
            for (name, entry) in entries {
                check_chain(store, path, text, entries, name)?;
                check_value(store, path, text, entry)?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(store, path, text, item)),
        _ => Ok(()),
    }
}

/// Follows the references that start at `name` until an entry has content of its own.
fn check_chain(
    store: &PolicyStore,
    path: &str,
    text: &str,
    entries: &Map<String, Value>,
    name: &str,
) -> Result<(), PolicyError> {
    let mut chain = vec![name];
    while let Some(next) = chain.last().and_then(|last| entries[*last].get(SAME_AS)).and_then(Value::as_str) {
        let complaint = |message: String, hint: String| {
            let place = find_token(text, next);
            PolicyError::Reference(Located::new(store, path, text, place, message, Some(hint)))
        };
        if chain.contains(&next) {
            let circle = format!("{} -> {next}", chain.join(" -> "));
            return Err(complaint(
                format!("`{name}` is the same as itself in the end: {circle}"),
                "one entry of the circle needs content of its own".to_owned(),
            ));
        }
        if !entries.contains_key(next) {
            let hint = match nearest(entries.keys().map(String::as_str), next) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name an entry of the same mapping".to_owned(),
            };
            return Err(complaint(format!("`{name}` is the same as `{next}`, which is not there"), hint));
        }
        chain.push(next);
    }
    Ok(())
}
