//! The texts in a JSON value.

use serde_json::Value;

/// Shows every text in a value, to be changed, with the name of the field that it is the value of: the given one, for
/// the value itself, and an empty one for the elements of a list.
pub(crate) fn each_text(name: &str, value: &mut Value, change: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => change(name, text),
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(name, value)| each_text(name, value, change));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| each_text("", value, change)),
        _ => {}
    }
}
