//! `netext schema`: writes the protocol's schemas, or compares them with what was written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use crate::reference;
use clap::ValueEnum;
use netext_protocol::Command;
use netext_protocol::schema::{self, Form};
use serde_json::{Value, json};

use crate::screen::{Screen, complain, fail, print_json, verdict};

/// The protocol, described: JSON Schemas, or a reference for people.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to describe it in.
    #[arg(long, value_enum, default_value_t = Format::JsonSchema)]
    format: Format,
    /// Write to this folder (json-schema; files of former commands are removed) or file (markdown).
    #[arg(long, value_name = "PATH", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Compare with this folder or file; fail if it is not what the types say.
    #[arg(long, value_name = "PATH")]
    check: Option<PathBuf>,
}

/// What the protocol is described in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A folder of JSON Schemas (draft 2020-12): a request and a response per command, and an index.
    JsonSchema,
    /// One page: the table of commands, and the fields of each. Printed if it goes nowhere else.
    Markdown,
}

/// Does what the arguments ask for.
pub(crate) fn run(arguments: &Arguments, screen: Screen) -> ExitCode {
    let done = match (arguments.format, &arguments.out, &arguments.check) {
        (Format::JsonSchema, Some(folder), _) => write(folder).map(|()| Vec::new()),
        (Format::JsonSchema, None, Some(folder)) => compare(folder),
        (Format::JsonSchema, None, None) => {
            return fail("a folder of schemas is written with --out DIR and compared with --check DIR");
        }
        (Format::Markdown, Some(file), _) => fs::write(file, reference::markdown()).map(|()| Vec::new()),
        (Format::Markdown, None, Some(file)) => compare_page(file),
        (Format::Markdown, None, None) => {
            screen.show(&reference::markdown());
            return ExitCode::SUCCESS;
        }
    };
    let differences = match done {
        Ok(differences) => differences,
        Err(error) => return fail(error),
    };
    if screen.json {
        print_json(&json!({ "differences": differences }));
    } else {
        for difference in &differences {
            complain(difference);
        }
    }
    verdict(differences.is_empty())
}

/// How a page differs from the reference, and what to do about it.
fn compare_page(file: &Path) -> io::Result<Vec<String>> {
    if fs::read(file)? == reference::markdown().as_bytes() {
        return Ok(Vec::new());
    }
    let path = file.display();
    Ok(vec![
        format!("{path} differs from the protocol"),
        format!("to write it again: netext schema --format markdown --out {path}"),
    ])
}

/// Every file by its path below the folder.
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

/// The files below the folder that are named as ours are.
fn present(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut present = BTreeSet::new();
    for below in FOLDERS {
        let entries = match fs::read_dir(folder.join(below)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".request.schema.json") || name.ends_with(".response.schema.json") {
                present.insert(format!("{below}/{name}"));
            }
        }
    }
    Ok(present)
}

/// The folders that hold a file per command.
const FOLDERS: [&str; 2] = ["commands", "strict/commands"];

fn write(folder: &Path) -> io::Result<()> {
    let files = files();
    for below in FOLDERS {
        fs::create_dir_all(folder.join(below))?;
    }
    for (path, text) in &files {
        fs::write(folder.join(path), text)?;
    }
    for stale in present(folder)?.iter().filter(|path| !files.contains_key(*path)) {
        fs::remove_file(folder.join(stale))?;
    }
    Ok(())
}

/// What is different, a line each, and what to do about it.
fn compare(folder: &Path) -> io::Result<Vec<String>> {
    let files = files();
    let mut differences = Vec::new();
    for (path, text) in &files {
        match fs::read(folder.join(path)) {
            Ok(found) if found == text.as_bytes() => {}
            Ok(_) => differences.push(format!("{path} differs from the protocol")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                differences.push(format!("{path} is missing"));
            }
            Err(error) => return Err(error),
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
