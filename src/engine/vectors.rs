//! The files of vectors that a pipeline names: found, known by their content, and checked before
//! anything is done.
//!
//! Not here: what their numbers say (`engine::semantic`), what is decided by them (`runner`).
//!
//! Always: what is wrong with a file is an error that names file and column; a moved or renamed file is
//! the same vectors; what is read has the digest that the key names, or nothing is decided.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use rayon::prelude::*;

use super::sources::{self, locate};
use super::udf::list;
use crate::config::{Loaded, Semantic};
use crate::error::{Error, Result};
use crate::input::Location;
use crate::record::Id;
use crate::stages::ingest::columnar;

const READ_BYTES: usize = 4 << 20;

/// All files of vectors, each content once.
#[derive(Clone, Debug)]
pub struct Vectors {
    files: Vec<Found>,
    /// Of the contents of all files.
    pub digest: String,
    /// As plans see it, however each file stores its lists.
    pub schema: SchemaRef,
    pub rows: u64,
}

/// One file: where it lies, what it holds, and the type of its numbers.
#[derive(Clone, Debug)]
struct Found {
    location: Location,
    digest: String,
    numbers: DataType,
    rows: u64,
}

impl Vectors {
    pub fn discover(loaded: &Loaded, semantic: &Semantic) -> Result<Vectors> {
        let locations = locate(loaded, &semantic.vectors)?;
        let examined: Vec<Found> =
            locations.par_iter().map(|location| examine(location, semantic)).collect::<Result<_>>()?;
        let by_content: BTreeMap<String, Found> =
            examined.into_iter().rev().map(|file| (file.digest.clone(), file)).collect();
        let mut hasher = blake3::Hasher::new();
        for digest in by_content.keys() {
            hasher.update(digest.as_bytes());
        }
        let files: Vec<Found> = by_content.into_values().collect();
        // Writers give lists other kinds and names of items; the scan makes them one.
        let is_double = files.iter().any(|file| file.numbers == DataType::Float64);
        let numbers = if is_double { DataType::Float64 } else { DataType::Float32 };
        let fields = vec![
            Field::new(&semantic.id_column, DataType::Utf8, true),
            Field::new(&semantic.vector_column, list(numbers), true),
        ];
        let rows = files.iter().map(|file| file.rows).sum();
        Ok(Vectors {
            files,
            digest: Id::of(hasher.finalize()).to_string(),
            schema: Arc::new(Schema::new(fields)),
            rows,
        })
    }

    /// Whether somebody has made some yet; nothing is read of them.
    pub fn are_there(loaded: &Loaded, semantic: &Semantic) -> Result<bool> {
        sources::is_there(loaded, &semantic.vectors)
    }

    /// The files for plans. Objects are copied to `folder`, under names that are cleared away with what
    /// else is temporary there.
    pub fn files(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let path = |(i, file): (usize, &Found)| match &file.location {
            Location::File(path) => Ok(path.clone()),
            object => {
                let path = folder.join(format!("vectors-{i:05}.tmp.parquet"));
                let mut input = object.open().map_err(|err| Error::reading(object, &err))?;
                let mut copy = File::create(&path).map_err(|err| Error::io(&path, &err))?;
                let digest = digest(&mut input, &mut copy).map_err(|err| Error::reading(object, &err))?;
                if digest == file.digest { Ok(path) } else { Err(changed(object)) }
            }
        };
        self.files.iter().enumerate().map(path).collect()
    }

    /// An error if a file is no longer what it was when its digest became a part of the key: asked once all
    /// was read. Objects were copied, and compared then.
    pub fn unchanged(&self) -> Result<()> {
        self.files.par_iter().try_for_each(|file| {
            let Location::File(path) = &file.location else { return Ok(()) };
            let now = File::open(path).and_then(|mut input| digest(&mut input, &mut io::sink()));
            let now = now.map_err(|err| Error::reading(&file.location, &err))?;
            if now == file.digest { Ok(()) } else { Err(changed(&file.location)) }
        })
    }
}

fn changed(location: &Location) -> Error {
    let what = "the file changed while the run went on; nothing was decided by it, run again";
    Error::reading(location, &io::Error::new(io::ErrorKind::InvalidData, what))
}

/// Of what is still to be read, which goes to `copy`.
fn digest(input: &mut dyn Read, copy: &mut dyn Write) -> io::Result<String> {
    let (mut hasher, mut chunk) = (blake3::Hasher::new(), vec![0; READ_BYTES]);
    loop {
        let n = input.read(&mut chunk)?;
        if n == 0 {
            return Ok(hasher.finalize().to_string());
        }
        hasher.update(&chunk[..n]);
        copy.write_all(&chunk[..n])?;
    }
}

/// Digest, columns and rows of one file.
fn examine(location: &Location, semantic: &Semantic) -> Result<Found> {
    let failed = |err: io::Error| Error::reading(location, &err);
    let mut input = location.open().map_err(failed)?;
    let digest = digest(&mut input, &mut io::sink()).map_err(failed)?;
    let wrong = |what: String| Error::config(location.to_string(), what);
    let (whole, rows) =
        columnar::schema(input).ok_or_else(|| wrong("is no Parquet file that can be read".to_owned()))?;
    let numbers = numbers(&whole, semantic).map_err(wrong)?;
    Ok(Found { location: location.absolute().map_err(failed)?, digest, numbers, rows })
}

/// The type of the numbers, or what is wrong with the two columns.
fn numbers(whole: &Schema, semantic: &Semantic) -> std::result::Result<DataType, String> {
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
    column("id_column", &semantic.id_column, "text", |of| {
        matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
    })?;
    let lists = "lists of 32 or 64 bit floats";
    let vector = column("vector_column", &semantic.vector_column, lists, |of| of_floats(of).is_some())?;
    of_floats(vector.data_type()).cloned().ok_or_else(|| format!("expected {lists}"))
}

/// The type of its numbers if these are lists of floats.
fn of_floats(of: &DataType) -> Option<&DataType> {
    let (DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)) = of else { return None };
    matches!(item.data_type(), DataType::Float32 | DataType::Float64).then(|| item.data_type())
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
            numbers(&Schema::new(fields), &semantic)
        };
        for (id, vector, expected) in [
            (DataType::Utf8, list(DataType::Float32), Ok(DataType::Float32)),
            (DataType::LargeUtf8, fixed.clone(), Ok(DataType::Float64)),
            (DataType::Int64, fixed, Err("\"id\" is Int64, expected text")),
            (DataType::Utf8, list(DataType::Int32), Err("\"vector\" is")),
            (DataType::Utf8, DataType::Float32, Err("\"vector\" is Float32, expected lists")),
        ] {
            match (checked(id, vector), expected) {
                (Ok(numbers), Ok(expected)) => assert_eq!(numbers, expected),
                (Err(what), Err(part)) => assert!(what.contains(part), "{what}"),
                (got, expected) => panic!("{got:?} instead of {expected:?}"),
            }
        }
        let told = numbers(&Schema::new(vec![Field::new("name", DataType::Utf8, true)]), &semantic).unwrap_err();
        assert!(told.contains("no column \"id\"") && told.contains("[\"name\"]"), "{told}");
    }

    #[test]
    fn a_file_that_changes_after_it_was_examined_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.parquet");
        std::fs::write(&path, "one").unwrap();
        let digest = digest(&mut File::open(&path).unwrap(), &mut io::sink()).unwrap();
        let file = Found { location: Location::File(path.clone()), digest, numbers: DataType::Float32, rows: 1 };
        let vectors = Vectors { files: vec![file], digest: String::new(), schema: Arc::new(Schema::empty()), rows: 1 };
        vectors.unchanged().unwrap();
        std::fs::write(&path, "two").unwrap();
        let told = vectors.unchanged().unwrap_err().to_string();
        assert!(told.contains("v.parquet") && told.contains("changed while the run"), "{told}");
    }
}
