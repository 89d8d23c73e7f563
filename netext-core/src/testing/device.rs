//! A device in the test's own process.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use std::{fmt, io};

use async_trait::async_trait;

use super::call::{CallStreams, Extension, ExtensionCall, ProcessEnd, Response};
use crate::runner::Environment;
use crate::{Description, DeviceError, Handler, Invocation, Reply, Runner};

/// A device in the test's own process, behind the same runner as in an executable.
pub struct InProcessDevice<H> {
    handler: Arc<H>,
    runner: Runner,
}

impl<H: Handler + 'static> InProcessDevice<H> {
    /// A device, or any other handler.
    pub fn new(handler: H) -> Self {
        let handler = Arc::new(handler);
        Self { runner: Runner::new(SharedHandler(Arc::clone(&handler))), handler }
    }

    /// The device itself, for a test that looks inside.
    pub fn handler(&self) -> &H {
        &self.handler
    }
}

impl<H> fmt::Debug for InProcessDevice<H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InProcessDevice").finish_non_exhaustive()
    }
}

impl<H: Send + Sync> Extension for InProcessDevice<H> {
    fn call(&self, call: &ExtensionCall) -> Response {
        let began = Instant::now();
        let mut arguments = call.arguments(Path::new("payload.json"));
        arguments.insert(0, "extension".into());
        let payload = call.payload.clone();
        let open = move |_: &Path| payload.map(io::Cursor::new).ok_or(io::ErrorKind::NotFound.into());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let environment = Environment::new(arguments, &mut stdout, &mut stderr).payload(open);
        let outcome = self.runner.run(environment);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (output, error_output) = match call.streams {
            CallStreams::Apart => (text(stdout), text(stderr)),
            CallStreams::Merged | CallStreams::WithSilentInput => {
                (text([stdout, stderr].concat()), String::new())
            }
        };
        let end = ProcessEnd::Exited(outcome.exit_code().into());
        Response { end, output, error_output, held_by: Vec::new(), took: began.elapsed() }
    }
}

/// A handler that the runner and the test share.
struct SharedHandler<H>(Arc<H>);

#[async_trait]
impl<H: Handler> Handler for SharedHandler<H> {
    fn description(&self) -> Description {
        self.0.description()
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        self.0.handle(invocation).await
    }
}
