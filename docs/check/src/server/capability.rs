//! The services and capabilities of an extension, and how the server looks them up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::call::ApiParameters;
use super::{ApiRefusal, wrong};

/// An extension with its registered services and capabilities.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RegisteredExtension {
    name: String,
    services: Vec<String>,
    /// Service to capability to value, with the names as registered.
    capabilities: BTreeMap<String, BTreeMap<String, String>>,
}

impl RegisteredExtension {
    pub(super) fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn with_details(mut self, given: &ApiParameters<'_>) -> Result<Self, ApiRefusal> {
        for (name, value) in given.details() {
            match name {
                "network.services" => self.services = value.split(',').map(str::to_owned).collect(),
                "network.service.capabilities" => {
                    let Ok(capabilities) = serde_json::from_str(value) else {
                        return wrong(format!("{name} is not an object of services and their capabilities"));
                    };
                    self.capabilities = capabilities;
                }
                _ => {}
            }
        }
        Ok(self)
    }

    /// The value of a capability. Names are compared without regard to case.
    fn capability(&self, service: &str, name: &str) -> Option<&str> {
        let of_service = self.capabilities.iter().find(|(key, _)| key.eq_ignore_ascii_case(service));
        let capability = of_service?.1.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        capability.map(|(_, value)| value.as_str())
    }

    /// Whether a capability exists, with any value.
    pub(super) fn has(&self, service: &str, name: &str) -> bool {
        self.capability(service, name).is_some()
    }

    /// Whether a capability contains a word. The server assumes that the capability exists.
    pub(super) fn names(&self, service: &str, name: &str, word: &str) -> Result<bool, ApiRefusal> {
        let value = self.capability(service, name).ok_or(ApiRefusal::NullPointer)?;
        Ok(value.to_lowercase().contains(&word.to_lowercase()))
    }

    /// Checks that the provider has a capability with a value, as offerings require it.
    pub(super) fn must_have(&self, service: &str, name: &str, word: &str) -> Result<(), ApiRefusal> {
        let provider = &self.name;
        let Some(value) = self.capability(service, name) else {
            return Err(ApiRefusal::Unsupported(format!(
                "Service {service} doesn't have capability {name} for element=NetworkExtension implementing Provider={provider}"
            )));
        };
        if value.to_lowercase().contains(&word.to_lowercase()) {
            return Ok(());
        }
        Err(ApiRefusal::Unsupported(format!(
            "Service {service} doesn't support value {word} for capability {name} for element=NetworkExtension \
             implementing Provider={provider}"
        )))
    }

    pub(super) fn must_provide(&self, service: &str) -> Result<(), ApiRefusal> {
        if self.services.iter().any(|it| it == service) {
            return Ok(());
        }
        Err(ApiRefusal::Unsupported(format!("Provider {} doesn't support service {service}", self.name)))
    }
}
