//! What the back-ends promise, on many small random instances and against brute force.

mod backends;
mod brute;
mod instances;
mod promises;
mod windows;
