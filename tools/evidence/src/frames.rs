//! Framed logs: every line with its length and a digest, so that a log whose writer was stopped is told from one that was
//! changed.
//!
//! A file is [`MAGIC`] and then frames: the length of the record (4 bytes, the highest first), a digest (32 bytes), the
//! record, which is what would be a line of a log, without the line feed. The digest is that of the frame before it, the
//! length and the record, so a frame holds only in its place. Whatever the last write left behind, the longest beginning
//! of frames that hold can be found without looking into the records.

use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read};

/// What a framed log begins with. No text in UTF-8 does.
pub const MAGIC: [u8; 8] = *b"\x89LTLOG1\n";
/// Bytes of a frame beside its record [bytes].
pub const OVERHEAD: usize = 4 + 32;
/// Bytes of a record, at most [bytes].
pub const MAX_RECORD: usize = crate::entry::MAX_LINE;

/// What is hashed before everything else, so that no other use of SHA-256 makes the same digest.
const TAG: &[u8] = b"labtrust.framed-log/v1\n";

/// Whether these are the first bytes of a framed log, or all there is of one whose writer was stopped in them.
#[must_use]
pub fn is_framed(beginning: &[u8]) -> bool {
    !beginning.is_empty() && beginning.iter().zip(MAGIC).all(|(byte, expected)| *byte == expected)
}

/// Links frames: knows the digest of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frames {
    last: [u8; 32],
}

/// What a reader came upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A frame that holds.
    Whole,
    /// The end of the log.
    End,
    /// The beginning of a frame that was not finished [bytes].
    Torn(usize),
    /// A frame that does not hold, and why. Nothing behind it can be trusted.
    Corrupt(&'static str),
}

impl Frames {
    fn digest(&self, record: &[u8]) -> [u8; 32] {
        let length = u32::try_from(record.len()).unwrap_or(u32::MAX).to_be_bytes();
        Sha256::new()
            .chain_update(TAG)
            .chain_update(self.last)
            .chain_update(length)
            .chain_update(record)
            .finalize()
            .into()
    }

    /// Appends the frame of a record, which has no line feed in it.
    ///
    /// # Panics
    /// When the record has more than [`MAX_RECORD`] bytes.
    pub fn append(&mut self, out: &mut Vec<u8>, record: &[u8]) {
        assert!(record.len() <= MAX_RECORD, "a record of {} bytes", record.len());
        self.last = self.digest(record);
        out.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(&self.last);
        out.extend_from_slice(record);
    }

    /// Appends a frame for every line of `lines`, each of which ends with a line feed.
    pub fn append_lines(&mut self, out: &mut Vec<u8>, lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.append(out, line.strip_suffix(b"\n").unwrap_or(line));
        }
    }

    /// Reads the next frame; its record is then in `record`.
    ///
    /// # Errors
    /// As the system says.
    pub fn read(&mut self, reader: &mut impl Read, record: &mut Vec<u8>) -> io::Result<Frame> {
        record.clear();
        let mut beginning = [0; OVERHEAD];
        match fill(reader, &mut beginning)? {
            0 => return Ok(Frame::End),
            OVERHEAD => {}
            short => return Ok(Frame::Torn(short)),
        }
        let Some((length, stated)) = beginning.split_first_chunk::<4>() else { unreachable!("it has 36 bytes") };
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_RECORD {
            return Ok(Frame::Corrupt("its length is more than a record can have"));
        }
        // A length that was made up is no reason to take memory that nothing is written to.
        let read = reader.by_ref().take(length as u64).read_to_end(record)?;
        if read < length {
            return Ok(Frame::Torn(OVERHEAD + read));
        }
        let digest = self.digest(record);
        if digest != stated {
            return Ok(Frame::Corrupt("its digest is not that of its place and its record"));
        }
        if record.contains(&b'\n') {
            return Ok(Frame::Corrupt("a record is one line, and this has a line feed"));
        }
        self.last = digest;
        Ok(Frame::Whole)
    }
}

/// Reads until `buffer` is full or there is nothing more; how much was read.
pub(crate) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match reader.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// The lines of a log, whichever form it has, without their ends: for those who need no more of them. A frame that does
/// not hold is [`io::ErrorKind::InvalidData`]; one that was not finished is not told.
#[derive(Debug)]
pub struct LogLines<R> {
    reader: R,
    frames: Option<Frames>,
}

impl<R: BufRead> LogLines<R> {
    /// Begins with the first line.
    ///
    /// # Errors
    /// As the system says.
    pub fn new(mut reader: R) -> io::Result<Self> {
        let framed = is_framed(reader.fill_buf()?);
        if framed {
            fill(&mut reader, &mut [0; MAGIC.len()])?;
        }
        Ok(Self { reader, frames: framed.then(Frames::default) })
    }
}

impl<R: BufRead> Iterator for LogLines<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let Some(frames) = &mut self.frames else {
            return match self.reader.read_until(b'\n', &mut line) {
                Ok(0) => None,
                Ok(_) => {
                    line.pop_if(|byte| *byte == b'\n');
                    Some(Ok(line))
                }
                Err(error) => Some(Err(error)),
            };
        };
        match frames.read(&mut self.reader, &mut line) {
            Ok(Frame::Whole) => Some(Ok(line)),
            Ok(Frame::Corrupt(problem)) => Some(Err(io::Error::new(io::ErrorKind::InvalidData, problem))),
            Ok(Frame::End | Frame::Torn(_)) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// The lines of a log that is in memory, whichever form it has. What a stopped writer left behind the last whole frame
/// is not in it.
///
/// # Errors
/// In words, where a frame does not hold.
pub fn lines(log: Vec<u8>) -> Result<Vec<u8>, String> {
    if !is_framed(&log) {
        return Ok(log);
    }
    let mut rest = log.get(MAGIC.len()..).unwrap_or_default();
    let (mut frames, mut record, mut lines) = (Frames::default(), Vec::new(), Vec::with_capacity(log.len()));
    for number in 1_u64.. {
        match frames.read(&mut rest, &mut record) {
            Ok(Frame::Whole) => {
                lines.extend_from_slice(&record);
                lines.push(b'\n');
            }
            Ok(Frame::Corrupt(problem)) => return Err(format!("frame {number}: {problem}")),
            Ok(Frame::End | Frame::Torn(_)) | Err(_) => break,
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(lines: &[u8]) -> Vec<u8> {
        let mut log = MAGIC.to_vec();
        Frames::default().append_lines(&mut log, lines);
        log
    }

    #[test]
    fn lines_come_back_and_a_torn_end_is_left_out() {
        let text = b"{\"a\":1}\n\n{\"b\":2}\n";
        let log = framed(text);
        assert_eq!(log.len(), MAGIC.len() + 3 * OVERHEAD + text.len() - 3);
        assert_eq!(lines(log.clone()).unwrap(), text);
        assert_eq!(lines(log[..log.len() - 1].to_vec()).unwrap(), b"{\"a\":1}\n\n");
        assert_eq!(lines(MAGIC[..3].to_vec()).unwrap(), b"");
        assert_eq!(lines(text.to_vec()).unwrap(), text);
    }

    #[test]
    fn every_flipped_bit_is_noticed_and_so_is_every_frame_in_another_place() {
        let log = framed(b"one\ntwo\nthree\n");
        for bit in MAGIC.len() * 8..log.len() * 8 {
            let mut flipped = log.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(lines(flipped).ok().as_deref(), Some(b"one\ntwo\nthree\n".as_slice()), "bit {bit}");
        }
        let frame = OVERHEAD + 3;
        let (first, second) = (MAGIC.len(), MAGIC.len() + frame);
        let mut swapped = log.clone();
        swapped[first..first + 2 * frame].rotate_left(frame);
        let dropped = [&log[..first], &log[second..]].concat();
        for wrong in [swapped, dropped] {
            assert_eq!(lines(wrong).unwrap_err(), "frame 1: its digest is not that of its place and its record");
        }
    }

    #[test]
    fn a_length_that_was_made_up_takes_no_memory() {
        let huge = [&MAGIC[..], &u32::MAX.to_be_bytes(), &[0; 40]].concat();
        assert_eq!(lines(huge).unwrap_err(), "frame 1: its length is more than a record can have");
        let mut frames = Frames::default();
        let mut record = Vec::new();
        let large = [&(MAX_RECORD as u32).to_be_bytes()[..], &[0; 40]].concat();
        assert_eq!(frames.read(&mut large.as_slice(), &mut record).unwrap(), Frame::Torn(44));
        assert!(record.capacity() < 1 << 16);
    }
}
