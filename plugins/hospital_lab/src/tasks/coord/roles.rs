//! Who gets which role: the shares of a scale, dealt to whole people.
//!
//! Each role gets the whole part of its share, what is left goes to the largest remainders, and then every role that
//! has a share at all gets somebody, from the role that has most. Drawing roles one by one would leave a crew in every
//! seventh episode without reception, analysts or runners.

use std::collections::BTreeMap;

/// People of each role [count]; together `people`.
pub(super) fn deal(mix: &BTreeMap<String, f64>, people: u32) -> BTreeMap<&str, u32> {
    let share = |role: &str| mix[role] * f64::from(people);
    let mut counts: BTreeMap<&str, u32> = mix.keys().map(|role| (role.as_str(), whole(share(role)))).collect();
    let mut by_remainder: Vec<&str> = counts.keys().copied().collect();
    let remainder = |role: &str| share(role) - f64::from(whole(share(role)));
    // Stable: equal remainders stay in the order of the names.
    by_remainder.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)));
    let mut left = people - counts.values().sum::<u32>().min(people);
    for role in by_remainder.into_iter().cycle() {
        if left == 0 || mix.is_empty() {
            break;
        }
        if let Some(count) = counts.get_mut(role) {
            *count += 1;
            left -= 1;
        }
    }
    let wanted: Vec<&str> = counts.keys().copied().filter(|role| mix[*role] > 0.0).collect();
    for role in wanted {
        let most = counts.iter().rev().max_by_key(|(_, count)| **count).map(|(role, count)| (*role, *count));
        if let Some((giver, count)) = most
            && counts[role] == 0
            && count > 1
        {
            counts.insert(giver, count - 1);
            counts.insert(role, 1);
        }
    }
    counts
}

/// The whole part; a hair below a whole number is that number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of at most 9999 people")]
fn whole(share: f64) -> u32 {
    libm::floor(share + 1e-9) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(shares: &[(&str, f64)]) -> BTreeMap<String, f64> {
        shares.iter().map(|&(role, share)| (role.to_owned(), share)).collect()
    }

    #[test]
    fn whole_parts_then_largest_remainders() {
        let mix = mix(&[("RUNNER", 0.5), ("ANALYTICS", 0.3), ("RECEPTION", 0.2)]);
        let counts = |people| deal(&mix, people).into_values().collect::<Vec<_>>();
        // In the order of the names: analytics, reception, runner.
        assert_eq!(counts(4), [1, 1, 2]);
        assert_eq!(counts(8), [2, 2, 4]);
        assert_eq!(counts(10), [3, 2, 5]);
    }

    #[test]
    fn every_role_with_a_share_has_somebody_as_long_as_there_are_enough_people() {
        let mix = mix(&[("A", 0.4), ("B", 0.3), ("C", 0.2), ("D", 0.05), ("E", 0.05), ("NOBODY", 0.0)]);
        for people in 5..400 {
            let counts = deal(&mix, people);
            assert_eq!(counts.values().sum::<u32>(), people);
            assert!(["A", "B", "C", "D", "E"].iter().all(|role| counts[role] > 0), "{people}: {counts:?}");
            assert_eq!(counts["NOBODY"], 0);
            for (role, count) in counts {
                assert!((f64::from(count) - mix[role] * f64::from(people)).abs() < 2.0, "{people}: {role} {count}");
            }
        }
        assert_eq!(deal(&mix, 3).values().sum::<u32>(), 3);
    }
}
