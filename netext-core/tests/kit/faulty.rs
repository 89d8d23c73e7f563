//! The faulty extension of the tests: as an executable, and in the test's own process.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use netext_core::testing::{CallStreams, Executable, Extension, ExtensionCall, ProcessEnd, Response};
use tempfile::TempDir;

use crate::build::example;
use crate::double::FaultyExtension;

static EXECUTABLE: LazyLock<PathBuf> = LazyLock::new(|| example("netext-faulty"));

/// The faulty extension as an executable, and its folder.
pub(crate) fn faulty_executable(fault: &str) -> (Executable, TempDir) {
    let folder = TempDir::new().unwrap();
    let executable = Executable::new(&*EXECUTABLE)
        .unwrap()
        .variable("NETEXT_FAULT", fault)
        .variable("NETEXT_FOLDER", folder.path().join("networks"));
    (executable, folder)
}

/// The faulty extension in the test's own process, which is ten times as fast. It cannot have faults of a process:
/// those of its streams, and of its time.
pub(crate) struct FaultyInProcess {
    extension: FaultyExtension,
    folder: TempDir,
    calls: AtomicU32,
}

impl FaultyInProcess {
    pub(crate) fn new(fault: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let extension = FaultyExtension::new(fault, folder.path().join("networks"));
        Self { extension, folder, calls: AtomicU32::new(0) }
    }
}

impl Extension for FaultyInProcess {
    fn call(&self, call: &ExtensionCall) -> Response {
        let began = Instant::now();
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let file = self.folder.path().join(format!("payload-{number}.json"));
        if let Some(payload) = &call.payload {
            fs::write(&file, payload).unwrap();
        }
        let arguments = call.arguments(&file).into_iter().map(|it| it.into_string().unwrap());
        let (code, output, error) = match self.extension.run(&arguments.collect::<Vec<_>>()) {
            Ok(output) => (0, output, String::new()),
            Err((code, error)) => (code, String::new(), error),
        };
        let end = ProcessEnd::Exited(code.into());
        if call.streams == CallStreams::Apart {
            let mut response = Response::new(end, output, began.elapsed());
            response.error_output = error;
            return response;
        }
        Response::new(end, output + &error, began.elapsed())
    }
}
