//! The parameters of an action: texts by name, read into what they mean.

use std::fmt::Display;
use std::str::FromStr;

use netext_core::DeviceError;
use netext_protocol::ActionParameters;

/// What came with an action. Errors name the action and the parameter, and of values only what was not understood.
pub(super) struct Parameters<'a> {
    action: &'static str,
    given: &'a ActionParameters,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(action: &'static str, given: &'a ActionParameters) -> Self {
        Self { action, given }
    }

    /// The value of a parameter that may go by several names, if it is given by any.
    pub(super) fn optional<T: FromStr>(&self, names: &[&'static str]) -> Result<Option<T>, DeviceError>
    where
        T::Err: Display,
    {
        let mut given = names.iter().filter_map(|name| Some((*name, self.given.get(name)?.trim())));
        let Some((name, value)) = given.next() else { return Ok(None) };
        if let Some((other, _)) = given.find(|(_, other)| *other != value) {
            return Err(self.refused(name, format!("{other} says something else; give one of them")));
        }
        value.parse().map(Some).map_err(|error: T::Err| self.refused(name, error))
    }

    /// The value of a parameter that has to be given.
    pub(super) fn required<T: FromStr>(&self, names: &[&'static str]) -> Result<T, DeviceError>
    where
        T::Err: Display,
    {
        let missing =
            || DeviceError::invalid(format!("{}: the parameter {} is missing", self.action, names[0]));
        self.optional(names)?.ok_or_else(missing)
    }

    /// The refusal of a parameter.
    pub(super) fn refused(&self, name: &str, reason: impl Display) -> DeviceError {
        DeviceError::invalid(format!("{}: {name}: {reason}", self.action))
    }
}
