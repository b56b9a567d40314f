//! Numbers as people read them.

/// `12345.678` with one decimal as `12,345.7`.
#[must_use]
pub fn grouped(value: f64, decimals: usize) -> String {
    let plain = format!("{value:.decimals$}");
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) || digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        // No digits to group, or `-0.0`.
        return digits.to_owned();
    }
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(rest);
    out
}

/// A share as a percentage: `0.9534` as `95.3 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", grouped(share * 100.0, 1))
}

/// A difference with its sign: `+12.0`, `-3.5`.
#[must_use]
pub fn signed(value: f64, decimals: usize) -> String {
    let text = grouped(value, decimals);
    let nothing = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value > 0.0 && !nothing { format!("+{text}") } else { text }
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => "none".to_owned(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown = [0.0, -0.04, 999.95, 1234.5, -1_234_567.0, 100.0].map(|value| grouped(value, 1));
        assert_eq!(shown, ["0.0", "0.0", "1,000.0", "1,234.5", "-1,234,567.0", "100.0"]);
        assert_eq!(grouped(f64::NAN, 1), "NaN");
        assert_eq!((grouped(13_714.3, 0), percent(0.95341)), ("13,714".into(), "95.3 %".into()));
        assert_eq!([0.0, 0.01, 2.0, -2.0].map(|value| signed(value, 1)), ["0.0", "0.0", "+2.0", "-2.0"]);
    }

    #[test]
    fn lists_end_with_and() {
        assert_eq!(listed::<&str>(&[]), "none");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
