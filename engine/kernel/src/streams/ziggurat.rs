//! Exponential and normal numbers by the ziggurat: most draws cost one table look-up and one multiplication.
//!
//! The area under the density is cut into 256 layers of equal area. A point in a random layer is under the curve
//! nearly always, and known to be without computing the density. The tables are computed once with `libm`, so that
//! they are the same everywhere.
//!
//! Source: G. Marsaglia and W. W. Tsang, "The ziggurat method for generating random variables", Journal of
//! Statistical Software 5(8), 2000. Layer and position come from separate bits of the draw (J. A. Doornik, "An improved
//! ziggurat method to generate normal random samples", 2005).

use super::Stream;
use rand_core::Rng;
use std::sync::LazyLock;

const LAYERS: usize = 256;
/// Where the lowest layer's rectangle ends and the tail begins, for 256 layers.
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;
const NORMAL_TAIL: f64 = 3.654_152_885_361_009;

struct Ziggurat {
    /// Right end of each layer, the lowest first; the lowest one's includes the tail's area.
    right: [f64; LAYERS + 1],
    /// The density there.
    height: [f64; LAYERS + 1],
}

static EXPONENTIAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    let tail_area = exponential_density(EXPONENTIAL_TAIL);
    Ziggurat::new(EXPONENTIAL_TAIL, tail_area, exponential_density, |height| -libm::log(height))
});

static NORMAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    let tail_area = libm::sqrt(std::f64::consts::FRAC_PI_2) * libm::erfc(NORMAL_TAIL * std::f64::consts::FRAC_1_SQRT_2);
    Ziggurat::new(NORMAL_TAIL, tail_area, normal_density, |height| libm::sqrt(-2.0 * libm::log(height)))
});

/// The densities without their constant factors, which cancel.
fn exponential_density(x: f64) -> f64 {
    libm::exp(-x)
}

fn normal_density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x)
}

impl Ziggurat {
    fn new(tail: f64, tail_area: f64, density: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Self {
        let area = tail * density(tail) + tail_area;
        let mut right = [0.0; LAYERS + 1];
        right[0] = area / density(tail);
        right[1] = tail;
        for layer in 2..LAYERS {
            right[layer] = inverse(area / right[layer - 1] + density(right[layer - 1]));
        }
        Self { right, height: right.map(density) }
    }

    /// Whether the point `x` of `layer`, at a random height in it, is under the curve.
    fn under(&self, layer: usize, x: f64, stream: &mut Stream, density: fn(f64) -> f64) -> bool {
        let (low, high) = (self.height[layer], self.height[layer + 1]);
        low + (high - low) * stream.uniform() < density(x)
    }
}

/// An exponential number of mean 1.
#[inline]
pub(super) fn exponential(stream: &mut Stream) -> f64 {
    let table = &*EXPONENTIAL;
    let bits = stream.next_u64();
    let layer = (bits & 0xff) as usize;
    let x = fraction(bits) * table.right[layer];
    if x < table.right[layer + 1] { x } else { exponential_rest(table, layer, x, stream) }
}

#[cold]
fn exponential_rest(table: &Ziggurat, layer: usize, x: f64, stream: &mut Stream) -> f64 {
    if layer == 0 {
        // The tail of an exponential is an exponential.
        return EXPONENTIAL_TAIL - libm::log(stream.uniform_above_zero());
    }
    if table.under(layer, x, stream, exponential_density) { x } else { exponential(stream) }
}

/// A normal number of mean 0 and standard deviation 1.
#[inline]
pub(super) fn normal(stream: &mut Stream) -> f64 {
    let table = &*NORMAL;
    let bits = stream.next_u64();
    let layer = (bits & 0xff) as usize;
    let x = fraction(bits) * table.right[layer];
    let x = if x < table.right[layer + 1] { x } else { normal_rest(table, layer, x, stream) };
    // The sign has a bit of its own, between those of the layer and those of the position.
    if bits & 0x100 == 0 { x } else { -x }
}

/// The distance from the mean, when the first try was no hit.
#[cold]
fn normal_rest(table: &Ziggurat, mut layer: usize, mut x: f64, stream: &mut Stream) -> f64 {
    loop {
        if layer == 0 {
            return normal_tail(stream);
        }
        if table.under(layer, x, stream, normal_density) {
            return x;
        }
        let bits = stream.next_u64();
        layer = (bits & 0xff) as usize;
        x = fraction(bits) * table.right[layer];
        if x < table.right[layer + 1] {
            return x;
        }
    }
}

/// Source: G. Marsaglia, "Generating a variable from the tail of the normal distribution", Technometrics 6, 1964.
fn normal_tail(stream: &mut Stream) -> f64 {
    loop {
        let beyond = -libm::log(stream.uniform_above_zero()) / NORMAL_TAIL;
        let height = -libm::log(stream.uniform_above_zero());
        if height + height > beyond * beyond {
            return NORMAL_TAIL + beyond;
        }
    }
}

/// The upper 53 bits as a number in [0, 1).
#[inline]
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}
