//! Making a script that shows something as short as it can be.

use super::{Pair, Script, Unexplained, follow};

/// Drops events, from the end and in ever smaller pieces, while the same difference stays unexplained.
#[must_use]
pub fn shrink(pair: &mut Pair, unexplained: &Unexplained) -> Unexplained {
    let mut best = unexplained.clone();
    best.left.events.truncate(best.step + 1);
    let mut piece = best.left.events.len().div_ceil(2);
    while piece > 0 {
        let mut start = 0;
        let mut smaller = false;
        while start < best.left.events.len() {
            let mut script: Script = best.left.clone();
            let end = (start + piece).min(script.events.len());
            script.events.drain(start..end);
            match follow(pair, &script).unexplained {
                Some(found) if found.says == best.says => {
                    best = found;
                    smaller = true;
                }
                _ => start += piece,
            }
        }
        if !smaller || piece > 1 {
            piece /= 2;
        }
    }
    best
}
