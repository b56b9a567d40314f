//! What crosses a pipe: a length, a word about what it is, and bytes.

use std::io::{self, Read, Write};

/// Bytes before a body: the body's length in four, the lowest first, and the word.
pub(super) const HEAD_BYTES: usize = 5;

/// What a frame is. Requests are [`OPEN`], [`CREATE`], [`DECIDE`]; answers are [`REPLY`], [`FAILURE`], [`REFUSAL`].
pub(super) type Word = u8;
/// An `Opening`; answered with the manifest.
pub(super) const OPEN: Word = 0;
/// The contract's message that begins.
pub(super) const CREATE: Word = 1;
/// The contract's message of a step.
pub(super) const DECIDE: Word = 2;
/// The contract's answer.
pub(super) const REPLY: Word = 10;
/// A `Failure`, encoded like the contract's messages.
pub(super) const FAILURE: Word = 11;
/// A text: why the file was not loaded.
pub(super) const REFUSAL: Word = 12;

/// Replaces `out` by a frame. `None` when the body is longer than a frame can say.
pub(super) fn put(word: Word, body: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    out.extend_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
    out.push(word);
    out.extend_from_slice(body);
    Some(())
}

/// The length of the body and the word.
pub(super) fn head(bytes: [u8; HEAD_BYTES]) -> (u32, Word) {
    let [a, b, c, d, word] = bytes;
    (u32::from_le_bytes([a, b, c, d]), word)
}

/// Waits for a frame and puts its body into `body`. `None` when there is none any more.
pub(super) fn read(input: &mut impl Read, body: &mut Vec<u8>) -> io::Result<Option<Word>> {
    let mut bytes = [0; HEAD_BYTES];
    match input.read_exact(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let (len, word) = head(bytes);
    body.clear();
    // What a length promises takes no memory before it is there.
    input.take(len.into()).read_to_end(body)?;
    Ok((body.len() as u64 == u64::from(len)).then_some(word))
}

/// Writes a frame.
pub(super) fn write(output: &mut impl Write, word: Word, body: &[u8], frame: &mut Vec<u8>) -> io::Result<()> {
    put(word, body, frame).ok_or(io::ErrorKind::FileTooLarge)?;
    output.write_all(frame)
}
