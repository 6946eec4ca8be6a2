//! What a column of a row group holds, until that is written.

use bytes::Bytes;
use jiff::Timestamp;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;

use super::shape::Leaf;
use crate::value::Value;

/// Where in its record a value stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Levels {
    /// How much of what is around it is there.
    definition: i16,
    /// Of how many lists it is not the first item: that many around it go on.
    repetition: i16,
    /// In how many lists it is.
    lists: i16,
}

impl Levels {
    /// Inside what stands there.
    pub(super) fn inside(self) -> Self {
        Self { definition: self.definition + 1, ..self }
    }

    /// The item of this number, counted from 0, in the list that stands there.
    pub(super) fn item(self, number: usize) -> Self {
        let lists = self.lists + 1;
        let repetition = if number == 0 { self.repetition } else { lists };
        Self { definition: self.definition + 2, repetition, lists }
    }
}

/// The values of a column, and where each of them and each null stands.
#[derive(Debug)]
pub(super) struct Column {
    leaf: Leaf,
    values: Values,
    definitions: Vec<i16>,
    /// Where it is in lists.
    repetitions: Option<Vec<i16>>,
}

#[derive(Debug)]
enum Values {
    Bools(Vec<bool>),
    Ints(Vec<i64>),
    Doubles(Vec<f64>),
    /// All texts in one, and where each of them ends.
    Texts(Vec<u8>, Vec<usize>),
}

impl Column {
    pub(super) fn new(leaf: Leaf, is_in_list: bool) -> Self {
        let values = Values::new(leaf);
        Self { leaf, values, definitions: Vec::new(), repetitions: is_in_list.then(Vec::new) }
    }

    /// Adds a null.
    pub(super) fn skip(&mut self, at: Levels) {
        self.definitions.push(at.definition);
        if let Some(repetitions) = &mut self.repetitions {
            repetitions.push(at.repetition);
        }
    }

    /// Adds a value that is not null. One of another kind than the column's has no place there, unless as text.
    pub(super) fn push(&mut self, value: &Value<'_>, at: Levels) {
        let is_there = match (&mut self.values, self.leaf) {
            (Values::Bools(bools), _) => read_bool(value).map(|truth| bools.push(truth)).is_some(),
            (Values::Ints(times), Leaf::Time) => read_time(value).map(|time| times.push(time)).is_some(),
            (Values::Ints(ints), _) => read_int(value).map(|number| ints.push(number)).is_some(),
            (Values::Doubles(doubles), _) => read_double(value).map(|number| doubles.push(number)).is_some(),
            (Values::Texts(texts, ends), leaf) => {
                match (leaf, value) {
                    // To memory, and every key is a string: that cannot fail.
                    (Leaf::Json, value) => serde_json::to_writer(&mut *texts, value).unwrap_or_default(),
                    (_, value) => texts.extend_from_slice(value.to_cell().as_bytes()),
                }
                ends.push(texts.len());
                true
            }
        };
        self.skip(if is_there { at.inside() } else { at });
    }

    /// The bytes of memory that it takes.
    pub(super) fn size(&self) -> usize {
        let levels = 1 + usize::from(self.repetitions.is_some());
        self.values.size() + self.definitions.len() * levels * size_of::<i16>()
    }

    #[cfg(test)]
    pub(super) fn is_json(&self) -> bool {
        self.leaf == Leaf::Json
    }

    /// Writes what it holds, and forgets that.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let (definitions, repetitions) = (Some(&*self.definitions), self.repetitions.as_deref());
        match std::mem::replace(&mut self.values, Values::new(self.leaf)) {
            Values::Bools(bools) => writer.typed::<BoolType>().write_batch(&bools, definitions, repetitions)?,
            Values::Ints(ints) => writer.typed::<Int64Type>().write_batch(&ints, definitions, repetitions)?,
            Values::Doubles(doubles) => writer.typed::<DoubleType>().write_batch(&doubles, definitions, repetitions)?,
            Values::Texts(texts, ends) => {
                let texts = Bytes::from(texts);
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let texts: Vec<_> =
                    starts.zip(&ends).map(|(start, &end)| ByteArray::from(texts.slice(start..end))).collect();
                writer.typed::<ByteArrayType>().write_batch(&texts, definitions, repetitions)?
            }
        };
        self.definitions.clear();
        self.repetitions.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

impl Values {
    fn new(leaf: Leaf) -> Self {
        match leaf {
            Leaf::Bool => Self::Bools(Vec::new()),
            Leaf::Int | Leaf::Time => Self::Ints(Vec::new()),
            Leaf::Double => Self::Doubles(Vec::new()),
            Leaf::Text | Leaf::Json => Self::Texts(Vec::new(), Vec::new()),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Bools(bools) => bools.len(),
            Self::Ints(ints) => size_of_val(&**ints),
            Self::Doubles(doubles) => size_of_val(&**doubles),
            Self::Texts(texts, ends) => texts.len() + size_of_val(&**ends),
        }
    }
}

fn read_bool(value: &Value<'_>) -> Option<bool> {
    if let Value::Bool(truth) = value { Some(*truth) } else { None }
}

fn read_int(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => i64::try_from(*number).ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

fn read_double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => serde_json::Number::from(*number).as_f64(),
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

fn read_time(value: &Value<'_>) -> Option<i64> {
    if let Value::Str(text) = value { text.parse().ok().map(Timestamp::as_millisecond) } else { None }
}
