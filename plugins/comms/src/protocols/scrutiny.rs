//! How closely bids of others are looked at.

/// Which bids are believed, by what everybody can work out of what everybody sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scrutiny {
    /// All.
    Nothing,
    /// None that is better than possible; the other bids of who makes one count.
    #[default]
    TooGood,
    /// None that is better or worse than possible; who makes one does not count any more.
    Both,
}
