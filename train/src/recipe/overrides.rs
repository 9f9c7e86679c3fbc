//! Fields of a recipe from the command line.

use toml::{Table, Value};

use super::RecipeError;

/// Puts the value of `text`, `field.of.field=value`, into `table`. A list's entries are numbered
/// from 0: `data.train.0.degrees=5`.
pub fn apply(table: &mut Table, text: &str) -> Result<(), RecipeError> {
    let wrong = |reason: String| RecipeError::Override {
        text: text.to_owned(),
        reason,
    };
    let (path, value) = text
        .split_once('=')
        .ok_or_else(|| wrong("expected field=value, such as optimizer.lr=0.05".to_owned()))?;
    let fields: Vec<&str> = path.split('.').map(str::trim).collect();
    let Some((last, parents)) = fields.split_last().filter(|(last, _)| !last.is_empty()) else {
        return Err(wrong("the field has no name".to_owned()));
    };
    let value = parse(value.trim());
    let mut inside = Place::Table(table);
    for field in parents {
        inside = inside.enter(field).map_err(wrong)?;
    }
    inside.put(last, value).map_err(wrong)
}

/// The TOML value in `text`; text that is none is a string.
fn parse(text: &str) -> Value {
    toml::from_str::<Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

enum Place<'a> {
    Table(&'a mut Table),
    List(&'a mut Vec<Value>),
}

impl<'a> Place<'a> {
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

    fn put(self, field: &str, value: Value) -> Result<(), String> {
        match self {
            Self::Table(table) => {
                table.insert(field.to_owned(), value);
            }
            Self::List(list) => *entry(list, field)? = value,
        }
        Ok(())
    }
}

fn entry<'a>(list: &'a mut [Value], field: &str) -> Result<&'a mut Value, String> {
    let length = list.len();
    field
        .parse::<usize>()
        .ok()
        .and_then(|index| list.get_mut(index))
        .ok_or_else(|| {
            format!("{field} is no entry of a list of {length}, which are numbered from 0")
        })
}
