//! Why a command failed, and its exit code.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::num::NonZeroU8;

use netext_protocol::{Command, MissingField, ParseError};

/// The kind of a failure: decides the exit code, and whether a retry can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line, the payload or the configuration is invalid. Exit code 1.
    Invalid,
    /// The device or host cannot be reached, or authentication failed. Exit code 2.
    Connection,
    /// The device or the remote side failed. Exit code 3.
    Device,
    /// The command took too long, or was called off. Exit code 4.
    TimedOut,
    /// The device does not implement the command. Exit code 5.
    NotImplemented,
    /// A defect of the extension itself. Exit code 70, as `sysexits.h` has it.
    Internal,
    /// An exit code of another extension that stands for none of the other kinds.
    Other(NonZeroU8),
}

impl ErrorKind {
    const ALL: [Self; 6] =
        [Self::Invalid, Self::Connection, Self::Device, Self::TimedOut, Self::NotImplemented, Self::Internal];

    /// The exit code of this kind of failure.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Invalid => 1,
            Self::Connection => 2,
            Self::Device => 3,
            Self::TimedOut => 4,
            Self::NotImplemented => 5,
            Self::Internal => 70,
            Self::Other(code) => code.get(),
        }
    }

    /// The kind with this exit code, [`Other`](Self::Other) if the protocol does not define it: passes on the exit code
    /// of another extension.
    pub fn of_exit_code(code: NonZeroU8) -> Self {
        Self::known(code.get().into()).unwrap_or(Self::Other(code))
    }

    /// The kind with this exit code, [`Device`](Self::Device) if the protocol does not define it: classifies the exit
    /// code of another extension.
    pub fn from_exit_code(code: i32) -> Self {
        Self::known(code).unwrap_or(Self::Device)
    }

    fn known(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| i32::from(kind.exit_code()) == code)
    }

    /// The kind's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Connection => "connection",
            Self::Device => "device",
            Self::TimedOut => "timed-out",
            Self::NotImplemented => "not-implemented",
            Self::Internal => "internal",
            Self::Other(_) => "other",
        }
    }

    /// Whether the same command can succeed later without any change by an operator.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Connection | Self::TimedOut)
    }
}

/// A command failed. The operator reads the message in the server's log: it should say what was attempted, on what, and
/// what to do if that is known; never a secret.
///
/// It is displayed on one line: line breaks and other control characters are escaped.
///
/// ```
/// use netext_core::{DeviceError, ErrorKind};
///
/// let refused = std::io::Error::other("connection refused");
/// let error = DeviceError::connection("cannot reach the controller 192.0.2.10:443").with_source(refused);
/// assert_eq!(error.kind(), ErrorKind::Connection);
/// assert_eq!(error.exit_code(), 2);
/// assert!(error.is_retryable());
/// assert_eq!(error.report(), "cannot reach the controller 192.0.2.10:443: connection refused");
/// ```
#[derive(Debug)]
pub struct DeviceError {
    kind: ErrorKind,
    error: Box<dyn Error + Send + Sync>,
    source: Option<Box<dyn Error + Send + Sync>>,
    retryable: bool,
}

impl DeviceError {
    /// A failure of some kind, as [`std::io::Error::new`]: with a message, or with an error whose message and sources
    /// become those of the failure.
    pub fn new(kind: ErrorKind, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, error: error.into(), source: None, retryable: kind.is_retryable() }
    }

    /// The command line, the payload or the configuration is invalid.
    pub fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Invalid, error)
    }

    /// The device or host cannot be reached, or authentication failed.
    pub fn connection(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Connection, error)
    }

    /// The device or the remote side failed.
    pub fn device(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Device, error)
    }

    /// The command took too long, or was called off.
    pub fn timed_out(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::TimedOut, error)
    }

    /// The device does not implement the command.
    pub fn not_implemented(command: Command) -> Self {
        Self::new(ErrorKind::NotImplemented, format!("{command} is not implemented by this device"))
    }

    /// A defect of the extension itself.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, error)
    }

    /// Adds the cause. It takes the place of the sources of an error that the failure was made of.
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets whether a retry can help, if the kind is wrong about it.
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }

    /// Whether the same command can succeed later without any change by an operator.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// Says which command lacks a field: the error for an absent field does not.
    pub(crate) fn of_command(self, command: Command) -> Self {
        match self.error.downcast_ref::<MissingField>() {
            Some(missing) => Self { error: format!("{command}: {missing}").into(), ..self },
            None => self,
        }
    }

    /// The message and its causes on one line, as the runner prints them: the [`error_chain`], with a prefix that
    /// tells a defect of the extension from a failure of the device.
    pub fn report(&self) -> String {
        let chain = error_chain(self);
        match self.kind {
            // A relayed error has the prefix already.
            ErrorKind::Internal if !chain.starts_with("internal error: ") => {
                format!("internal error: {chain}")
            }
            _ => chain,
        }
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        OneLine(&self.error.to_string()).fmt(formatter)
    }
}

impl Error for DeviceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => self.error.source(),
        }
    }
}

/// A required field is missing: the payload is invalid.
impl From<MissingField> for DeviceError {
    fn from(missing: MissingField) -> Self {
        Self::invalid(missing)
    }
}

impl From<ParseError> for DeviceError {
    fn from(error: ParseError) -> Self {
        Self::invalid(error)
    }
}

/// The message of an error and those of its sources on one line, with control characters escaped.
///
/// It suits errors that keep one rule: a cause is either the [source](Error::source) or part of the message, never
/// both.
///
/// ```
/// use netext_core::{DeviceError, error_chain};
///
/// let timeout = std::io::Error::other("no answer after 5 s");
/// let error = DeviceError::device("cannot read the list of VLANs").with_source(timeout);
/// assert_eq!(error_chain(&error), "cannot read the list of VLANs: no answer after 5 s");
/// ```
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    let messages: Vec<_> = chain.map(|error| OneLine(&error.to_string()).to_string()).collect();
    messages.join(": ")
}

/// A text with its control characters escaped.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.trim().chars() {
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                write!(formatter, "{}", character.escape_default())?;
            } else {
                formatter.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_displayed_on_one_line() {
        let cause = std::io::Error::other("first\r\nsecond\u{2028}third");
        let error = DeviceError::device("nft said:\n\tsyntax error\u{1b}[0m\n").with_source(cause);
        assert_eq!(error.to_string(), r"nft said:\n\tsyntax error\u{1b}[0m");
        assert_eq!(error.report(), r"nft said:\n\tsyntax error\u{1b}[0m: first\r\nsecond\u{2028}third");
    }

    #[test]
    fn a_failure_made_of_an_error_has_its_message_and_its_sources() {
        let inner = DeviceError::device("cannot load the rules").with_source(std::io::Error::other("busy"));
        let error = DeviceError::connection(inner);
        assert_eq!(error.to_string(), "cannot load the rules");
        assert_eq!(error_chain(&error), "cannot load the rules: busy");
        let elsewhere =
            DeviceError::device("cannot load the rules").with_source(std::io::Error::other("busy"));
        let error = DeviceError::invalid(elsewhere).with_source(std::io::Error::other("no such table"));
        assert_eq!(error.report(), "cannot load the rules: no such table");
    }

    #[test]
    fn an_internal_error_says_so_once_even_when_it_is_relayed() {
        let error = DeviceError::internal("impossible");
        assert_eq!(error.report(), "internal error: impossible");
        assert_eq!(DeviceError::internal(error.report()).report(), error.report());
    }

    #[test]
    fn every_kind_is_found_again_by_its_exit_code() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_exit_code(i32::from(kind.exit_code())), kind);
        }
        assert_eq!(ErrorKind::from_exit_code(255), ErrorKind::Device);
        for code in (1..=u8::MAX).filter_map(NonZeroU8::new) {
            assert_eq!(ErrorKind::of_exit_code(code).exit_code(), code.get());
        }
        assert_eq!(ErrorKind::of_exit_code(NonZeroU8::MIN), ErrorKind::Invalid);
    }

    #[test]
    fn a_device_may_know_better_whether_a_retry_helps() {
        assert!(!DeviceError::device("busy").is_retryable());
        assert!(DeviceError::device("busy").retryable(true).is_retryable());
        assert!(!DeviceError::connection("wrong password").retryable(false).is_retryable());
    }
}
