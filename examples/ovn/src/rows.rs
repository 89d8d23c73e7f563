//! Desired rows of the northbound database.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A row, with a key that is unique in its network and never changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) table: &'static str,
    pub(crate) key: String,
    pub(crate) columns: BTreeMap<&'static str, Column>,
    /// Whether all networks share the row: it is inserted if it does not exist, and never changed or deleted.
    pub(crate) is_shared: bool,
    /// The key of the shared switch to which this port belongs.
    pub(crate) port_of: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    /// A value as OVSDB writes it.
    Value(Value),
    /// The rows with these keys.
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

/// The normal form of a value: sets and maps in order, and a set of one element as that element.
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
    fn the_normal_form_does_not_depend_on_the_order() {
        assert_eq!(normal(&set(["b", "a"])), normal(&set(["a", "b"])));
        assert_eq!(normal(&set(["a"])), json!("a"));
        assert_eq!(normal(&map([("b", "1"), ("a", "2")])), normal(&map([("a", "2"), ("b", "1")])));
        assert_ne!(normal(&map([("a", "1")])), normal(&map([("a", "2")])));
        assert_eq!(normal(&json!(["uuid", "x"])), json!(["uuid", "x"]));
    }
}
