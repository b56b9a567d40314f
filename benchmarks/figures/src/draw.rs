//! Pictures: a scene is composed once and written as SVG, as PNG and as a page of a PDF, so all show the same.
//!
//! The fonts are in the program: a picture has its labels, and the same bytes, on a machine without any font.

mod font;
mod pdf;
mod png;
pub mod scene;
mod svg;

pub use font::Fonts;
pub use pdf::to_pdf;
pub use png::{PictureError, Pixels, to_pixels, to_png, to_png_at};
pub use svg::{Escaped, to_svg, to_svg_in};
