//! The laboratory beside the frozen reference: both play the same script, and whatever differs first must be a
//! deviation that is written down.
//!
//! Start at [`follow`]: it plays a script on both engines and compares every step in its parts ([`Facet`]). A part that
//! differs is put to the rules ([`rules`]), small predicates that each stand for one entry of `docs/deviations.ron`
//! ([`deviations`]). A difference in what is only reported is carried along; where the states part, the comparison of
//! this script is over: the event that parted them is left out and the rest is played again, so that one early
//! deviation does not hide what comes after it. A difference that no rule explains is [`Unexplained`], and
//! [`shrink`] makes the script that shows it small.
//!
//! Chain hashes differ always (D-20): of the chain only its growth is compared.

mod answers;
mod case;
pub mod deviations;
mod facts;
mod follow;
mod ledger;
mod oddities;
pub mod rules;
mod shape;
mod shrink;

pub use case::{Before, Case, Facet};
pub use follow::{Followed, Found, Pair, Script, Unexplained, follow};
pub use ledger::Ledger;
pub use oddities::{long_ways, with_oddities};
pub use shrink::shrink;
