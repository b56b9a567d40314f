//! Charts: data in, a scene out. Axes have round numbers, intervals are drawn, names stand where they cover nothing, and
//! whatever a colour says is also said by a shape, a letter or a number.
//!
//! A chart knows nothing of laboratories; what is charted of a run is in [`crate::plots`].

mod axis;
pub mod bars;
pub mod boxes;
pub mod heat;
mod labels;
pub mod lanes;
mod marker;
pub mod sankey;
mod sheet;
mod theme;
pub mod xy;

pub use axis::{Axis, short};
pub use marker::{Entry, Swatch, Weight};
pub use sheet::Heading;
pub(crate) use sheet::count;
pub use theme::{Palette, Theme};
