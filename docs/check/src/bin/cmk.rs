//! CloudStack's command line for the guides: one call per process. The file that `CMK_SERVER` names stores the server.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use netext_book::server::ApiServer;
use serde_json::Value;

fn main() -> ExitCode {
    match run() {
        Ok(response) => {
            let written = writeln!(io::stdout(), "{response:#}");
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(why) => {
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Value, String> {
    let file = env::var("CMK_SERVER").map_err(|_| "cmk: CMK_SERVER must name the file of the server")?;
    let mut words: Vec<_> = env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "-o") {
        words.drain(..2.min(words.len()));
    }
    let (call, parameters) = words.split_first().ok_or("cmk: the call is missing")?;
    let mut server = read(Path::new(&file))?;
    let response =
        server.call(call, parameters.iter().map(String::as_str)).map_err(|refusal| refusal.to_string())?;
    let state = serde_json::to_vec(&server).map_err(|error| format!("cmk: {error}"))?;
    fs::write(&file, state).map_err(|error| format!("cmk: cannot write {file}: {error}"))?;
    Ok(response)
}

/// The server of the last call, or a new one.
fn read(file: &Path) -> Result<ApiServer, String> {
    if !file.exists() {
        return Ok(ApiServer::default());
    }
    let unreadable = |error: String| format!("cmk: cannot read {}: {error}", file.display());
    let text = fs::read(file).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))
}
