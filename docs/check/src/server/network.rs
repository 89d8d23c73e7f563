//! Networks, and the rules of their services.

use serde_json::{Value, json};

use super::call::ApiParameters;
use super::capability::RegisteredExtension;
use super::{ApiRefusal, ApiServer, known, wrong};

impl ApiServer {
    pub(super) fn create_vpc(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        self.enabled_offering(given.required("vpcofferingid"))?;
        let (id, response) = self.created(given);
        self.vpcs.insert(id, given.get("networkdomain").map(str::to_owned));
        Ok(response)
    }

    pub(super) fn create_network(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let offering_id = given.required("networkofferingid");
        let offering = self.enabled_offering(offering_id)?;
        let vpc = given.get("vpcid").map(|id| known(&self.vpcs, "VPC", id)).transpose()?;
        // A tier has the domain of its VPC.
        let has_domain = given.get("networkdomain").is_some() || vpc.is_some_and(Option::is_some);
        if has_domain {
            let may_have = match offering.provider("Dns") {
                Some(provider) => self.provider(provider)?.has("Dns", "AllowDnsSuffixModification"),
                None => false,
            };
            if !may_have {
                return wrong(format!(
                    "Domain name change is not supported by network offering id={offering_id} in zone id=6a3f"
                ));
            }
        }
        let (id, response) = self.created(given);
        self.networks.insert(id, offering_id.to_owned());
        Ok(response)
    }

    pub(super) fn associate_address(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let network = given.required("networkid");
        known(&self.networks, "network", network)?;
        let (id, response) = self.created(given);
        self.addresses.insert(id, network.to_owned());
        Ok(response)
    }

    pub(super) fn create_firewall_rule(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let network = known(&self.addresses, "public IP address", given.required("ipaddressid"))?;
        self.check_firewall(network, "SupportedProtocols", "Ingress", given)?;
        Ok(self.created(given).1)
    }

    pub(super) fn create_egress_rule(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        self.check_firewall(given.required("networkid"), "SupportedEgressProtocols", "Egress", given)?;
        Ok(self.created(given).1)
    }

    fn check_firewall(
        &self,
        network: &str,
        protocols: &str,
        direction: &str,
        given: &ApiParameters<'_>,
    ) -> Result<(), ApiRefusal> {
        let firewall = self.provider_of(network, "Firewall")?;
        let takes_direction = firewall.names("Firewall", "SupportedTrafficDirection", direction)?;
        check_protocol(
            firewall.names("Firewall", protocols, given.required("protocol"))?,
            given.required("protocol"),
        )?;
        if takes_direction {
            return Ok(());
        }
        wrong(format!("Traffic Type {direction} is currently supported by Firewall in network {network}"))
    }

    pub(super) fn forward_port(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let network = known(&self.addresses, "public IP address", given.required("ipaddressid"))?;
        let provider = self.provider_of(network, "PortForwarding")?;
        let protocol = given.required("protocol");
        check_protocol(provider.names("PortForwarding", "SupportedProtocols", protocol)?, protocol)?;
        Ok(self.created(given).1)
    }

    pub(super) fn balance(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let network = known(&self.addresses, "public IP address", given.required("publicipid"))?.clone();
        let provider = self.provider_of(&network, "Lb")?;
        let (protocol, algorithm) = (given.get("protocol").unwrap_or("tcp"), given.required("algorithm"));
        provider.must_have("Lb", "SupportedProtocols", protocol)?;
        provider.must_have("Lb", "SupportedLBAlgorithms", algorithm)?;
        let (id, response) = self.created(given);
        self.balancers.insert(id, network);
        Ok(response)
    }

    pub(super) fn assign_certificate(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let network = known(&self.balancers, "load balancer rule", given.required("lbruleid"))?;
        // The value `false` counts as well.
        if self.provider_of(network, "Lb")?.has("Lb", "SslTermination") {
            return Ok(json!({"success": true}));
        }
        wrong("Ssl termination not supported by the loadbalancer")
    }

    pub(super) fn create_acl_item(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let provider = self.provider_of(given.required("networkid"), "NetworkACL")?;
        provider.must_have("NetworkACL", "SupportedProtocols", given.required("protocol"))?;
        Ok(self.created(given).1)
    }

    pub(super) fn run_action(&mut self, given: &ApiParameters<'_>) -> Result<Value, ApiRefusal> {
        let extension = known(&self.actions, "custom action", given.required("customactionid"))?;
        let name = known(&self.extensions, "extension", extension)?.name();
        let network = given.required("resourceid");
        if self.provider_of(network, "CustomAction")?.name() == name {
            return Ok(json!({"customactionresult": {"success": true, "result": {"message": "OK"}}}));
        }
        wrong(format!("RegisteredExtension {name} does not provide CustomAction for network {network}"))
    }

    /// The extension that provides a service of a network.
    fn provider_of(&self, network: &str, service: &str) -> Result<&RegisteredExtension, ApiRefusal> {
        let offering = known(&self.offerings, "offering", known(&self.networks, "network", network)?)?;
        match offering.provider(service) {
            Some(provider) => self.provider(provider),
            None => wrong(format!(
                "Service {service} is not supported by network {network}: its offering lacks it"
            )),
        }
    }
}

fn check_protocol(is_supported: bool, protocol: &str) -> Result<(), ApiRefusal> {
    if is_supported { Ok(()) } else { wrong(format!("Protocol {protocol} is not supported in zone 6a3f")) }
}
