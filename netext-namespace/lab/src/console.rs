//! What the lab's programs have in common: their argument `--exec`, and their output.

use std::path::absolute;
use std::process::ExitCode;

/// The executable that `--exec` names, as a path from the root: the lab runs it from another folder.
///
/// # Errors
/// A sentence for people, also if the argument is missing.
pub fn executable(given: Option<String>) -> Result<String, String> {
    let path = absolute(given.ok_or("--exec PATH is missing")?).map_err(|error| error.to_string())?;
    Ok(path.to_string_lossy().into_owned())
}

/// Prints a report.
#[expect(clippy::print_stdout, reason = "the report is for people")]
pub fn print(text: &str) {
    println!("{text}");
}

/// Says something to the person who started the program, and returns the exit code.
pub fn say(text: &str, code: u8) -> ExitCode {
    eprintln!("{text}");
    ExitCode::from(code)
}
