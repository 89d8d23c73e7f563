//! JSON Schemas (draft 2020-12) of payload files and responses, in two sets.
//!
//! - The **lenient** set ([`Form::Lenient`]) describes everything that a reader must accept: a scalar may be
//!   a string, a number or a boolean, a field may be absent, `null` or `""`, some fields have two spellings,
//!   and unknown fields are allowed.
//! - The **strict** set ([`Form::Strict`]) is made for devices and code generators: every field has one
//!   spelling and one type, absent fields are left out, and types have their names of this crate.
//!   [`Envelope::to_strict_json`](crate::Envelope::to_strict_json) writes this form.
//!
//! Every payload that the strict set accepts, the lenient set accepts too.
//!
//! The strict set uses only the forms that generators agree on; `make generators` runs several of them:
//! - A choice is a `string` with an `enum`. Generators do not recognize a `oneOf` of `const`, or a pattern.
//! - A type that several fields share is a named definition. A field refers to it by `allOf` beside its own
//!   description: with a bare `$ref`, some generators lose the description and others make a second type.
//! - A map has `additionalProperties` and nothing else. Without them generators make a class without fields.
//! - A condition on several fields is an `if`, which generators ignore. From an `anyOf` they make a union.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::command::table::for_each_command;
use crate::command::{Command, Output, PROTOCOL_VERSION};
use crate::message::custom_action::ActionResult;
use crate::message::lifecycle::NetworkUpdate;
use crate::value::details::{DeviceDetails, PhysicalDetails};
use crate::wire::field::Field;
use crate::wire::fields::Fields;
use crate::wire::json_schema::{ObjectSchema, Spelling, define, is_strict};

/// One of the two sets of schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// Everything that a reader must accept.
    Lenient,
    /// One spelling and one type for every field.
    Strict,
}

impl Form {
    /// Both forms.
    pub const ALL: [Self; 2] = [Self::Lenient, Self::Strict];

    /// The folder of the set, in the schemas' folder.
    const fn folder(self) -> &'static str {
        match self {
            Self::Lenient => "",
            Self::Strict => "strict/",
        }
    }

    /// schemars distinguishes reading from writing: we read the lenient form and write the strict one.
    fn generator(self) -> SchemaGenerator {
        let settings = SchemaSettings::draft2020_12();
        match self {
            Self::Lenient => settings.for_deserialize(),
            Self::Strict => settings.for_serialize(),
        }
        .into_generator()
    }
}

/// The schema of the payload file of a command.
pub fn request_schema(command: Command, form: Form) -> Schema {
    let mut generator = form.generator();
    let schema = file_schema(command, &mut generator);
    root(schema, &mut generator)
}

/// The schema of a command's output; `None` for a command that prints nothing.
pub fn response_schema(command: Command, form: Form) -> Option<Schema> {
    let mut generator = form.generator();
    let schema = response(command.output(), &mut generator)?;
    Some(root(schema, &mut generator))
}

fn response(output: Output, generator: &mut SchemaGenerator) -> Option<Schema> {
    let schema = match output {
        Output::Nothing => return None,
        Output::DeviceDetails => DeviceDetails::json_schema(generator),
        Output::NetworkUpdate => NetworkUpdate::json_schema(generator),
        Output::ActionResult => ActionResult::json_schema(generator),
    };
    Some(schema)
}

/// All payload files and responses of the strict form in one schema, for generators that make one package
/// from it. Its root has a property for each of them, named `<command>` and `<command> response`, and so
/// reaches every type.
pub fn bundle() -> Schema {
    let mut generator = Form::Strict.generator();
    let mut properties = Map::new();
    for &command in Command::ALL {
        let request = file_schema(command, &mut generator);
        properties.insert(command.name().to_owned(), define(request, &mut generator).into());
        if let Some(response) = response(command.output(), &mut generator) {
            properties.insert(format!("{command} response"), define(response, &mut generator).into());
        }
    }
    let schema = json_schema!({
        "title": "NetworkExtensionProtocol",
        "description": "Every payload file and response of the Network Extension protocol, by command.",
        "type": "object",
        "properties": properties,
    });
    root(schema, &mut generator)
}

/// The file of a command's request schema, relative to the schemas' folder.
pub fn request_file(command: Command, form: Form) -> String {
    format!("{}commands/{command}.request.schema.json", form.folder())
}

/// The file of a command's response schema, relative to the schemas' folder; `None` for a command that prints
/// nothing.
pub fn response_file(command: Command, form: Form) -> Option<String> {
    let file = || format!("{}commands/{command}.response.schema.json", form.folder());
    (command.output() != Output::Nothing).then(file)
}

/// The file of the [`bundle`], relative to the schemas' folder.
pub const BUNDLE_FILE: &str = "strict/bundle.schema.json";

/// The list of all commands with their facts and the files of their schemas: `index.json`.
pub fn index() -> Value {
    let commands: Vec<Value> = Command::ALL
        .iter()
        .map(|&command| {
            json!({
                "command": command.name(),
                "summary": command.summary(),
                "sent": command.sent(),
                "scope": command.scope().name(),
                "services": command.services().iter().map(|service| service.name()).collect::<Vec<_>>(),
                "effect": command.effect().name(),
                "ensured": command.ensured(),
                "output": command.output().name(),
                "request": request_file(command, Form::Lenient),
                "response": response_file(command, Form::Lenient),
                "strict_request": request_file(command, Form::Strict),
                "strict_response": response_file(command, Form::Strict),
            })
        })
        .collect();
    json!({
        "protocol": "CloudStack Network Extension",
        "protocol_version": PROTOCOL_VERSION,
        "strict_bundle": BUNDLE_FILE,
        "commands": commands,
    })
}

macro_rules! define_file_schema {
    ($($(#[$meta:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($fact:tt)* })*) => {
        fn file_schema(command: Command, generator: &mut SchemaGenerator) -> Schema {
            match command {
                $(Command::$variant => file_schema_of::<crate::$variant>(
                    command,
                    concat!(stringify!($variant), "File"),
                    generator,
                ),)*
            }
        }
    };
}

for_each_command!(define_file_schema);

/// The schema of a payload file: the details, and the request under its key or beside them.
fn file_schema_of<R: Fields + JsonSchema>(
    command: Command,
    title: &'static str,
    generator: &mut SchemaGenerator,
) -> Schema {
    let key = command.shape().key();
    let description = match key {
        Some(_) => "The payload file of one command.",
        None => "The payload file of one command; its fields stand beside the details.",
    };
    let mut schema = ObjectSchema::new(title, description, generator);
    let spellings = |keys: [&'static str; 2]| keys.map(|name| Spelling { name, is_older: false });
    schema.always_written(
        &spellings(PhysicalDetails::KEYS),
        "The details that the operator registered on the physical network: texts by name.",
        PhysicalDetails::schema(generator),
    );
    schema.always_written(
        &spellings(DeviceDetails::KEYS),
        "The details that the device last printed for `ensure-network-device`.",
        DeviceDetails::schema(generator),
    );
    match key {
        // Generators get a type of its own.
        Some(key) if is_strict(generator) => schema.given(key, generator.subschema_for::<R>()),
        Some(key) => schema.given(key, R::json_schema(generator)),
        None => R::describe(&mut schema, generator),
    }
    schema.finish()
}

fn root(mut schema: Schema, generator: &mut SchemaGenerator) -> Schema {
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".into(), definitions.into());
    }
    schema
}
