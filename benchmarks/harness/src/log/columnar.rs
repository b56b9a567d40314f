//! The episode log as a Parquet file, for tools that analyse tables.
//!
//! A row is a line of the log: typed columns for what analyses ask about, and the very line in `record_json`, so that
//! nothing is lost and the hash chain can be recomputed from the file. The columns are [`SCHEMA`]. Rows are written in
//! groups as episodes end, so a run of any length needs the memory of one group. The bytes depend on the lines only:
//! the file names no time, and its maker by the version of this crate.

mod columns;
mod read;
mod rows;

use crate::BenchError;
use crate::files::AtomicFile;
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use ::parquet::schema::types::ColumnPath;
pub use read::RecordLines;
use rows::{Row, Rows};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The columns, in the notation of the format. What they mean is told in `docs/src/reference/records.md`.
pub const SCHEMA: &str = "message episode_log {
  REQUIRED INT64 line;
  REQUIRED BYTE_ARRAY task (STRING);
  REQUIRED INT64 episode;
  REQUIRED INT64 seed (INTEGER(64,false));
  REQUIRED INT32 step;
  REQUIRED INT64 t_s;
  REQUIRED BYTE_ARRAY agent_id (STRING);
  OPTIONAL BYTE_ARRAY role_id (STRING);
  REQUIRED BYTE_ARRAY action_type (STRING);
  REQUIRED BYTE_ARRAY status (STRING);
  OPTIONAL BYTE_ARRAY blocked_reason_code (STRING);
  OPTIONAL BYTE_ARRAY given_reason_code (STRING);
  OPTIONAL BYTE_ARRAY event_id (STRING);
  REQUIRED BYTE_ARRAY args_json (STRING);
  REQUIRED group specimen_ids (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (STRING); } }
  REQUIRED group emits (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (STRING); } }
  REQUIRED group violations (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (STRING); } }
  REQUIRED INT32 invariants_held;
  REQUIRED group enforcements (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (STRING); } }
  REQUIRED group token_refs (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (STRING); } }
  REQUIRED group token_consumed (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (STRING); } }
  OPTIONAL BYTE_ARRAY key_id (STRING);
  OPTIONAL BOOLEAN signature_passed;
  REQUIRED INT64 chain_length;
  REQUIRED BYTE_ARRAY prev_hash (STRING);
  OPTIONAL BYTE_ARRAY chain_hash (STRING);
  REQUIRED BYTE_ARRAY record_json (STRING);
}";

/// The column with the line itself.
const RECORD: &str = "record_json";
/// Columns of which hardly two values are the same: nothing to look up, nothing to tell of their least and greatest.
const UNIQUE: [&str; 4] = ["event_id", "prev_hash", "chain_hash", RECORD];
/// Rows of a group, at most [count].
const GROUP_ROWS: usize = 8192;
/// Lines of a group, but for the last of them [bytes].
const GROUP_BYTES: usize = 16 << 20;

/// A log in columns that is being written; see [`AtomicFile`].
pub struct ColumnarLog {
    path: PathBuf,
    writer: SerializedFileWriter<Sink>,
    rows: Rows,
    group_rows: usize,
}

impl std::fmt::Debug for ColumnarLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ColumnarLog").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The file, as the writer of the format wants it.
#[derive(Debug)]
struct Sink(AtomicFile);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.write(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(BenchError::Write { source, .. }) => Err(source),
            Err(other) => Err(std::io::Error::other(other.to_string())),
        }
    }

    // The file is flushed when it gets its name.
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl ColumnarLog {
    /// Begins the file.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn create(path: &Path) -> Result<Self, BenchError> {
        Self::with_groups_of(path, GROUP_ROWS)
    }

    fn with_groups_of(path: &Path, group_rows: usize) -> Result<Self, BenchError> {
        let file = Sink(AtomicFile::create(path)?);
        let schema = parse_message_type(SCHEMA).expect("the schema is a constant");
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties()));
        let writer = writer.map_err(|error| cannot_write(path, error))?;
        Ok(Self { path: path.to_path_buf(), writer, rows: Rows::default(), group_rows })
    }

    /// Appends the lines of an episode of `task` with seed `seed`.
    ///
    /// # Errors
    /// [`BenchError::Write`]; [`BenchError::NotALog`] when a line is not one of an episode log.
    pub fn append(&mut self, task: &str, seed: u64, lines: &[u8]) -> Result<(), BenchError> {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let row = Row::of(line).map_err(|problem| BenchError::NotALog { path: self.path.clone(), problem })?;
            self.rows.push(task, seed, row, line);
            if self.rows.len() >= self.group_rows || self.rows.line_bytes() >= GROUP_BYTES {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), BenchError> {
        let Self { path, writer, rows, .. } = self;
        rows.write_group(writer).map_err(|error| cannot_write(path, error))
    }

    /// Writes what is left and gives the file its name. Returns the SHA-256 of its content.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn persist(mut self) -> Result<String, BenchError> {
        if self.rows.len() > 0 {
            self.end_group()?;
        }
        self.writer.into_inner().map_err(|error| cannot_write(&self.path, error))?.0.persist()
    }
}

fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("labtrust version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new("labtrust_episode_log".to_owned(), "1".to_owned())]))
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for column in UNIQUE {
        let column = ColumnPath::from(column);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    properties.build()
}

fn cannot_write(path: &Path, error: ParquetError) -> BenchError {
    let source = match error {
        // What the operating system said, where it did.
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => *source,
            Err(other) => std::io::Error::other(other),
        },
        other => std::io::Error::other(other),
    };
    BenchError::Write { path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests;
