//! An object's schema in the making.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{is_strict, prose};
use crate::wire::field::Field;
use crate::wire::object::Fields;

/// One spelling of a field's name on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spelling {
    /// The key.
    pub(crate) name: &'static str,
    /// Whether only senders that follow an older README write it.
    pub(crate) is_older: bool,
}

/// Whether the fields that are being described must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// The object's own, or those of a group that must be there.
    Required,
    /// Those of a group that may be absent as a whole.
    Optional,
}

/// Collects the fields of an object and of its groups. In the strict form every field has its first spelling
/// only, and what is absent is left out.
pub(crate) struct ObjectSchema {
    title: &'static str,
    description: String,
    is_strict: bool,
    properties: Map<String, Value>,
    presence: Presence,
    /// Each of these must be there, in one of its spellings.
    required: Vec<Vec<&'static str>>,
}

impl ObjectSchema {
    pub(crate) fn new(title: &'static str, description: &str, generator: &SchemaGenerator) -> Self {
        Self {
            title,
            description: prose(description),
            is_strict: is_strict(generator),
            properties: Map::new(),
            presence: Presence::Required,
            required: Vec::new(),
        }
    }

    pub(crate) fn group<T: Fields>(&mut self, generator: &mut SchemaGenerator) {
        T::describe(self, generator);
    }

    /// The fields of a group that may be absent as a whole.
    pub(crate) fn optional_group<T: Fields>(&mut self, generator: &mut SchemaGenerator) {
        let outer = std::mem::replace(&mut self.presence, Presence::Optional);
        T::describe(self, generator);
        self.presence = outer;
    }

    /// One of these fields must be there.
    pub(crate) fn one_of(&mut self, names: &[&'static str]) {
        self.required.push(names.to_vec());
    }

    pub(crate) fn required<T: Field>(
        &mut self,
        spellings: &[Spelling],
        description: &str,
        generator: &mut SchemaGenerator,
    ) {
        if self.presence == Presence::Optional {
            return self.optional::<T>(spellings, description, generator);
        }
        let mut schema = T::schema(generator);
        // The empty string counts as absent.
        let is_said = schema.get("pattern").is_some() || schema.get("format").is_some();
        if !is_said && schema.get("type").is_some_and(takes_string) {
            schema.insert("minLength".into(), 1.into());
        }
        let names = self.property(spellings, description, schema);
        self.required.push(names);
    }

    pub(crate) fn optional<T: Field>(
        &mut self,
        spellings: &[Spelling],
        description: &str,
        generator: &mut SchemaGenerator,
    ) {
        let present = T::schema(generator);
        if self.is_strict {
            self.property(spellings, description, present);
            return;
        }
        let absent = json!({ "enum": [null, ""], "description": "absent" });
        self.property(spellings, description, json_schema!({ "anyOf": [present, absent] }));
    }

    /// A field that has its type's default where it is absent. The strict form writes the default, unless the
    /// default says nothing.
    pub(crate) fn defaulted<T: Field + Default>(
        &mut self,
        spellings: &[Spelling],
        description: &str,
        generator: &mut SchemaGenerator,
    ) {
        if T::is_left_out(&T::default()) {
            self.optional::<T>(spellings, description, generator);
        } else {
            self.always_written::<T>(spellings, description, generator);
        }
    }

    /// A field that may be absent on the wire, and that the strict form always has.
    pub(crate) fn always_written<T: Field>(
        &mut self,
        spellings: &[Spelling],
        description: &str,
        generator: &mut SchemaGenerator,
    ) {
        if self.is_strict {
            self.required::<T>(spellings, description, generator);
        } else {
            self.optional::<T>(spellings, description, generator);
        }
    }

    /// A property whose schema is ready.
    pub(crate) fn given(&mut self, name: &'static str, schema: Schema) {
        self.properties.insert(name.to_owned(), schema.into());
        self.one_of(&[name]);
    }

    /// Adds a field in all of its spellings, and answers them. A name that two groups share means what the first
    /// of them says.
    fn property(
        &mut self,
        spellings: &[Spelling],
        description: &str,
        mut schema: Schema,
    ) -> Vec<&'static str> {
        let spellings = if self.is_strict { &spellings[..1] } else { spellings };
        let description = prose(description);
        if !description.is_empty() {
            if self.is_strict && schema.get("$ref").is_some() {
                schema = json_schema!({ "allOf": [schema] });
            }
            schema.insert("description".into(), description.into());
        }
        for spelling in spellings {
            let mut schema = schema.clone();
            if spelling.is_older {
                schema.insert("deprecated".into(), true.into());
            }
            self.properties.entry(spelling.name).or_insert_with(|| schema.into());
        }
        spellings.iter().map(|spelling| spelling.name).collect()
    }

    pub(crate) fn finish(self) -> Schema {
        let (single, spelled): (Vec<_>, Vec<_>) =
            self.required.into_iter().partition(|names| names.len() == 1);
        let mut schema = json_schema!({
            "title": self.title,
            "type": "object",
            "description": self.description,
            "properties": self.properties,
            "required": single.concat(),
        });
        if !spelled.is_empty() {
            let any_spelling = |names: Vec<&str>| json!({ "anyOf": names.iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>() });
            let conditions: Value = spelled.into_iter().map(any_spelling).collect();
            if self.is_strict {
                // Generators ignore this, and would make types of an `allOf`.
                schema.insert("if".into(), json!({ "not": { "allOf": conditions } }));
                schema.insert("then".into(), false.into());
            } else {
                schema.insert("allOf".into(), conditions);
            }
        }
        schema
    }
}

fn takes_string(types: &Value) -> bool {
    types == "string" || types.as_array().is_some_and(|types| types.iter().any(|name| name == "string"))
}
