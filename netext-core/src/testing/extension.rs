//! Whoever answers the server.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;

use super::call::{Answer, Call, End};
use crate::runner::Environment;
use crate::{Description, DeviceError, Handler, Invocation, Reply, Runner};

/// Whoever answers the server: an [`Executable`](super::Executable), or a [`Device`] in this process.
pub trait Extension: Sync {
    /// Runs it once.
    fn answer(&self, call: &Call) -> Answer;
}

impl<E: Extension + ?Sized> Extension for &E {
    fn answer(&self, call: &Call) -> Answer {
        (**self).answer(call)
    }
}

/// A device in this process, behind the same runner as in an executable.
pub struct Device<H> {
    handler: Arc<H>,
    runner: Runner,
}

impl<H: Handler + 'static> Device<H> {
    /// A device or any other handler.
    pub fn new(handler: H) -> Self {
        let handler = Arc::new(handler);
        Self { runner: Runner::new(Shared(Arc::clone(&handler))), handler }
    }

    /// The device itself, for a test that looks inside.
    pub fn handler(&self) -> &H {
        &self.handler
    }
}

impl<H> fmt::Debug for Device<H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Device").finish_non_exhaustive()
    }
}

impl<H: Send + Sync> Extension for Device<H> {
    fn answer(&self, call: &Call) -> Answer {
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
            super::Streams::Apart => (text(stdout), text(stderr)),
            _ => (text([stdout, stderr].concat()), String::new()),
        };
        let end = End::Exited(outcome.exit_code().into());
        Answer { end, output, error_output, held_by: Vec::new(), took: began.elapsed() }
    }
}

/// A handler that a test looks into while the runner has it.
struct Shared<H>(Arc<H>);

#[async_trait]
impl<H: Handler> Handler for Shared<H> {
    fn description(&self) -> Description {
        self.0.description()
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        self.0.handle(invocation).await
    }
}
