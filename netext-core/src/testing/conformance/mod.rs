//! Conformance: the requirements of the protocol, as checks for any extension.
//!
//! A [`Check`] has a requirement, the reason why the protocol has it, and a remedy for an extension that does not
//! meet it; [`Check::all`] lists them. A [`ConformanceSuite`] runs them against an executable in any language, or
//! against a device in the test's own process:
//!
//! ```no_run
//! use netext_core::testing::conformance::ConformanceSuite;
//! use netext_core::testing::{ExtensionProfile, Server};
//!
//! let server = Server::for_executable("target/debug/acme")?.detail("hosts", "192.0.2.10");
//! let profile = ExtensionProfile::described_by(server.extension())?;
//! ConformanceSuite::new(&server, profile).assert_conforms();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Only an executable shows problems of its process: open streams, child processes and signals.
//!
//! The checks send real commands, for networks numbered from 990000. An extension that changes its machine needs a
//! machine for tests.

mod check;
mod checks;
mod formats;
mod suite;

pub use check::{Check, NotPassed};
pub use suite::{
    CheckResult, CheckStatus, ConformanceReport, ConformanceSuite, ExpectedFailures, UnknownCheck,
};
