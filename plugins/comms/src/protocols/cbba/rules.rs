//! Table I of Choi, Brunet and How (2009): what an agent does with what another believes about a task.

use super::Award;
use crate::agent::AgentId;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Keep the own belief.
    Leave,
    /// Take the sender's.
    Update,
    /// Believe nothing.
    Reset,
}

/// Receiver `i` believes `mine`, sender `k` believes `theirs`. `fresher(m)`: the sender has heard of m later than the receiver;
/// `staler(m)`: earlier. Where the paper has a higher score, this has a lower (cost, agent).
pub(super) fn judge(
    i: AgentId,
    k: AgentId,
    mine: Option<Award>,
    theirs: Option<Award>,
    fresher: impl Fn(AgentId) -> bool,
    staler: impl Fn(AgentId) -> bool,
) -> Step {
    let update_if = |yes: bool| if yes { Step::Update } else { Step::Leave };
    let winner = |award: Option<Award>| award.map(|award| award.winner);
    let better = || theirs.zip(mine).is_some_and(|(theirs, mine)| theirs < mine);
    match (winner(theirs), winner(mine)) {
        // The sender believes that it has won itself.
        (Some(z), Some(own)) if z == k && own == i => update_if(better()),
        (Some(z), Some(m)) if z == k && m != k => update_if(fresher(m) || better()),
        (Some(z), _) if z == k => Step::Update,
        // The sender believes that the receiver has won.
        (Some(z), Some(m)) if z == i && m == k => Step::Reset,
        (Some(z), Some(m)) if z == i && m != i => {
            if fresher(m) {
                Step::Reset
            } else {
                Step::Leave
            }
        }
        (Some(z), _) if z == i => Step::Leave,
        // The sender believes that somebody else has won.
        (Some(m), Some(own)) if own == i => update_if(fresher(m) && better()),
        (Some(m), Some(n)) if n == k => {
            if fresher(m) {
                Step::Update
            } else {
                Step::Reset
            }
        }
        (Some(m), Some(n)) if n == m => update_if(fresher(m)),
        (Some(m), Some(n)) => match (fresher(m), fresher(n)) {
            (true, true) => Step::Update,
            (true, false) if better() => Step::Update,
            (false, true) if staler(m) => Step::Reset,
            _ => Step::Leave,
        },
        (Some(m), None) => update_if(fresher(m)),
        // The sender believes that nobody has won.
        (None, Some(own)) if own == i => Step::Leave,
        (None, Some(n)) if n == k => Step::Update,
        (None, Some(m)) => update_if(fresher(m)),
        (None, None) => Step::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const I: u32 = 0;
    const K: u32 = 1;
    const M: u32 = 2;
    const N: u32 = 3;

    /// Receiver 0, sender 1; `theirs` and `mine` are (winner, cost), `fresh` those of whom the sender has heard later and `stale` those of
    /// whom it has heard earlier.
    fn step(theirs: Option<(u32, i64)>, mine: Option<(u32, i64)>, fresh: &[u32], stale: &[u32]) -> Step {
        let award = |one: Option<(u32, i64)>| one.map(|(winner, cost)| Award { cost, winner: AgentId(winner) });
        let fresher = |agent: AgentId| fresh.contains(&agent.0);
        let staler = |agent: AgentId| stale.contains(&agent.0);
        judge(AgentId(I), AgentId(K), award(mine), award(theirs), fresher, staler)
    }

    #[test]
    fn every_row_of_table_i_is_followed() {
        use Step::{Leave, Reset, Update};
        let at = |winner, cost| Some((winner, cost));
        let rows = [
            // The sender believes that it has won itself.
            (at(K, 4), at(I, 5), &[][..], &[][..], Update),
            (at(K, 5), at(I, 5), &[], &[], Leave),
            (at(K, 6), at(K, 5), &[], &[], Update),
            (at(K, 6), at(M, 5), &[M], &[], Update),
            (at(K, 4), at(M, 5), &[], &[], Update),
            (at(K, 6), at(M, 5), &[], &[], Leave),
            (at(K, 6), None, &[], &[], Update),
            // The sender believes that the receiver has won.
            (at(I, 4), at(I, 5), &[], &[], Leave),
            (at(I, 4), at(K, 5), &[], &[], Reset),
            (at(I, 4), at(M, 5), &[M], &[], Reset),
            (at(I, 4), at(M, 5), &[], &[], Leave),
            (at(I, 4), None, &[], &[], Leave),
            // The sender believes that somebody else has won.
            (at(M, 4), at(I, 5), &[M], &[], Update),
            (at(M, 4), at(I, 5), &[], &[], Leave),
            (at(M, 6), at(I, 5), &[M], &[], Leave),
            (at(M, 6), at(K, 5), &[M], &[], Update),
            (at(M, 4), at(K, 5), &[], &[], Reset),
            (at(M, 6), at(M, 5), &[M], &[], Update),
            (at(M, 4), at(M, 5), &[], &[], Leave),
            (at(M, 6), at(N, 5), &[M, N], &[], Update),
            (at(M, 4), at(N, 5), &[M], &[], Update),
            (at(M, 6), at(N, 5), &[M], &[], Leave),
            (at(M, 4), at(N, 5), &[N], &[M], Reset),
            (at(M, 4), at(N, 5), &[N], &[], Leave),
            (at(M, 4), None, &[M], &[], Update),
            (at(M, 4), None, &[], &[], Leave),
            // The sender believes that nobody has won.
            (None, at(I, 5), &[], &[], Leave),
            (None, at(K, 5), &[], &[], Update),
            (None, at(M, 5), &[M], &[], Update),
            (None, at(M, 5), &[], &[], Leave),
            (None, None, &[], &[], Leave),
        ];
        for (theirs, mine, fresh, stale, expected) in rows {
            assert_eq!(step(theirs, mine, fresh, stale), expected, "{theirs:?} {mine:?} {fresh:?} {stale:?}");
        }
    }
}
