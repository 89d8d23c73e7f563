//! Conformance: what the protocol asks of every extension, as checks that anyone can run.
//!
//! A check is a sentence that holds for an extension or does not, with the reason why the protocol asks for it
//! and what to do where it does not hold. All checks are listed in [`Check::all`]; [`Suite::run`] runs them
//! against any executable, or against a device in the test's own process:
//!
//! ```
//! # use netext_core::protocol::{DestroyNetwork, ImplementNetwork, NetworkUpdate, ShutdownNetwork};
//! # use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
//! # struct Acme;
//! # #[async_trait]
//! # impl NetworkDevice for Acme {
//! #     fn describe(&self) -> Description { Description::new("acme", "1.0.0") }
//! #     async fn implement_network(&self, _: &Context, _: ImplementNetwork) -> Result<Option<NetworkUpdate>, DeviceError> { Ok(None) }
//! #     async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> { Ok(()) }
//! #     async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> { Ok(()) }
//! # }
//! use netext_core::testing::conformance::{Provided, Suite};
//! use netext_core::testing::Server;
//!
//! let server = Server::for_device(Acme);
//! Suite::new(&server, Provided::of(&server.device().describe())).assert_conforms();
//! ```
//!
//! What can only be seen from outside (streams that are held open, children, signals) takes the executable.
//! The commands are real: an extension that acts on its machine is best tried on one to throw away.

mod checks;
mod expected;
mod provided;
mod report;
mod stage;
mod suite;

pub use expected::{Expected, UnknownCheck};
pub use provided::{Provided, UnknownRegistration};
pub use report::{Finding, Ran, Report, Standing};
pub use suite::Suite;

/// One thing that the protocol asks of every extension.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Check {
    /// What it is called in reports and in the file of expected failures.
    pub id: &'static str,
    /// What holds for an extension that conforms.
    pub sentence: &'static str,
    /// Why the protocol asks for it.
    pub reason: &'static str,
    /// What to do if it does not hold.
    pub remedy: &'static str,
    run: fn(&Suite<'_>) -> Finding,
}

impl Check {
    /// Every check, in the order in which they are run.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        checks::TABLES.iter().copied().flatten()
    }
}
