//! Prints the public API of a crate, one item per line, from the JSON that rustdoc writes for it.

use std::collections::HashSet;
use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use public_api::Builder;

fn main() -> ExitCode {
    let Some(file) = env::args_os().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: api RUSTDOC_JSON");
        return ExitCode::FAILURE;
    };
    match list(Path::new(&file)) {
        Ok(list) => io::stdout().write_all(list.as_bytes()).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(error) => {
            let _ = writeln!(io::stderr(), "api: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The items. A derived trait is one line: its methods say nothing more.
fn list(file: &Path) -> Result<String, public_api::Error> {
    let builder = || Builder::from_rustdoc_json(file).omit_blanket_impls(true).omit_auto_trait_impls(true);
    let written = builder().omit_auto_derived_impls(true).build()?;
    let written: HashSet<_> = written.items().map(ToString::to_string).collect();
    let items = builder().build()?.into_items().map(|item| item.to_string());
    let listed = items.filter(|item| item.starts_with("impl") || written.contains(item));
    Ok(listed.flat_map(|item| [item, "\n".to_owned()]).collect())
}
