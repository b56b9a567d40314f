//! Values to bytes and back: postcard 1, a published encoding that any language can read.

use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They end too early, or hold a value that the message cannot have.
    #[error("the bytes are no {message}: {rule}")]
    Malformed {
        /// Which message was expected.
        message: &'static str,
        /// What the decoder says.
        rule: String,
    },
    /// Something follows the message.
    #[error("{left} bytes follow the {message}")]
    Trailing {
        /// Which message was expected.
        message: &'static str,
        /// How many bytes are left [bytes].
        left: usize,
    },
    /// Columns that belong together have different lengths, or point outside of their table.
    #[error("{column} does not fit the rest of what is seen")]
    Ragged {
        /// The column.
        column: &'static str,
    },
}

/// The bytes of a message.
#[must_use]
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(message, &mut out);
    out
}

/// Appends the bytes of a message to `out`.
pub fn encode_into<T: Serialize>(message: &T, out: &mut Vec<u8>) {
    let written = postcard::serialize_with_flavor(message, Bytes(out));
    debug_assert!(written.is_ok(), "our messages have known lengths, and a vector is never full");
}

/// The message in `bytes`, all of them.
///
/// # Errors
/// [`WireError::Malformed`] when the bytes are none, [`WireError::Trailing`] when something follows.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let message = name::<T>();
    match postcard::take_from_bytes::<T>(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, left)) => Err(WireError::Trailing { message, left: left.len() }),
        Err(error) => Err(WireError::Malformed { message, rule: rule(&error).to_owned() }),
    }
}

/// The message's name, for people: the last word of its type, and of a type with two outcomes just that it is an answer.
fn name<T>() -> &'static str {
    match std::any::type_name::<T>() {
        either if either.contains("::Result<") => "answer",
        one => one.rsplit("::").next().unwrap_or("message").trim_end_matches('>'),
    }
}

/// The value that `bytes` begin with, whatever follows; `None` where they do not begin with one.
#[must_use]
pub fn peek<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::take_from_bytes(bytes).ok().map(|(value, _)| value)
}

/// The decoder's word for what is wrong, in plain English.
fn rule(error: &postcard::Error) -> &'static str {
    match error {
        postcard::Error::DeserializeUnexpectedEnd => "they end too early",
        postcard::Error::DeserializeBadVarint => "a number is too long",
        postcard::Error::DeserializeBadBool => "a flag is neither 0 nor 1",
        postcard::Error::DeserializeBadOption => "an optional value begins with neither 0 nor 1",
        postcard::Error::DeserializeBadEnum => "a choice has an unknown number",
        postcard::Error::DeserializeBadUtf8 => "a text is not UTF-8",
        _ => "a value is not allowed here",
    }
}

/// Writes to the end of a vector.
struct Bytes<'a>(&'a mut Vec<u8>);

impl Flavor for Bytes<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
