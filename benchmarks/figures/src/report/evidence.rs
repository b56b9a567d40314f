//! What a verdict rests on: the paired differences between the method that leads a size and every other one.

use crate::FiguresError;
use crate::chart::short;
use crate::draw::Escaped;
use crate::run::coordination::Verdict;
use crate::run::table::Table;
use std::fmt::Write as _;
use std::path::Path;

/// Differences between methods, with intervals and adjusted tests.
const COMPARISONS: &str = "summary/comparisons.csv";

/// The comparisons of a study; none where it has none.
pub(super) fn comparisons(dir: &Path) -> Result<Option<Table>, FiguresError> {
    let path = dir.join(COMPARISONS);
    if !path.is_file() {
        return Ok(None);
    }
    match Table::read(&path) {
        Ok(table) => Ok(Some(table)),
        // A study of one method compares nothing.
        Err(FiguresError::Invalid { problem, .. }) if problem == Table::NO_ROW => Ok(None),
        Err(error) => Err(error),
    }
}

/// The differences between the method that leads and the others, in what the size is won by, as a table of the page.
pub(super) fn of(verdict: &Verdict, table: &Table) -> Result<String, FiguresError> {
    let leader = verdict.winner.as_ref().or(verdict.indistinguishable.first());
    let (Some(leader), Some(metric)) = (leader, &verdict.metric) else { return Ok(String::new()) };
    let injection = verdict.injection.as_deref().unwrap_or_default();
    let mut rows = String::new();
    for row in 0..table.rows.len() {
        let text = |column: &str| table.text(row, column);
        if text("scale_id") != verdict.scale || text("metric") != metric || text("injection_id") != injection {
            continue;
        }
        let (first, second) = (text("method_a"), text("method_b"));
        // The difference is that of the first minus the second.
        let (other, sign) = match (first == leader, second == leader) {
            (true, false) => (second, 1.0),
            (false, true) => (first, -1.0),
            _ => continue,
        };
        let number = |column: &str| table.number(row, column);
        let told = |value: Option<f64>| value.map_or_else(String::new, |value| short(value * sign));
        let ends = [number("difference_ci_lower")?, number("difference_ci_upper")?].map(told);
        let [low, high] = if sign < 0.0 { [&ends[1], &ends[0]] } else { [&ends[0], &ends[1]] };
        let interval = if low.is_empty() || high.is_empty() { String::new() } else { format!("{low} to {high}") };
        let _ = write!(
            rows,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{interval}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            Escaped(other),
            told(number("difference")?),
            number("p_holm")?.map_or_else(String::new, short_p),
            number("pairs")?.map_or_else(String::new, short)
        );
    }
    if rows.is_empty() {
        return Ok(rows);
    }
    let (leader, metric) = (Escaped(leader), Escaped(metric));
    Ok(format!(
        "<div class=\"wide\"><table><thead><tr><th class=\"plain\" scope=\"col\">{leader} minus</th><th class=\"plain n\" scope=\"col\">difference in {metric}</th>\
         <th class=\"plain n\" scope=\"col\">95 % interval</th><th class=\"plain n\" scope=\"col\">p, adjusted</th><th class=\"plain n\" scope=\"col\">paired episodes</th></tr></thead><tbody>{rows}</tbody></table></div>"
    ))
}

/// A p value: small ones differ in their size only.
fn short_p(value: f64) -> String {
    if value > 0.0 && value < 0.001 { "below 0.001".to_owned() } else { short(value) }
}
