//! Vectors as columns of the engine: signatures, bands, exact cosines.
//!
//! Not here: what those are (`stages::dedup::semantic`); the list of functions (`udf`).
//!
//! Always: a list of any kind, of 32 or of 64 bit floats, is read as 64 bit floats; a missing number in
//! it makes the vector no vector.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, ListArray, ListBuilder, StringArray, StringBuilder, StructArray,
    UInt32Array, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Fields, Float64Type};
use datafusion::error::{DataFusionError, Result};

use super::udf::list;
use crate::stages::dedup::semantic::hyperplanes::{Planes, Settings, bands, digest};
use crate::stages::dedup::semantic::{cosine, flaw};

pub fn signature_fields() -> Fields {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    [text("flaw"), Field::new("length", DataType::UInt32, true), text("signature")].into_iter().collect()
}

/// Lists of numbers, however they were stored.
struct Rows(ListArray);

impl Rows {
    fn of(vectors: &ArrayRef) -> Result<Rows> {
        let lists = arrow::compute::cast(vectors, &list(DataType::Float64))?;
        let wrong = || DataFusionError::Plan("vectors are no lists of numbers".to_owned());
        Ok(Rows(lists.as_list_opt::<i32>().ok_or_else(wrong)?.clone()))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// Its numbers; nothing where it, or one of them, is missing.
    fn get(&self, row: usize) -> Option<ArrayRef> {
        let numbers = self.0.is_valid(row).then(|| self.0.value(row))?;
        (numbers.null_count() == 0).then_some(numbers)
    }
}

fn numbers(array: &ArrayRef) -> &[f64] {
    array.as_primitive::<Float64Type>().values()
}

/// Why a vector cannot be compared, how long it is, and its signature if it can.
pub fn signature_rows(vectors: &ArrayRef, settings: &Settings) -> Result<ArrayRef> {
    let rows = Rows::of(vectors)?;
    let mut planes = Planes::new(settings);
    let (mut flaws, mut signatures) = (StringBuilder::new(), StringBuilder::new());
    let mut lengths = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let vector = rows.get(row);
        let vector = vector.as_ref().map(numbers);
        let why = vector.map_or(Some("missing"), flaw);
        flaws.append_option(why);
        lengths.push(vector.map(|vector| vector.len() as u32));
        signatures.append_option(vector.filter(|_| why.is_none()).map(|vector| planes.signature(vector)));
    }
    let columns: Vec<ArrayRef> =
        vec![Arc::new(flaws.finish()), Arc::new(UInt32Array::from(lengths)), Arc::new(signatures.finish())];
    Ok(Arc::new(StructArray::try_new(signature_fields(), columns, None)?))
}

/// Bands out of the digits of a signature.
pub fn band_rows(digits: &ArrayRef, settings: &Settings) -> Result<ArrayRef> {
    let digits = arrow::compute::cast(digits, &DataType::Utf8)?;
    let mut lists = ListBuilder::new(UInt64Builder::new());
    for digits in digits.as_string::<i32>() {
        lists.values().append_slice(&digits.map_or_else(Vec::new, |digits| bands(digits, settings)));
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

pub fn digest_rows(vectors: &ArrayRef) -> Result<ArrayRef> {
    let rows = Rows::of(vectors)?;
    let digests = (0..rows.len()).map(|row| rows.get(row).map(|vector| digest(numbers(&vector))));
    Ok(Arc::new(digests.collect::<StringArray>()))
}

pub fn cosine_rows(a: &ArrayRef, b: &ArrayRef) -> Result<ArrayRef> {
    let (a, b) = (Rows::of(a)?, Rows::of(b)?);
    let row = |row: usize| Some(cosine(numbers(&a.get(row)?), numbers(&b.get(row)?)));
    Ok(Arc::new((0..a.len()).map(row).collect::<Float64Array>()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{FixedSizeListArray, Float32Array, LargeListArray};

    use super::*;

    const SETTINGS: Settings = Settings { seed: 1, bands: 4, bits: 8 };

    /// The same four vectors as lists of three kinds: two directions, nothing, and one with a gap.
    fn kinds() -> Vec<ArrayRef> {
        let rows = || {
            let some = |numbers: [f32; 2]| Some(numbers.map(Some).to_vec());
            vec![some([1.0, 0.5]), some([0.0, 0.0]), None, Some(vec![Some(1.0), None])]
        };
        let list = ListArray::from_iter_primitive::<arrow::datatypes::Float32Type, _, _>(rows());
        let large = LargeListArray::from_iter_primitive::<arrow::datatypes::Float32Type, _, _>(rows());
        let flat = rows().into_iter().flat_map(|row| row.unwrap_or(vec![None, None])).collect::<Float32Array>();
        let fixed = FixedSizeListArray::try_new(
            Arc::new(Field::new("item", DataType::Float32, true)),
            2,
            Arc::new(flat),
            Some(vec![true, true, false, true].into()),
        );
        vec![Arc::new(list), Arc::new(large), Arc::new(fixed.unwrap())]
    }

    #[test]
    fn lists_of_every_kind_say_the_same() {
        let told = |vectors: &ArrayRef| {
            let rows = signature_rows(vectors, &SETTINGS).unwrap();
            let columns = rows.as_struct().columns().to_vec();
            let flaws: Vec<_> = columns[0].as_string::<i32>().iter().map(|flaw| flaw.map(str::to_owned)).collect();
            assert_eq!(flaws, [None, Some("zero"), Some("missing"), Some("missing")].map(|f| f.map(str::to_owned)));
            let signatures = columns[2].as_string::<i32>().clone();
            assert_eq!((signatures.null_count(), signatures.value(0).len()), (3, 32 + SETTINGS.bit_digits()));
            (signatures.value(0).to_owned(), digest_rows(vectors).unwrap().as_string::<i32>().value(0).to_owned())
        };
        let all: Vec<_> = kinds().iter().map(told).collect();
        assert!(all.iter().all(|one| *one == all[0] && one.0.starts_with(&one.1)), "{all:?}");
        let cosines = cosine_rows(&kinds()[0], &kinds()[2]).unwrap();
        let cosines = cosines.as_primitive::<Float64Type>();
        assert_eq!((cosines.value(0), cosines.is_null(2)), (1.0, true));
    }

    #[test]
    fn bands_are_cut_out_of_signatures() {
        let digits: ArrayRef = Arc::new(StringArray::from(vec!["0123abcd", "0123abce"]));
        let rows = band_rows(&digits, &SETTINGS).unwrap();
        let rows = rows.as_list::<i32>();
        let (one, other) = (rows.value(0), rows.value(1));
        assert_eq!((one.len(), one.slice(0, 3) == other.slice(0, 3), one == other), (4, true, false));
    }
}
