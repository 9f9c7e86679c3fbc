//! Overrides of recipe fields from the command line.

use toml::{Table, Value};

use super::error::RecipeError;

/// Applies the override `text`, such as `optimizer.lr=0.05`, to `table`. List entries are numbered
/// from 0: `data.train.0.degrees=5`.
pub fn apply(table: &mut Table, text: &str) -> Result<(), RecipeError> {
    let override_error = |reason: String| RecipeError::Override {
        text: text.to_owned(),
        reason,
    };
    let (path, value) = text.split_once('=').ok_or_else(|| {
        override_error("expected field=value, such as optimizer.lr=0.05".to_owned())
    })?;
    let fields: Vec<&str> = path.split('.').map(str::trim).collect();
    let Some((last, parents)) = fields.split_last().filter(|(last, _)| !last.is_empty()) else {
        return Err(override_error("the field name is empty".to_owned()));
    };
    let value = parse(value.trim());
    let mut container = Container::Table(table);
    for field in parents {
        container = container.enter(field).map_err(override_error)?;
    }
    container.set(last, value).map_err(override_error)
}

/// Parses `text` as a TOML value. Text that is not TOML becomes a string.
fn parse(text: &str) -> Value {
    toml::from_str::<Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// TOML value that contains other values.
enum Container<'a> {
    Table(&'a mut Table),
    List(&'a mut Vec<Value>),
}

impl<'a> Container<'a> {
    /// Returns the container at `field`. A field that a table does not have becomes a new table.
    fn enter(self, field: &str) -> Result<Self, String> {
        let value = match self {
            Self::Table(table) => table
                .entry(field)
                .or_insert_with(|| Value::Table(Table::new())),
            Self::List(list) => entry(list, field)?,
        };
        match value {
            Value::Table(table) => Ok(Self::Table(table)),
            Value::Array(list) => Ok(Self::List(list)),
            other => Err(format!("{field} is {other}, which has no fields")),
        }
    }

    /// Sets `field` to `value`.
    fn set(self, field: &str, value: Value) -> Result<(), String> {
        match self {
            Self::Table(table) => {
                table.insert(field.to_owned(), value);
            }
            Self::List(list) => *entry(list, field)? = value,
        }
        Ok(())
    }
}

/// Returns the entry of `list` with the index `field`.
fn entry<'a>(list: &'a mut [Value], field: &str) -> Result<&'a mut Value, String> {
    let length = list.len();
    field
        .parse::<usize>()
        .ok()
        .and_then(|index| list.get_mut(index))
        .ok_or_else(|| {
            format!("{field} is not an index of a list of {length} entries, numbered from 0")
        })
}
