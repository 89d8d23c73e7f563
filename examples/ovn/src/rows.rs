//! Rows of the northbound database as they shall be.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A row, known by a key that no other row of its network has, and that stays as long as it is the same thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) table: &'static str,
    pub(crate) key: String,
    pub(crate) columns: BTreeMap<&'static str, Column>,
    /// Whether it is everybody's: made where it is absent, and never changed or deleted.
    pub(crate) is_shared: bool,
    /// The key of the shared switch that it is a port of.
    pub(crate) port_of: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    /// A value as OVSDB writes it.
    Value(Value),
    /// The rows of these keys.
    Rows(Vec<String>),
}

impl Row {
    pub(crate) fn new(table: &'static str, key: impl Into<String>) -> Self {
        Self { table, key: key.into(), columns: BTreeMap::new(), is_shared: false, port_of: None }
    }

    pub(crate) fn with(mut self, column: &'static str, value: impl Into<Value>) -> Self {
        self.columns.insert(column, Column::Value(value.into()));
        self
    }

    pub(crate) fn with_rows<'a>(
        mut self,
        column: &'static str,
        rows: impl IntoIterator<Item = &'a Self>,
    ) -> Self {
        self.columns.insert(column, Column::Rows(rows.into_iter().map(|row| row.key.clone()).collect()));
        self
    }

    pub(crate) fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    pub(crate) fn port_of(mut self, switch: &Self) -> Self {
        self.port_of = Some(switch.key.clone());
        self
    }
}

/// A set as OVSDB writes it.
pub(crate) fn set<T: Into<Value>>(elements: impl IntoIterator<Item = T>) -> Value {
    let elements: Vec<Value> = elements.into_iter().map(Into::into).collect();
    json!(["set", elements])
}

/// A map as OVSDB writes it.
pub(crate) fn map<K: ToString, V: ToString>(pairs: impl IntoIterator<Item = (K, V)>) -> Value {
    let pairs: Vec<Value> =
        pairs.into_iter().map(|(key, value)| json!([key.to_string(), value.to_string()])).collect();
    json!(["map", pairs])
}

/// The pairs of a map of texts.
pub(crate) fn pairs(map: &Value) -> impl Iterator<Item = (&str, &str)> {
    let pairs = map[1].as_array().into_iter().flatten();
    pairs.filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_str()?)))
}

/// The one way of writing a value: sets and maps in order, and a set of one element as that element.
pub(crate) fn normal(value: &Value) -> Value {
    let Some(elements) = value[1].as_array().filter(|_| value[0] == "set" || value[0] == "map") else {
        return value.clone();
    };
    if let ([single], true) = (elements.as_slice(), value[0] == "set") {
        return single.clone();
    }
    let mut elements = elements.clone();
    elements.sort_by_cached_key(ToString::to_string);
    json!([value[0], elements])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_however_the_database_writes_it() {
        assert_eq!(normal(&set(["b", "a"])), normal(&set(["a", "b"])));
        assert_eq!(normal(&set(["a"])), json!("a"));
        assert_eq!(normal(&map([("b", "1"), ("a", "2")])), normal(&map([("a", "2"), ("b", "1")])));
        assert_ne!(normal(&map([("a", "1")])), normal(&map([("a", "2")])));
        assert_eq!(normal(&json!(["uuid", "x"])), json!(["uuid", "x"]));
    }
}
