//! `netext schema`: writes the protocol's schemas, or compares them with what was written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use netext_core::protocol::{Command, schema};
use serde_json::Value;

/// Where to write to, or what to compare with.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Arguments {
    /// Write the schemas to this folder, and remove files of former commands.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Compare the schemas in this folder with the protocol; fail if they differ.
    #[arg(long, value_name = "DIR")]
    check: Option<PathBuf>,
}

/// Does what the arguments ask for.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let done = match (&arguments.out, &arguments.check) {
        (Some(folder), _) => write(folder).map(|()| Vec::new()),
        (None, Some(folder)) => compare(folder),
        (None, None) => Ok(Vec::new()),
    };
    let complaint = match done {
        Ok(differences) if differences.is_empty() => return ExitCode::SUCCESS,
        Ok(differences) => differences.join("\n"),
        Err(error) => format!("netext: {error}"),
    };
    let _ = writeln!(io::stderr(), "{complaint}");
    ExitCode::FAILURE
}

/// Every file by its path below the folder.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("index.json".to_owned(), text(schema::index()))]);
    for &command in Command::ALL {
        files.insert(schema::request_file(command), text(schema::request_schema(command).into()));
        files.insert(schema::response_file(command), text(schema::response_schema(command).into()));
    }
    files
}

fn text(schema: Value) -> String {
    format!("{:#}\n", sorted(schema))
}

/// The same value with the keys of its objects in order: the order that `serde_json` keeps depends on the
/// features that other crates of a build ask for.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let entries: BTreeMap<_, _> =
                object.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.into_iter().collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

/// The files below the folder that are named as ours are.
fn present(folder: &Path) -> io::Result<BTreeSet<String>> {
    let entries = match fs::read_dir(folder.join("commands")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    let mut present = BTreeSet::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".request.schema.json") || name.ends_with(".response.schema.json") {
            present.insert(format!("commands/{name}"));
        }
    }
    Ok(present)
}

fn write(folder: &Path) -> io::Result<()> {
    let files = files();
    fs::create_dir_all(folder.join("commands"))?;
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
        differences.push(format!("to write them anew: netext schema --out {}", folder.display()));
    }
    Ok(differences)
}
