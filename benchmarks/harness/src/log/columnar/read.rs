//! The lines of a log in columns, as they were before they became rows.

use super::RECORD;
use crate::BenchError;
use ::parquet::column::reader::get_typed_column_reader;
use ::parquet::data_type::{ByteArray, ByteArrayType};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Reads the lines of a log in columns, one group of rows at a time.
pub struct RecordLines {
    path: PathBuf,
    file: SerializedFileReader<File>,
    /// Where the column of the lines is.
    column: usize,
    /// The group that is read next.
    group: usize,
    lines: std::vec::IntoIter<ByteArray>,
}

impl RecordLines {
    /// Opens a log.
    ///
    /// # Errors
    /// [`BenchError::Read`]; [`BenchError::NotALog`] when the file is no Parquet file or has no lines in it.
    pub fn open(path: &Path) -> Result<Self, BenchError> {
        let file = File::open(path).map_err(|source| BenchError::Read { path: path.to_path_buf(), source })?;
        let file = SerializedFileReader::new(file).map_err(|error| not_a_log(path, &error))?;
        let columns = file.metadata().file_metadata().schema_descr().columns();
        let lines_are = |column: &::parquet::schema::types::ColumnDescPtr| {
            column.path().string() == RECORD && column.physical_type() == ::parquet::basic::Type::BYTE_ARRAY
        };
        let Some(column) = columns.iter().position(lines_are) else {
            let problem = format!("it has no text column {RECORD}");
            return Err(BenchError::NotALog { path: path.to_path_buf(), problem });
        };
        Ok(Self { path: path.to_path_buf(), file, column, group: 0, lines: Vec::new().into_iter() })
    }

    /// The next line without its end; `None` after the last.
    ///
    /// # Errors
    /// [`BenchError::NotALog`] when the file is damaged.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, BenchError> {
        loop {
            if let Some(line) = self.lines.next() {
                return Ok(Some(line.data().to_vec()));
            }
            if self.group == self.file.num_row_groups() {
                return Ok(None);
            }
            self.lines = self.read_group().map_err(|error| not_a_log(&self.path, &error))?.into_iter();
            self.group += 1;
        }
    }

    fn read_group(&self) -> Result<Vec<ByteArray>, ParquetError> {
        let group = self.file.get_row_group(self.group)?;
        let mut column = get_typed_column_reader::<ByteArrayType>(group.get_column_reader(self.column)?);
        let mut levels = Vec::new();
        let mut lines = Vec::new();
        let most = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        while lines.len() < most {
            let (rows, ..) = column.read_records(most - lines.len(), Some(&mut levels), None, &mut lines)?;
            if rows == 0 {
                break;
            }
        }
        Ok(lines)
    }
}

fn not_a_log(path: &Path, error: &ParquetError) -> BenchError {
    BenchError::NotALog { path: path.to_path_buf(), problem: error.to_string() }
}
