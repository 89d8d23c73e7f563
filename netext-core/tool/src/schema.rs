//! `netext schema`: writes the protocol's schemas and reference, or compares them with existing files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use crate::reference;
use clap::ValueEnum;
use netext_protocol::Command;
use netext_protocol::schema::{self, Form};
use serde_json::{Value, json};

use crate::printer::{Printer, complain, fail, print_json, verdict};

/// Write the JSON Schemas of the protocol, or its command reference.
#[derive(clap::Args)]
pub(crate) struct SchemaArguments {
    /// The format.
    #[arg(long, value_enum, default_value_t = SchemaFormat::JsonSchema)]
    format: SchemaFormat,
    /// Write to this folder (json-schema; removes files of former commands) or file (markdown).
    #[arg(long, value_name = "PATH", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Compare with this folder or file; fail if it differs from the protocol.
    #[arg(long, value_name = "PATH")]
    check: Option<PathBuf>,
}

/// The format of the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemaFormat {
    /// A folder of JSON Schemas (draft 2020-12): a request and a response per command, and an index.
    JsonSchema,
    /// One page: the table of commands, and the fields of each. Default output: the terminal.
    Markdown,
}

/// Runs the subcommand.
pub(crate) fn run(arguments: &SchemaArguments, printer: Printer) -> ExitCode {
    let done = match (arguments.format, &arguments.out, &arguments.check) {
        (SchemaFormat::JsonSchema, Some(folder), _) => write(folder).map(|()| Vec::new()),
        (SchemaFormat::JsonSchema, None, Some(folder)) => compare(folder),
        (SchemaFormat::JsonSchema, None, None) => {
            return fail("name a folder: --out DIR writes the schemas, --check DIR compares them");
        }
        (SchemaFormat::Markdown, Some(file), _) => {
            fs::write(file, reference::markdown()).map_err(failed("write", file)).map(|()| Vec::new())
        }
        (SchemaFormat::Markdown, None, Some(file)) => compare_page(file),
        (SchemaFormat::Markdown, None, None) => {
            printer.show(&reference::markdown());
            return ExitCode::SUCCESS;
        }
    };
    let differences = match done {
        Ok(differences) => differences,
        Err(error) => return fail(error),
    };
    if printer.json {
        print_json(&json!({ "differences": differences }));
    } else {
        for difference in &differences {
            complain(difference);
        }
    }
    verdict(differences.is_empty())
}

/// The error of an operation on a file or folder.
fn failed(attempted: &str, path: &Path) -> impl Fn(io::Error) -> String {
    let what = format!("cannot {attempted} {}", path.display());
    move |error| format!("{what}: {error}")
}

/// How a page differs from the reference, and how to update it.
fn compare_page(file: &Path) -> Result<Vec<String>, String> {
    if fs::read(file).map_err(failed("read", file))? == reference::markdown().as_bytes() {
        return Ok(Vec::new());
    }
    let path = file.display();
    Ok(vec![
        format!("{path} differs from the protocol"),
        format!("to write it again: netext schema --format markdown --out {path}"),
    ])
}

/// Every file by its path in the folder.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("index.json".to_owned(), text(schema::index()))]);
    for form in Form::ALL {
        for &command in Command::ALL {
            let request = schema::request_schema(command, form);
            files.insert(schema::request_file(command, form), text(request.into()));
            let response = schema::response_file(command, form).zip(schema::response_schema(command, form));
            files.extend(response.map(|(path, schema)| (path, text(schema.into()))));
        }
    }
    files.insert(schema::BUNDLE_FILE.to_owned(), text(schema::bundle().into()));
    files
}

fn text(schema: Value) -> String {
    format!("{:#}\n", reference::in_order(schema))
}

/// The files in the folder with names of schemas.
fn present(folder: &Path) -> Result<BTreeSet<String>, String> {
    let mut present = BTreeSet::new();
    for below in FOLDERS {
        let folder = folder.join(below);
        let unreadable = failed("list", &folder);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(error)),
        };
        for entry in entries {
            let name = entry.map_err(&unreadable)?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".request.schema.json") || name.ends_with(".response.schema.json") {
                present.insert(format!("{below}/{name}"));
            }
        }
    }
    Ok(present)
}

/// The folders with a file per command.
const FOLDERS: [&str; 2] = ["commands", "strict/commands"];

fn write(folder: &Path) -> Result<(), String> {
    let files = files();
    for below in FOLDERS {
        let path = folder.join(below);
        fs::create_dir_all(&path).map_err(failed("create the folder", &path))?;
    }
    for (path, text) in &files {
        let path = folder.join(path);
        fs::write(&path, text).map_err(failed("write", &path))?;
    }
    for stale in present(folder)?.iter().filter(|path| !files.contains_key(*path)) {
        let path = folder.join(stale);
        fs::remove_file(&path).map_err(failed("remove", &path))?;
    }
    Ok(())
}

/// The differences, one per line, and how to update the folder.
fn compare(folder: &Path) -> Result<Vec<String>, String> {
    let files = files();
    let mut differences = Vec::new();
    for (path, text) in &files {
        let file = folder.join(path);
        match fs::read(&file) {
            Ok(found) if found == text.as_bytes() => {}
            Ok(_) => differences.push(format!("{path} differs from the protocol")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                differences.push(format!("{path} is missing"));
            }
            Err(error) => return Err(failed("read", &file)(error)),
        }
    }
    for superfluous in present(folder)?.iter().filter(|path| !files.contains_key(*path)) {
        differences.push(format!("{superfluous} belongs to no command"));
    }
    if !differences.is_empty() {
        differences.push(format!("to write them again: netext schema --out {}", folder.display()));
    }
    Ok(differences)
}
