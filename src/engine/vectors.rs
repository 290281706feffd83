//! The files of vectors that a pipeline names: found, known by their content, and checked before
//! anything is done.
//!
//! Not here: what their numbers say (`engine::semantic`), what is decided by them (`runner`).
//!
//! Always: what is wrong with a file is an error that names file and column; a moved or renamed file is
//! the same vectors.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use rayon::prelude::*;

use super::sources::locate;
use crate::config::{Loaded, Semantic};
use crate::error::{Error, Result};
use crate::input::Location;
use crate::record::Id;
use crate::stages::ingest::columnar;

const READ_BYTES: usize = 4 << 20;

/// All files of vectors, each content once.
#[derive(Clone, Debug)]
pub struct Vectors {
    locations: Vec<Location>,
    /// Of the contents of all files.
    pub digest: String,
    pub schema: SchemaRef,
}

/// One file: where it lies, and the two columns that count.
struct Found {
    location: Location,
    schema: SchemaRef,
}

impl Vectors {
    pub fn discover(loaded: &Loaded, semantic: &Semantic) -> Result<Vectors> {
        let locations = locate(loaded, &semantic.vectors)?;
        let examined: Vec<(String, Found)> =
            locations.par_iter().map(|location| examine(location, semantic)).collect::<Result<_>>()?;
        let by_content: BTreeMap<String, Found> = examined.into_iter().rev().collect();
        let mut hasher = blake3::Hasher::new();
        for digest in by_content.keys() {
            hasher.update(digest.as_bytes());
        }
        let mut files = by_content.into_values();
        let none = || Error::config(&loaded.file, format!("{}: matches no file", semantic.vectors));
        let first = files.next().ok_or_else(none)?;
        let mut locations = vec![first.location.clone()];
        for other in files {
            if other.schema != first.schema {
                let types = |found: &Found| {
                    let fields = found.schema.fields().iter();
                    fields.map(|field| field.data_type().to_string()).collect::<Vec<_>>().join(", ")
                };
                let what = format!(
                    "its columns are {}, those of {} are {}; files of vectors must be alike",
                    types(&other),
                    first.location,
                    types(&first)
                );
                return Err(Error::config(other.location.to_string(), what));
            }
            locations.push(other.location);
        }
        Ok(Vectors { locations, digest: Id::of(hasher.finalize()).to_string(), schema: first.schema })
    }

    /// The files for plans. Objects are copied to `folder`, under names that are cleared away with what
    /// else is temporary there.
    pub fn files(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let file = |(i, location): (usize, &Location)| match location {
            Location::File(path) => Ok(path.clone()),
            object => {
                let path = folder.join(format!("vectors-{i:05}.tmp.parquet"));
                let mut input = object.open().map_err(|err| Error::reading(object, &err))?;
                let mut copy = std::fs::File::create(&path).map_err(|err| Error::io(&path, &err))?;
                std::io::copy(&mut input, &mut copy).map_err(|err| Error::reading(object, &err))?;
                Ok(path)
            }
        };
        self.locations.iter().enumerate().map(file).collect()
    }
}

/// Digest and columns of one file.
fn examine(location: &Location, semantic: &Semantic) -> Result<(String, Found)> {
    let failed = |err: std::io::Error| Error::reading(location, &err);
    let mut input = location.open().map_err(failed)?;
    let (mut hasher, mut chunk) = (blake3::Hasher::new(), vec![0; READ_BYTES]);
    loop {
        let n = input.read(&mut chunk).map_err(failed)?;
        if n == 0 {
            break;
        }
        hasher.update(&chunk[..n]);
    }
    let wrong = |what: String| Error::config(location.to_string(), what);
    let whole = columnar::schema(input).ok_or_else(|| wrong("is no Parquet file that can be read".to_owned()))?;
    let schema = columns(&whole, semantic).map_err(wrong)?;
    Ok((hasher.finalize().to_string(), Found { location: location.absolute().map_err(failed)?, schema }))
}

/// The two columns, or what is wrong with them.
fn columns(whole: &Schema, semantic: &Semantic) -> std::result::Result<SchemaRef, String> {
    let column = |key: &str, name: &str, expected: &str, fits: fn(&DataType) -> bool| {
        let Ok(field) = whole.field_with_name(name) else {
            let names: Vec<&str> = whole.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(format!("has no column {name:?}, which [dedup.semantic] {key} names; it has {names:?}"));
        };
        if !fits(field.data_type()) {
            return Err(format!("its column {name:?} is {}, expected {expected}", field.data_type()));
        }
        Ok(field)
    };
    let id = column("id_column", &semantic.id_column, "text", |of| {
        matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
    })?;
    let vector = column("vector_column", &semantic.vector_column, "lists of 32 or 64 bit floats", |of| match of {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            matches!(item.data_type(), DataType::Float32 | DataType::Float64)
        }
        _ => false,
    })?;
    // Whatever string type a file says, plans see one.
    let fields =
        vec![Field::new(id.name(), DataType::Utf8, true), Field::new(vector.name(), vector.data_type().clone(), true)];
    Ok(Arc::new(Schema::new(fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_checked_by_name_and_type() {
        let list = |of: DataType| DataType::List(Arc::new(Field::new("element", of, true)));
        let fixed = DataType::FixedSizeList(Arc::new(Field::new("item", DataType::Float64, true)), 3);
        let semantic: Semantic = toml::from_str("vectors = \"v.parquet\"").unwrap();
        let checked = |id: DataType, vector: DataType| {
            let other = Field::new("text", DataType::Utf8, true);
            let fields = vec![Field::new("vector", vector, false), other, Field::new("id", id, false)];
            columns(&Schema::new(fields), &semantic)
        };
        for (id, vector, expected) in [
            (DataType::Utf8, list(DataType::Float32), Ok(())),
            (DataType::LargeUtf8, fixed.clone(), Ok(())),
            (DataType::Int64, fixed, Err("\"id\" is Int64, expected text")),
            (DataType::Utf8, list(DataType::Int32), Err("\"vector\" is")),
            (DataType::Utf8, DataType::Float32, Err("\"vector\" is Float32, expected lists")),
        ] {
            match (checked(id, vector), expected) {
                (Ok(schema), Ok(())) => assert_eq!(schema.field(0).data_type(), &DataType::Utf8),
                (Err(what), Err(part)) => assert!(what.contains(part), "{what}"),
                (got, expected) => panic!("{got:?} instead of {expected:?}"),
            }
        }
        let told = columns(&Schema::new(vec![Field::new("name", DataType::Utf8, true)]), &semantic).unwrap_err();
        assert!(told.contains("no column \"id\"") && told.contains("[\"name\"]"), "{told}");
    }
}
