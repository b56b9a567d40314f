//! The mine by its public surface.

mod books;
mod by_hand;
mod common;
mod data;
mod data_errors;
mod dispatch;
mod draws;
mod model_errors;
mod properties;
mod replay;
mod scenarios;
