//! Offerings of networks and VPCs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{ApiParameters, CAPABILITIES, PROVIDERS};
use super::{ApiRefusal, ApiServer, known, wrong};

/// An offering of networks or of VPCs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Offering {
    /// Each service, and its provider.
    providers: BTreeMap<String, String>,
    is_enabled: bool,
}

/// The capabilities that an offering with a service requires of its provider, unless it asks for another value.
const ASKED: &[(&str, &str, &str)] = &[
    ("SourceNat", "SupportedSourceNatTypes", "peraccount"),
    ("SourceNat", "RedundantRouter", "false"),
    ("Lb", "SupportedLBIsolation", "dedicated"),
    ("Lb", "LbSchemes", "Public"),
];

impl Offering {
    pub(super) fn provider(&self, service: &str) -> Option<&str> {
        self.providers.get(service).map(String::as_str)
    }
}

impl ApiServer {
    pub(super) fn create_offering(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let mut providers = BTreeMap::new();
        for [service, provider] in given.entries::<2>(&PROVIDERS)? {
            self.provider(provider)?.must_provide(service)?;
            providers.insert(service.to_owned(), provider.to_owned());
        }
        for service in given.required("supportedservices").split(',') {
            if !providers.contains_key(service) {
                return wrong(format!("Service {service} has no provider in serviceproviderlist"));
            }
        }
        let asked = given.entries::<3>(&CAPABILITIES)?;
        for [service, ..] in &asked {
            if !providers.contains_key(*service) {
                return wrong(format!(
                    "Capabilities for {service} service can be specified only when {service} service is enabled for network offering."
                ));
            }
        }
        let is_asked = |(service, name, _): &&(&str, &str, &str)| {
            asked
                .iter()
                .any(|[given, capability, _]| given == service && capability.eq_ignore_ascii_case(name))
        };
        let by_default =
            ASKED.iter().filter(|it| !is_asked(it)).map(|(service, name, word)| [*service, *name, *word]);
        for [service, name, word] in asked.iter().copied().chain(by_default) {
            if let Some(provider) = providers.get(service) {
                self.provider(provider)?.must_have(service, name, word)?;
            }
        }
        let (id, response) = self.created(given);
        self.offerings.insert(id, Offering { providers, is_enabled: false });
        Ok(response)
    }

    pub(super) fn enable_offering(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let id = given.required("id");
        known(&self.offerings, given.kind(), id)?;
        if let Some(offering) = self.offerings.get_mut(id) {
            offering.is_enabled = given.required("state") == "Enabled";
        }
        Ok(given.object(json!({"id": id})))
    }

    /// An offering that is enabled.
    pub(super) fn enabled_offering(&self, id: &str) -> Result<&Offering, ApiRefusal> {
        let offering = known(&self.offerings, "offering", id)?;
        if offering.is_enabled {
            Ok(offering)
        } else {
            wrong(format!("Offering {id} is not in Enabled state"))
        }
    }
}
