//! Numbers of files must be numbers: infinities and not-a-number are refused where they are read, with their place.

use serde::{Deserialize, Deserializer, de::Error};

pub(crate) fn finite<'de, D: Deserializer<'de>>(reader: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(reader)?;
    if value.is_finite() { Ok(value) } else { Err(D::Error::custom(format!("{value} is not a finite number"))) }
}

pub(crate) fn finite_option<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(reader)? {
        Some(value) if !value.is_finite() => Err(D::Error::custom(format!("{value} is not a finite number"))),
        value => Ok(value),
    }
}
