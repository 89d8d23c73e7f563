//! A front for an executable in another language: it takes what servers send and hands on the strict form only.
//!
//! [`Front`] is a [`Handler`], so the runner keeps the contract of the process, and the executable is left with
//! the device: every number is a number, what is absent is absent, and every payload satisfies the strict schemas.

mod child;

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use async_trait::async_trait;
use netext_protocol::Service;
use tempfile::NamedTempFile;

use child::Child;
use netext_core::{Deadline, Description, DeviceError, ErrorKind, Handler, Invocation, Reply};

/// An executable that is given strict payloads.
///
/// It is called as an extension is, `<executable> <command> <payload-file> <timeout-seconds>`, with what is left of
/// the timeout. The file is in the folder for temporary files, readable by its owner only, and removed afterwards;
/// SIGKILL alone leaves it behind. What the executable prints is held to the contract like the reply of a device; its
/// exit code and what it says on standard error are passed on.
///
/// When the time is over, or the process is asked to end, the executable's process group gets SIGTERM, and SIGKILL
/// halfway through the runner's grace.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    executable: PathBuf,
    /// Unknown where nobody says it.
    services: Option<BTreeSet<Service>>,
}

impl Front {
    /// A front for an executable, which is called for every command.
    pub(crate) fn new(executable: impl Into<PathBuf>) -> Self {
        Self { executable: executable.into(), services: None }
    }

    /// With the services that the executable provides: commands of others succeed without reaching it.
    pub(crate) fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services = Some(services.into_iter().collect());
        self
    }

    async fn call(&self, invocation: &Invocation, payload: &Path) -> Result<Reply, DeviceError> {
        let deadline = invocation.deadline();
        deadline.check()?;
        // What is not a whole second is left to this side, so that the executable can be the first to say it.
        let seconds = deadline.remaining().as_secs().max(1).to_string();
        let arguments = [invocation.command().name().as_ref(), payload.as_os_str(), seconds.as_ref()];
        let failed = |error: io::Error| {
            DeviceError::invalid(format!("cannot run {}", self.executable.display())).with_source(error)
        };
        let mut child = Child::start(&self.executable, arguments).map_err(failed)?;
        let ended = child.end_within(deadline, invocation.grace() / 2).await;
        let status = ended.map_err(failed)?;
        if status.success() {
            return child.printed().map(Reply::Relayed);
        }
        Err(self.failure(status, &child.said(), deadline))
    }

    /// The executable's failure as it put it; where it put it in no words, what is known.
    fn failure(&self, status: ExitStatus, said: &str, deadline: &Deadline) -> DeviceError {
        if said.is_empty() && deadline.is_cancelled() {
            return DeviceError::timed_out("it was called off");
        }
        let message = match said {
            "" => format!("{} failed without a word ({status})", self.executable.display()),
            said => said.to_owned(),
        };
        match status.code().and_then(|code| u8::try_from(code).ok()).and_then(NonZeroU8::new) {
            Some(code) => DeviceError::new(ErrorKind::of_exit_code(code), message),
            None => DeviceError::internal(format!(
                "{} was ended ({status}): {message}",
                self.executable.display()
            )),
        }
    }
}

#[async_trait]
impl Handler for Front {
    /// The name and the services: who wants more asks the executable itself.
    fn description(&self) -> Description {
        let name = self.executable.file_stem().unwrap_or_default().to_string_lossy();
        let services = self.services.iter().flatten().copied();
        Description::new(name, "behind netext").services(services)
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        if self.services.is_some() && !self.description().provides(invocation.command()) {
            return Ok(Reply::Nothing);
        }
        let strict = invocation.parse()?.to_strict_json();
        let file = private_file(strict.as_bytes())
            .map_err(|error| DeviceError::internal("cannot write the strict payload").with_source(error))?;
        self.call(&invocation, file.path()).await
        // The file is removed when it goes out of scope.
    }
}

/// A file for its owner only, in the folder for temporary files.
fn private_file(content: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("netext-").suffix(".json").tempfile()?;
    io::Write::write_all(&mut file, content)?;
    Ok(file)
}
