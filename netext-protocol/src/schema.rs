//! JSON Schemas (draft 2020-12) of what a reader must accept.
//!
//! The schemas describe the lenient wire: a scalar may be a string, a number or a boolean, a field may be
//! absent, `null` or `""`, and unknown fields pass.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::wire::field::Field;
use crate::wire::object::Fields;
use crate::wire::text::Text;
use crate::{ActionResult, Command, DeviceDetails, NetworkUpdate, Output, PROTOCOL_VERSION};

/// The schema of the payload file of a command.
pub fn request_schema(command: Command) -> Schema {
    let mut schema = crate::command::envelope_schema(command, &mut generator());
    schema.insert("title".into(), format!("{command} request").into());
    schema
}

/// The schema of what a command prints: for a command that prints nothing, the schema that nothing satisfies.
pub fn response_schema(command: Command) -> Schema {
    let mut schema = match command.output() {
        Output::Nothing => json_schema!({ "description": "Prints nothing at all.", "not": {} }),
        Output::DeviceDetails => generator().into_root_schema_for::<DeviceDetails>(),
        Output::NetworkUpdate => generator().into_root_schema_for::<NetworkUpdate>(),
        Output::ActionResult => generator().into_root_schema_for::<ActionResult>(),
    };
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), format!("{command} response").into());
    schema
}

/// The name of the file that holds a command's request schema, below the schemas' folder.
pub fn request_file(command: Command) -> String {
    format!("commands/{command}.request.schema.json")
}

/// The name of the file that holds a command's response schema, below the schemas' folder.
pub fn response_file(command: Command) -> String {
    format!("commands/{command}.response.schema.json")
}

/// The list of all commands with their facts and their schemas' files: `index.json`.
pub fn index() -> Value {
    let commands: Vec<Value> = Command::ALL
        .iter()
        .map(|&command| {
            json!({
                "command": command.name(),
                "scope": command.scope().name(),
                "services": command.services().iter().map(|service| service.name()).collect::<Vec<_>>(),
                "output": command.output().name(),
                "request": request_file(command),
                "response": response_file(command),
            })
        })
        .collect();
    json!({ "protocol": "CloudStack Network Extension", "protocol_version": PROTOCOL_VERSION, "commands": commands })
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// A scalar: its text, or a native number or boolean whose text it would take.
pub(crate) fn scalar<T: Text>() -> Schema {
    let mut types = vec!["string"];
    types.extend(T::parse_text("1").map(|_| "number"));
    types.extend(T::parse_text("true").map(|_| "boolean"));
    let mut schema = json_schema!({ "type": types, "description": T::EXPECTED });
    if let Some(pattern) = T::PATTERN {
        schema.insert("pattern".into(), pattern.into());
    }
    if T::SECRET {
        schema.insert("writeOnly".into(), true.into());
    }
    schema
}

/// An object, or a text that holds one as JSON.
pub(crate) fn object_or_json() -> Schema {
    json_schema!({ "anyOf": [{ "type": "object" }, json_text()] })
}

/// An object of scalars, or a text that holds one as JSON. Any of the scalars may be a credential.
pub(crate) fn texts_by_name() -> Schema {
    json_schema!({
        "anyOf": [
            {
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean", "null"], "writeOnly": true },
            },
            json_text(),
        ],
    })
}

/// A text that holds an object as JSON; a blank one holds none.
fn json_text() -> Value {
    json!({ "type": "string", "contentMediaType": "application/json", "pattern": r"^\s*(\{[\s\S]*\}\s*)?$" })
}

/// The only `status` that a response may bear: the server takes any other for a failure.
pub(crate) fn success() -> Value {
    json!({ "type": "string", "pattern": "^[Ss][Uu][Cc][Cc][Ee][Ss][Ss]$" })
}

/// Whose fields are being described.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// The object's own, or those of a group that must be there.
    Required,
    /// Those of a group that may be absent as a whole.
    Optional,
}

/// An object's schema in the making: collects the fields of the object and of its groups.
pub(crate) struct ObjectSchema {
    description: String,
    properties: Map<String, Value>,
    presence: Presence,
    /// Each of these must be there, in one of its spellings.
    required: Vec<Vec<&'static str>>,
}

impl ObjectSchema {
    pub(crate) fn new(description: &str) -> Self {
        Self {
            description: prose(description),
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
        names: &[&'static str],
        description: &str,
        generator: &mut SchemaGenerator,
    ) {
        if self.presence == Presence::Optional {
            return self.optional::<T>(names, description, generator);
        }
        self.one_of(names);
        let mut schema = T::schema(generator);
        // The empty string counts as absent.
        if schema.get("pattern").is_none() && schema.get("type").is_some_and(takes_string) {
            schema.insert("minLength".into(), 1.into());
        }
        self.property(names, description, schema);
    }

    pub(crate) fn optional<T: Field>(
        &mut self,
        names: &[&'static str],
        description: &str,
        generator: &mut SchemaGenerator,
    ) {
        let present = T::schema(generator);
        let absent = json!({ "enum": [null, ""], "description": "absent" });
        self.property(names, description, json_schema!({ "anyOf": [present, absent] }));
    }

    /// A name that two groups share means what the first of them says.
    fn property(&mut self, names: &[&'static str], description: &str, mut schema: Schema) {
        let description = prose(description);
        if !description.is_empty() {
            schema.insert("description".into(), description.into());
        }
        for name in names {
            self.properties.entry(*name).or_insert_with(|| schema.clone().into());
        }
    }

    pub(crate) fn finish(self) -> Schema {
        let (single, spelled): (Vec<_>, Vec<_>) =
            self.required.into_iter().partition(|names| names.len() == 1);
        let mut schema = json_schema!({
            "type": "object",
            "description": self.description,
            "properties": self.properties,
            "required": single.concat(),
        });
        if !spelled.is_empty() {
            let any_spelling = |names: Vec<&str>| json!({ "anyOf": names.iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>() });
            schema.insert("allOf".into(), spelled.into_iter().map(any_spelling).collect());
        }
        schema
    }
}

fn takes_string(types: &Value) -> bool {
    types == "string" || types.as_array().is_some_and(|types| types.iter().any(|name| name == "string"))
}

/// A doc comment as a description: without the line breaks and the links of the source.
fn prose(documentation: &str) -> String {
    documentation.split_whitespace().collect::<Vec<_>>().join(" ").replace(['`', '['], "").replace(']', "")
}

/// The root schema of a request inside its envelope.
pub(crate) fn enveloped<T: Fields + JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = ObjectSchema::new("The payload file of one command.");
    crate::envelope::describe(&mut schema, generator);
    schema.one_of(&["payload"]);
    schema.properties.insert("payload".into(), T::json_schema(generator).into());
    root(schema.finish(), generator)
}

/// The root schema of a request that shares the top level with the details.
pub(crate) fn flat<T: Fields>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema =
        ObjectSchema::new("The payload file of one command; its fields stand beside the details.");
    crate::envelope::describe(&mut schema, generator);
    schema.group::<T>(generator);
    root(schema.finish(), generator)
}

fn root(mut schema: Schema, generator: &mut SchemaGenerator) -> Schema {
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".into(), definitions.into());
    }
    schema
}
