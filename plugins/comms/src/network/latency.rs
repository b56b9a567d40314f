//! How long a message travels.

/// A log-normal travel time, given by its median and its 95th percentile [ms]; none when p50 <= 0 or p95 <= p50.
///
/// `mu = ln p50`, `sigma = (ln p95 - mu) / 1.645`, delay = exp(mu + sigma z) with z standard normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    mu_sigma: Option<(f64, f64)>,
}

/// The 95th percentile of the standard normal distribution, as the format has it.
const Z_95: f64 = 1.645;
/// No message travels longer [µs]: about 12 days.
const LONGEST_US: f64 = 1.0e12;

impl Latency {
    /// The travel time with these percentiles [ms].
    #[must_use]
    pub fn from_percentiles(p50_ms: f64, p95_ms: f64) -> Self {
        if p50_ms <= 0.0 || p95_ms <= p50_ms {
            return Self { mu_sigma: None };
        }
        let mu = libm::log(p50_ms);
        Self { mu_sigma: Some((mu, (libm::log(p95_ms) - mu) / Z_95)) }
    }

    /// The travel time of a standard normal number [ms].
    #[must_use]
    pub fn sample_ms(&self, z: f64) -> f64 {
        self.mu_sigma.map_or(0.0, |(mu, sigma)| libm::exp(mu + sigma * z))
    }

    /// The same in whole microseconds, rounded to the nearest, at most 10^12.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the longest")]
    pub(super) fn sample_us(&self, z: f64) -> u64 {
        (self.sample_ms(z) * 1000.0 + 0.5).clamp(0.0, LONGEST_US) as u64
    }
}

/// A standard normal number out of two uniform ones in [0, 1).
pub(super) fn normal(angle: f64, radius: f64) -> f64 {
    libm::cos(angle * std::f64::consts::TAU) * libm::sqrt(-2.0 * libm::log(1.0 - radius))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_of_the_published_numbers_are_the_published_delays() {
        // The first four numbers of the reference's generator with seed 42. It keeps the sine of a pair for the next draw.
        let uniform =
            [0.639_426_798_457_883_7, 0.025_010_755_222_666_936, 0.275_029_318_369_119_26, 0.223_210_738_148_822_75];
        let latency = Latency::from_percentiles(10.0, 50.0);
        let mut delays = Vec::new();
        for pair in uniform.chunks_exact(2) {
            // The sine of an angle is the cosine of a quarter turn less.
            delays.extend([normal(pair[0], pair[1]), normal(pair[0] - 0.25, pair[1])].map(|z| latency.sample_ms(z)));
        }
        for (delay, published) in delays.iter().zip([8.685_107, 8.443_69, 8.968_117, 19.873_618]) {
            assert!((delay - published).abs() < 5e-7, "{delay} {published}");
        }
    }

    #[test]
    fn there_is_no_delay_without_a_spread() {
        for (p50, p95) in [(0.0, 50.0), (-1.0, 50.0), (10.0, 10.0), (10.0, 5.0)] {
            assert_eq!(Latency::from_percentiles(p50, p95).sample_us(1.0), 0);
        }
    }

    #[test]
    fn the_longest_delay_is_bounded() {
        assert_eq!(Latency::from_percentiles(1.0, 1e300).sample_us(8.0), 1_000_000_000_000);
    }
}
