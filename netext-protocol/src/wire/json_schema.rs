//! The parts that JSON Schemas are made of: values, and objects with their fields.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// Whether a generator describes the strict form.
pub(crate) fn is_strict(generator: &SchemaGenerator) -> bool {
    generator.contract().is_serialize()
}

/// A doc comment as a description, without line breaks and links.
pub(crate) fn prose(documentation: &str) -> String {
    let mut words = documentation.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "");
    // `[name](target)` and `[name]` become the name.
    while let Some(target) = words.find("](") {
        let end = words[target..].find(')').map_or(words.len(), |end| target + end + 1);
        words.replace_range(target..end, "");
    }
    words.replace(['[', ']'], "")
}

/// Adds a schema to the definitions by its title, and returns a reference to it.
pub(crate) fn define(schema: Schema, generator: &mut SchemaGenerator) -> Schema {
    let title = schema.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    let reference = json_schema!({ "$ref": format!("#/$defs/{title}") });
    generator.definitions_mut().insert(title, schema.into());
    reference
}

/// A text in the strict form.
pub(crate) fn strict_text(pattern: Option<&str>, is_secret: bool) -> Schema {
    let mut schema = json_schema!({ "type": "string" });
    if let Some(pattern) = pattern {
        schema.insert("pattern".into(), pattern.into());
    }
    if is_secret {
        schema.insert("writeOnly".into(), true.into());
    }
    schema
}

/// An address or network in the strict form.
#[derive(Clone, Copy)]
pub(crate) enum StrictAddress {
    /// By a format that generators know.
    Formatted(&'static str),
    /// By its pattern.
    Patterned,
    /// By its pattern, as a type with this name: in lists, generators would invent a type.
    Named(&'static str),
}

impl StrictAddress {
    pub(crate) fn schema(self, expected: &str, pattern: &str, generator: &mut SchemaGenerator) -> Schema {
        match self {
            Self::Formatted(format) => json_schema!({ "type": "string", "format": format }),
            Self::Patterned => strict_text(Some(pattern), false),
            Self::Named(title) => {
                let schema = json_schema!({
                    "title": title, "description": expected, "type": "string", "pattern": pattern,
                });
                define(schema, generator)
            }
        }
    }
}

/// A whole number in the strict form.
pub(crate) fn integer(minimum: i64, maximum: u64) -> Schema {
    let mut schema = json_schema!({ "type": "integer", "minimum": minimum });
    // Ids have 63 bits in the server's database; JavaScript has no exact numbers for larger limits.
    if maximum <= u32::MAX.into() {
        schema.insert("maximum".into(), maximum.into());
    } else {
        schema.insert("format".into(), "int64".into());
    }
    schema
}

/// The words of a fixed choice, each with its meaning: for people in the description, which generators copy
/// to the type, and one by one in `x-enum-descriptions`, as in `OpenAPI`.
pub(crate) fn words(title: &str, expected: &str, words: &[(&str, &str)]) -> Schema {
    let meanings: Vec<_> = words.iter().map(|(_, meaning)| prose(meaning)).collect();
    let each = words.iter().zip(&meanings).map(|((word, _), meaning)| format!(" {word}: {meaning}"));
    // "a direction (ingress, egress)"
    let (kind, _) = expected.split_once(" (").unwrap_or((expected, ""));
    let kind = kind.strip_prefix("a ").or_else(|| kind.strip_prefix("an ")).unwrap_or(kind);
    json_schema!({
        "title": title,
        "description": format!("The {kind}.{}", each.collect::<String>()),
        "type": "string",
        "enum": words.iter().map(|(word, _)| word).collect::<Vec<_>>(),
        "x-enum-descriptions": meanings,
    })
}

/// Words that newer servers may add to.
pub(crate) fn open_words(words: &[(&str, &str)]) -> Schema {
    let each = words.iter().map(|(word, meaning)| json!({ "const": word, "description": prose(meaning) }));
    let known: Vec<Value> = each.collect();
    json_schema!({ "type": "string", "examples": words.iter().map(|(word, _)| word).collect::<Vec<_>>(), "x-known-values": known })
}

/// An object, or on the wire a text that holds one as JSON.
pub(crate) fn object_or_json<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    if is_strict(generator) {
        return generator.subschema_for::<T>();
    }
    object_in_text(json!({ "type": "object" }))
}

/// An object of texts. On the wire the values may be other scalars, and the object may be JSON in a text. Any
/// value may be a credential.
pub(crate) fn texts_by_name(title: &str, description: &str, generator: &mut SchemaGenerator) -> Schema {
    let texts = |types: Value| json!({ "type": "object", "additionalProperties": { "type": types, "writeOnly": true } });
    if !is_strict(generator) {
        return object_in_text(texts(json!(["string", "number", "boolean", "null"])));
    }
    let mut schema: Schema = texts(json!("string")).try_into().unwrap_or_default();
    schema.insert("title".into(), title.into());
    schema.insert("description".into(), description.into());
    define(schema, generator)
}

fn object_in_text(object: Value) -> Schema {
    // A blank text means no object.
    let text = json!({
        "type": "string",
        "contentMediaType": "application/json",
        "pattern": r"^\s*(\{[\s\S]*\}\s*)?$",
    });
    json_schema!({ "anyOf": [object, text] })
}

/// The only `status` that a response may have: the server treats any other as a failure.
pub(crate) fn success(generator: &SchemaGenerator) -> Value {
    if is_strict(generator) {
        json!({ "type": "string", "const": "success" })
    } else {
        json!({ "type": "string", "pattern": "^[Ss][Uu][Cc][Cc][Ee][Ss][Ss]$" })
    }
}

/// An object that needs no `status`; if it has one, it must be `success`. The strict form has no such field:
/// it would carry no information.
pub(crate) fn claiming_no_failure(mut schema: Schema, generator: &SchemaGenerator) -> Schema {
    let status = json!({ "status": success(generator) });
    if is_strict(generator) {
        schema.insert("if".into(), json!({ "required": ["status"] }));
        schema.insert("then".into(), json!({ "properties": status }));
    } else if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(status.as_object().cloned().unwrap_or_default());
    } else {
        schema.insert("properties".into(), status);
    }
    schema
}

/// One spelling of a field's name on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spelling {
    /// The key.
    pub(crate) name: &'static str,
    /// Whether only senders that follow an older README use it.
    pub(crate) is_older: bool,
}

/// Whether the fields of the described object must be present.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// The object's own fields, and those of a group that must be present.
    Required,
    /// The fields of a group that may be absent as a whole.
    Optional,
}

/// Collects the fields of an object and of its groups. In the strict form every field has only its first
/// spelling, and absent fields are left out.
pub(crate) struct ObjectSchema {
    title: &'static str,
    description: String,
    is_strict: bool,
    properties: Map<String, Value>,
    presence: Presence,
    /// Each of these must be present, in one of its spellings.
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

    /// Describes a group that may be absent as a whole.
    pub(crate) fn optional_group(&mut self, describe: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.presence, Presence::Optional);
        describe(self);
        self.presence = outer;
    }

    /// One of these fields must be present.
    pub(crate) fn one_of(&mut self, names: &[&'static str]) {
        self.required.push(names.to_vec());
    }

    /// A field that must be present.
    pub(crate) fn required(&mut self, spellings: &[Spelling], description: &str, mut schema: Schema) {
        if self.presence == Presence::Optional {
            return self.optional(spellings, description, schema);
        }
        // The empty string counts as absent.
        let is_said = schema.get("pattern").is_some() || schema.get("format").is_some();
        if !is_said && schema.get("type").is_some_and(takes_string) {
            schema.insert("minLength".into(), 1.into());
        }
        let names = self.property(spellings, description, schema);
        self.required.push(names);
    }

    /// A field that may be absent.
    pub(crate) fn optional(&mut self, spellings: &[Spelling], description: &str, schema: Schema) {
        if self.is_strict {
            self.property(spellings, description, schema);
            return;
        }
        let absent = json!({ "enum": [null, ""], "description": "absent" });
        self.property(spellings, description, json_schema!({ "anyOf": [schema, absent] }));
    }

    /// A field that may be absent on the wire, and that the strict form always has.
    pub(crate) fn always_written(&mut self, spellings: &[Spelling], description: &str, schema: Schema) {
        if self.is_strict {
            self.required(spellings, description, schema);
        } else {
            self.optional(spellings, description, schema);
        }
    }

    /// A property with a finished schema.
    pub(crate) fn given(&mut self, name: &'static str, schema: Schema) {
        self.properties.insert(name.to_owned(), schema.into());
        self.one_of(&[name]);
    }

    /// Adds a field in all of its spellings, and returns them. If two groups share a name, the first group
    /// describes it.
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
                // Generators ignore an `if`; of an `allOf` they would make types.
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
