//! The models that the kernel's benches run, each twice: on the kernel, and as a plain loop that does nothing else.
//!
//! The plain loop draws from the same streams and must come to the same check figure, so a ratio between the two is
//! the price of the kernel and of nothing else. Goals are ratios, because a nanosecond belongs to one machine.

pub mod baseline;
pub mod draws;
pub mod hold;
pub mod mm1;
pub mod script;
pub mod timeouts;

/// One way to run a model, kept between measurements.
pub trait Row {
    /// Lets `events` more events happen.
    fn run(&mut self, events: u64);

    /// A figure that every row of the model must agree on after the same events.
    fn check(&self) -> f64;

    /// Calendar entries held for each entity, where that is the question [count].
    fn entries_an_entity(&self) -> Option<f64> {
        None
    }
}
