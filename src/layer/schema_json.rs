//! Arrow schemas as plain JSON: the frozen contracts under `schemas/`, for readers without Arrow.
//!
//! Always: type names are our own words, so a new Arrow release does not change a contract.

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use serde::Serialize;

/// One layer or table.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct TableSchema {
    pub name: String,
    pub version: u32,
    pub columns: Vec<Column>,
}

/// `fields` are the fields of a struct, or the one item of a list.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: String,
    pub nullable: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Column>,
}

pub fn table(name: &str, version: u32, schema: &Schema) -> TableSchema {
    TableSchema { name: name.to_owned(), version, columns: columns(schema.fields()) }
}

fn columns(fields: &Fields) -> Vec<Column> {
    fields.iter().map(|field| column(field)).collect()
}

fn column(field: &Field) -> Column {
    let fields = match field.data_type() {
        DataType::List(item) | DataType::LargeList(item) => vec![column(item)],
        DataType::Struct(fields) => columns(fields),
        _ => Vec::new(),
    };
    Column {
        name: field.name().clone(),
        data_type: type_name(field.data_type()),
        nullable: field.is_nullable(),
        fields,
    }
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "utf8".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::List(_) => "list".to_owned(),
        DataType::Struct(_) => "struct".to_owned(),
        DataType::Timestamp(unit, zone) => {
            let unit = match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            };
            zone.as_ref().map_or_else(|| format!("timestamp({unit})"), |zone| format!("timestamp({unit}, {zone})"))
        }
        // Int8 to UInt64, Float32 and Float64 are spelled alike in all Arrow libraries.
        other => other.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn nested_columns_say_what_is_in_them() {
        let role = Field::new("role", DataType::Utf8, false);
        let item = Field::new("item", DataType::Struct(Fields::from(vec![role])), true);
        let schema = Schema::new(vec![
            Field::new("messages", DataType::List(Arc::new(item)), false),
            Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
            Field::new("n", DataType::UInt64, false),
            Field::new("x", DataType::Float32, false),
        ]);
        let json = serde_json::to_string(&table("t", 1, &schema)).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"name":"t","version":1,"columns":[{"name":"messages","type":"list","nullable":false,"fields":["#,
                r#"{"name":"item","type":"struct","nullable":true,"fields":[{"name":"role","type":"utf8","nullable":false}]}]},"#,
                r#"{"name":"at","type":"timestamp(us, UTC)","nullable":true},"#,
                r#"{"name":"n","type":"uint64","nullable":false},{"name":"x","type":"float32","nullable":false}]}"#
            )
        );
    }
}
