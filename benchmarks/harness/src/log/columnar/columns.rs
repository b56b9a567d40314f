//! The values of one column of one group of rows, with the levels by which the format tells what is absent or in a list.

use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType};
use ::parquet::errors::ParquetError;
use ::parquet::file::writer::SerializedColumnWriter;

/// A column of a group of rows.
pub(super) trait Column {
    /// Writes the values and is empty afterwards.
    fn drain_into(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError>;
}

/// One value in every row.
pub(super) struct Always<T: DataType>(Vec<T::T>);

impl<T: DataType> Default for Always<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: DataType> Always<T> {
    pub(super) fn push(&mut self, value: T::T) {
        self.0.push(value);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T: DataType> Column for Always<T> {
    fn drain_into(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        writer.typed::<T>().write_batch(&self.0, None, None)?;
        self.0.clear();
        Ok(())
    }
}

/// A value in some rows.
pub(super) struct Sometimes<T: DataType> {
    values: Vec<T::T>,
    /// One a row: 1 where there is a value, else 0.
    there: Vec<i16>,
}

pub(super) type SometimesText = Sometimes<ByteArrayType>;
pub(super) type SometimesFlag = Sometimes<BoolType>;

impl<T: DataType> Default for Sometimes<T> {
    fn default() -> Self {
        Self { values: Vec::new(), there: Vec::new() }
    }
}

impl<T: DataType> Sometimes<T> {
    pub(super) fn push(&mut self, value: Option<T::T>) {
        self.there.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

impl<T: DataType> Column for Sometimes<T> {
    fn drain_into(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        writer.typed::<T>().write_batch(&self.values, Some(&self.there), None)?;
        self.values.clear();
        self.there.clear();
        Ok(())
    }
}

/// A list of texts in every row.
#[derive(Default)]
pub(super) struct Texts {
    values: Vec<ByteArray>,
    /// 1 for a text, 0 for an empty list.
    there: Vec<i16>,
    /// 0 for the first of a row, 1 for what follows it.
    follows: Vec<i16>,
}

impl Texts {
    pub(super) fn push(&mut self, texts: Vec<String>) {
        if texts.is_empty() {
            self.there.push(0);
            self.follows.push(0);
        }
        for (place, value) in texts.into_iter().enumerate() {
            self.there.push(1);
            self.follows.push(i16::from(place > 0));
            self.values.push(text(value));
        }
    }
}

impl Column for Texts {
    fn drain_into(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        writer.typed::<ByteArrayType>().write_batch(&self.values, Some(&self.there), Some(&self.follows))?;
        self.values.clear();
        self.there.clear();
        self.follows.clear();
        Ok(())
    }
}

/// A text as the format has it.
pub(super) fn text(text: impl Into<Vec<u8>>) -> ByteArray {
    ByteArray::from(text.into())
}
