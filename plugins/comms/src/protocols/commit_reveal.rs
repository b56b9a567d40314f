//! Sealed bids: first everybody commits to a bid by its hash, then everybody shows it.
//!
//! The commitment is SHA-256 over `agent|bid|nonce|epoch`. Nobody learns a bid before all have committed, and nobody can change
//! one afterwards. The nonce keeps others from guessing the bid by trying all; it must be the bidder's secret until then.

use crate::codes;
use crate::hash::sha256_hex;
use labtrust_trust::canonical::{CanonicalError, write_f64, write_i64};
use std::collections::BTreeMap;

/// A commitment to a bid, lower-case hex. `bid` is text as [`bid_text`] and [`float_bid_text`] write it.
#[must_use]
pub fn commitment(agent: &str, bid: &str, nonce: &str, epoch: u64) -> String {
    sha256_hex(format!("{agent}|{bid}|{nonce}|{epoch}").as_bytes())
}

/// The text of a bid that is a whole number.
#[must_use]
pub fn bid_text(bid: i64) -> String {
    let mut out = Vec::new();
    write_i64(&mut out, bid);
    String::from_utf8_lossy(&out).into_owned()
}

/// The text of a bid that is a float, as canonical JSON has it.
///
/// # Errors
/// [`CanonicalError::NotFinite`].
pub fn float_bid_text(bid: f64) -> Result<String, CanonicalError> {
    let mut out = Vec::new();
    write_f64(&mut out, bid)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Why a commitment or a bid does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealRefusal {
    /// The agent has committed in this epoch already, or shown this bid.
    #[error("the agent has done so in this epoch already")]
    Replayed,
    /// The epoch is over.
    #[error("the epoch is over")]
    StaleEpoch,
    /// The agent has committed to nothing.
    #[error("the agent has committed to nothing in this epoch")]
    Missing,
    /// The bid is not the one committed to.
    #[error("the bid is not the one committed to")]
    Mismatch,
}

impl SealRefusal {
    /// Its reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Replayed => codes::COORD_REPLAY_DETECTED,
            Self::StaleEpoch => codes::COORD_EPOCH_STALE,
            Self::Missing => codes::COORD_COMMIT_MISSING,
            Self::Mismatch => codes::COORD_COMMIT_MISMATCH,
        }
    }
}

/// The commitments of one epoch: one for each agent. Those of epochs that are over are forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedBids {
    epoch: u64,
    /// Whether the bid was shown, and what was committed to.
    sealed: BTreeMap<String, (bool, String)>,
}

impl SealedBids {
    /// Goes on to `epoch`; an earlier one changes nothing.
    pub fn begin_epoch(&mut self, epoch: u64) {
        if epoch > self.epoch {
            self.epoch = epoch;
            self.sealed.clear();
        }
    }

    /// Takes a commitment.
    ///
    /// # Errors
    /// [`SealRefusal`]; nothing changes.
    pub fn commit(&mut self, agent: &str, epoch: u64, commitment: &str) -> Result<(), SealRefusal> {
        if epoch != self.epoch {
            return Err(SealRefusal::StaleEpoch);
        }
        if self.sealed.contains_key(agent) {
            return Err(SealRefusal::Replayed);
        }
        self.sealed.insert(agent.to_owned(), (false, commitment.to_owned()));
        Ok(())
    }

    /// Takes a bid that is shown. A wrong one may be followed by the right one.
    ///
    /// # Errors
    /// [`SealRefusal`]; nothing changes.
    pub fn reveal(&mut self, agent: &str, bid: &str, nonce: &str, epoch: u64) -> Result<(), SealRefusal> {
        if epoch != self.epoch {
            return Err(SealRefusal::StaleEpoch);
        }
        let (shown, committed) = self.sealed.get_mut(agent).ok_or(SealRefusal::Missing)?;
        if *shown {
            return Err(SealRefusal::Replayed);
        }
        // A separator in the agent or the nonce could make two bids one text.
        let ambiguous = [agent, bid, nonce].iter().any(|part| part.contains('|'));
        if ambiguous || *committed != commitment(agent, bid, nonce, epoch) {
            return Err(SealRefusal::Mismatch);
        }
        *shown = true;
        Ok(())
    }

    /// Who has committed and not shown a bid, in order.
    pub fn unrevealed(&self) -> impl Iterator<Item = &str> {
        self.sealed.iter().filter(|(_, (shown, _))| !shown).map(|(agent, _)| agent.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_is_the_published_one() {
        let published = "de421543d64b04a64d2c2faad18eb7ec35bd17b446c44f4d562599598f1eb959";
        assert_eq!(commitment("a", &float_bid_text(1.5).unwrap(), "n", 0), published);
    }

    #[test]
    fn only_the_bid_that_was_committed_to_is_taken_and_once() {
        let mut bids = SealedBids::default();
        bids.begin_epoch(4);
        bids.commit("a", 4, &commitment("a", &bid_text(-7), "n", 4)).unwrap();
        assert_eq!(bids.commit("a", 4, "other"), Err(SealRefusal::Replayed));
        assert_eq!(bids.commit("b", 3, "early"), Err(SealRefusal::StaleEpoch));
        assert_eq!(bids.reveal("a", "-6", "n", 4), Err(SealRefusal::Mismatch));
        assert_eq!(bids.reveal("b", "-7", "n", 4), Err(SealRefusal::Missing));
        assert_eq!(bids.unrevealed().collect::<Vec<_>>(), ["a"]);
        assert_eq!(bids.reveal("a", "-7", "n", 4), Ok(()));
        assert_eq!(bids.reveal("a", "-7", "n", 4), Err(SealRefusal::Replayed));
        bids.begin_epoch(5);
        assert_eq!(bids.reveal("a", "-7", "n", 5), Err(SealRefusal::Missing));
        let codes = [SealRefusal::Replayed, SealRefusal::StaleEpoch, SealRefusal::Missing, SealRefusal::Mismatch];
        let mut codes: Vec<_> = codes.map(SealRefusal::code).into();
        codes.dedup();
        assert_eq!(codes.len(), 4);
    }

    #[test]
    fn a_separator_cannot_make_one_commitment_of_two_bids() {
        let mut bids = SealedBids::default();
        bids.commit("a", 0, &commitment("a", "1", "2|n", 0)).unwrap();
        assert_eq!(bids.reveal("a", "1|2", "n", 0), Err(SealRefusal::Mismatch));
    }
}
