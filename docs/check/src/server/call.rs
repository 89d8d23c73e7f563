//! The calls that the guides make, and the parameters of each.

use serde_json::{Value, json};

use super::{Refusal, wrong};

/// A call of the API.
#[derive(Debug)]
pub(super) struct Call {
    name: &'static str,
    /// The object that it answers.
    pub(super) kind: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// Parameters that may be given several times, as `name[0].field`.
    lists: &'static [List],
}

/// Parameters of the form `name[0].field`.
#[derive(Debug)]
struct List {
    name: &'static str,
    /// Any field, if there are none.
    fields: &'static [&'static str],
}

const DETAILS: List = List { name: "details", fields: &[] };
const PROVIDERS: List = List { name: "serviceproviderlist", fields: &["service", "provider"] };
const CAPABILITIES: List =
    List { name: "servicecapabilitylist", fields: &["service", "capabilitytype", "capabilityvalue"] };

macro_rules! calls {
    ($($name:ident $kind:ident [$($required:ident)*] [$($optional:ident)*] [$($list:ident)*];)*) => {
        const CALLS: &[Call] = &[$(Call {
            name: stringify!($name),
            kind: stringify!($kind),
            required: &[$(stringify!($required)),*],
            optional: &[$(stringify!($optional)),*],
            lists: &[$($list),*],
        }),*];
    };
}

calls! {
    listZones zone [] [name] [];
    listPhysicalNetworks physicalnetwork [] [zoneid name] [];
    listServiceOfferings serviceoffering [] [name] [];
    listTemplates template [templatefilter] [name] [];
    listNetworkServiceProviders networkserviceprovider [] [physicalnetworkid name] [];
    createExtension extension [name type] [description path state] [DETAILS];
    updateExtension extension [id] [state description cleanupdetails] [DETAILS];
    registerExtension extension [extensionid resourcetype resourceid] [] [DETAILS];
    updateRegisteredExtension extension [extensionid resourcetype resourceid] [cleanupdetails] [DETAILS];
    createNetworkOffering networkoffering [name displaytext guestiptype traffictype supportedservices]
        [egressdefaultpolicy conservemode forvpc usevpc] [PROVIDERS CAPABILITIES];
    updateNetworkOffering networkoffering [id state] [] [];
    createVPCOffering vpcoffering [name displaytext supportedservices] [] [PROVIDERS CAPABILITIES];
    updateVPCOffering vpcoffering [id state] [] [];
    createVPC vpc [name displaytext cidr vpcofferingid zoneid] [networkdomain] [];
    createNetwork network [name networkofferingid zoneid] [displaytext networkdomain vpcid gateway netmask aclid] [];
    restartNetwork network [id] [cleanup] [];
    deployVirtualMachine virtualmachine [zoneid serviceofferingid templateid] [name networkids] [];
    associateIpAddress ipaddress [networkid] [zoneid] [];
    createFirewallRule firewallrule [ipaddressid protocol] [startport endport cidrlist icmptype icmpcode] [];
    createEgressFirewallRule firewallrule [networkid protocol] [startport endport cidrlist destcidrlist icmptype icmpcode] [];
    createPortForwardingRule portforwardingrule [ipaddressid publicport privateport protocol virtualmachineid]
        [openfirewall networkid] [];
    createLoadBalancerRule loadbalancer [name algorithm publicipid publicport privateport] [protocol openfirewall networkid] [];
    assignToLoadBalancerRule loadbalancer [id virtualmachineids] [] [];
    assignCertToLoadBalancer loadbalancer [lbruleid certid] [] [];
    createNetworkACL networkacl [networkid protocol] [number action traffictype startport endport cidrlist icmptype icmpcode] [];
    addCustomAction extensioncustomaction [extensionid name] [description resourcetype enabled] [];
    runCustomAction customaction [customactionid resourceid] [resourcetype] [];
}

impl Call {
    pub(super) fn named(name: &str) -> Result<&'static Self, Refusal> {
        let call = CALLS.iter().find(|call| call.name == name);
        call.ok_or_else(|| {
            Refusal::Parameter(format!("The given command {name} is no call that the guides make"))
        })
    }

    /// Reads parameters; unknown, empty and missing ones are refused.
    pub(super) fn read<'a>(
        &self,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Parameters<'a>, Refusal> {
        let mut given = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((name, _)) if !self.takes(name) => {
                    return wrong(format!("{}: {name} is not a parameter", self.name));
                }
                None | Some((_, "")) => return wrong(format!("{}: {word} has no value", self.name)),
                Some(parameter) => given.push(parameter),
            }
        }
        let given = Parameters(given);
        match self.required.iter().find(|name| given.get(name).is_none()) {
            Some(missing) => wrong(format!(
                "Unable to execute API command {} due to missing parameter {missing}",
                self.name
            )),
            None => Ok(given),
        }
    }

    fn takes(&self, name: &str) -> bool {
        let of_list = |list: &List| {
            let parts =
                name.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')?.split_once("]."));
            parts.is_some_and(|(number, field)| {
                number.parse::<u32>().is_ok() && (list.fields.is_empty() || list.fields.contains(&field))
            })
        };
        self.required.contains(&name) || self.optional.contains(&name) || self.lists.iter().any(of_list)
    }

    /// What a list has in a zone where there is one of everything.
    pub(super) fn answer_of_a_full_zone(&self) -> Value {
        let object = json!({"id": "6a3f", "name": "one", "state": "Enabled"});
        json!({ self.kind: if self.name.starts_with("list") { json!([object]) } else { object } })
    }
}

/// The parameters of a call.
#[derive(Debug)]
pub(super) struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }

    /// A parameter that the call requires.
    pub(super) fn of(&self, name: &str) -> &'a str {
        self.get(name).expect("a call is read with all parameters that it requires")
    }

    /// The details, by their names.
    pub(super) fn details(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(|(name, value)| {
            let (_, detail) = name.strip_prefix("details[")?.split_once("].")?;
            Some((detail, *value))
        })
    }

    /// The entries of a list that have all of its fields.
    pub(super) fn entries<const N: usize>(
        &self,
        list: &str,
        fields: [&str; N],
    ) -> Result<Vec<[&'a str; N]>, Refusal> {
        let number = |name: &'a str| {
            name.strip_prefix(list)?.strip_prefix('[')?.split_once(']').map(|(number, _)| number)
        };
        let mut numbers: Vec<_> = self.0.iter().filter_map(|(name, _)| number(name)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let entry = |number: &str| {
            let mut values = [""; N];
            for (value, field) in values.iter_mut().zip(fields) {
                let name = format!("{list}[{number}].{field}");
                *value = self.get(&name).ok_or_else(|| Refusal::Parameter(format!("{name} is missing")))?;
            }
            Ok(values)
        };
        numbers.into_iter().map(entry).collect()
    }
}
