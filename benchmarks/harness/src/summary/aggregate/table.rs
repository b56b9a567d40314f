//! Rows, the order of their columns, and comma-separated values.

use labtrust_trust::canonical;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One row: columns of the published format, and ours, which come after them.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) published: BTreeMap<String, Value>,
    pub(super) own: BTreeMap<String, Value>,
}

impl Row {
    /// Sets a published column.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.published.insert(name.to_owned(), value);
    }

    pub(super) fn get(&self, name: &str) -> &Value {
        self.published.get(name).or_else(|| self.own.get(name)).unwrap_or(&Value::Null)
    }

    /// All columns as an object.
    pub(super) fn to_value(&self) -> Value {
        let both = self.published.iter().chain(&self.own);
        Value::Object(both.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
    }
}

/// The columns of a table: those of the first row by name, then those that later rows bring, by name within a row;
/// published ones first.
pub(super) fn columns(rows: &[Row]) -> Vec<&str> {
    let mut order = Vec::new();
    let mut known = BTreeSet::new();
    for part in [|row: &Row| &row.published, |row: &Row| &row.own] as [fn(&Row) -> &BTreeMap<String, Value>; 2] {
        for name in rows.iter().flat_map(|row| part(row).keys()) {
            if known.insert(name.as_str()) {
                order.push(name.as_str());
            }
        }
    }
    order
}

/// The published form: a comma between cells, a line end between rows and none at the end, quotes only where needed.
/// Without rows it is empty.
pub(super) fn csv(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let columns = columns(rows);
    let header = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",");
    let body =
        rows.iter().map(|row| columns.iter().map(|name| quoted(&cell(row.get(name)))).collect::<Vec<_>>().join(","));
    std::iter::once(header).chain(body).collect::<Vec<_>>().join("\n")
}

/// A cell: nothing for null, text as it is, numbers with the digits that read back as the same number.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => {
            canonical::to_canonical_vec(other).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
        }
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(cells: &[(&str, Value)], own: &[(&str, Value)]) -> Row {
        let map =
            |cells: &[(&str, Value)]| cells.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Row { published: map(cells), own: map(own) }
    }

    #[test]
    fn columns_of_later_rows_come_after_those_of_the_first_and_ours_after_all() {
        let rows = [
            row(&[("c", json!(1)), ("a", json!(2))], &[("z", json!(3))]),
            row(&[("b", json!(4)), ("a", json!(5)), ("aa", json!(6))], &[("y", json!(7))]),
        ];
        assert_eq!(columns(&rows), ["a", "c", "aa", "b", "z", "y"]);
        assert_eq!(csv(&rows), "a,c,aa,b,z,y\n2,1,,,3,\n5,,6,4,,7");
    }

    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        let rows = [row(&[("a", json!("x, \"y\"")), ("b", json!(0.00001)), ("c", json!(4.0)), ("d", json!("z"))], &[])];
        assert_eq!(csv(&rows), "a,b,c,d\n\"x, \"\"y\"\"\",1e-05,4.0,z");
        assert_eq!(csv(&[]), "");
    }
}
