//! A front for an executable in another language: it accepts the payloads of all senders and passes on the strict form.
//!
//! [`Front`] is a [`Handler`], so the runner implements the process contract, and the executable is left with the device:
//! every payload satisfies the strict schemas.

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

/// An executable that gets strict payloads.
///
/// It runs as an extension does, `<executable> <command> <payload-file> <timeout-seconds>`, with the remaining time. The
/// file is in the folder for temporary files, readable by its owner only, and removed afterwards; only SIGKILL leaves it
/// behind. The output of the executable must keep the contract, as the reply of a device; its exit code and its standard
/// error are passed on.
///
/// When the time is over, or the process is asked to end, the executable's process group gets SIGTERM, and SIGKILL
/// halfway through the runner's grace.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    executable: PathBuf,
    /// `None` if unknown: every command runs the executable.
    services: Option<BTreeSet<Service>>,
}

impl Front {
    /// A front for an executable, which runs for every command.
    pub(crate) fn new(executable: impl Into<PathBuf>) -> Self {
        Self { executable: executable.into(), services: None }
    }

    /// Sets the services of the executable: commands of other services succeed without running it.
    pub(crate) fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services = Some(services.into_iter().collect());
        self
    }

    async fn call(&self, invocation: &Invocation, payload: &Path) -> Result<Reply, DeviceError> {
        let deadline = invocation.deadline();
        deadline.check()?;
        // Rounded down, so that the executable notices the timeout first.
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

    /// The executable's failure in its own words, or without words its status.
    fn failure(&self, status: ExitStatus, said: &str, deadline: &Deadline) -> DeviceError {
        if let ("", Err(passed)) = (said, deadline.check()) {
            return passed;
        }
        let message = match said {
            "" => format!("{} failed without a message ({status})", self.executable.display()),
            said => said.to_owned(),
        };
        match status.code().and_then(|code| u8::try_from(code).ok()).and_then(NonZeroU8::new) {
            Some(code) => DeviceError::new(ErrorKind::of_exit_code(code), message),
            None => DeviceError::internal(format!(
                "{} was killed ({status}): {message}",
                self.executable.display()
            )),
        }
    }
}

#[async_trait]
impl Handler for Front {
    /// The name and the services. The executable itself answers `--describe`.
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
