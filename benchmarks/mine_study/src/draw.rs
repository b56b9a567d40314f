//! Pictures: a scene is composed once and written as SVG and as PNG, so the two show the same.
//!
//! The fonts are in the program: a picture has its labels, and the same bytes, on a machine without any font. What is
//! drawn is in [`topology`] and [`curve`]; nothing else here knows of mines.

mod colour;
pub(crate) mod curve;
mod font;
mod png;
pub(crate) mod scene;
mod svg;
pub(crate) mod topology;

pub use png::PictureError;
pub(crate) use png::to_png;
pub(crate) use svg::{Escaped, to_svg};
