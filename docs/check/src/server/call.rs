//! The calls that the guides make, and their parameters.

use serde_json::{Value, json};

use super::{ApiRefusal, wrong};

/// A call of the API.
#[derive(Debug)]
struct ApiCall {
    name: &'static str,
    /// The kind of object that it returns.
    kind: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    lists: &'static [ListParameter],
}

/// A parameter with several entries, given as `name[0].field`.
#[derive(Debug)]
pub(super) struct ListParameter {
    name: &'static str,
    /// Empty if it takes any field.
    fields: &'static [&'static str],
}

const DETAILS: ListParameter = ListParameter { name: "details", fields: &[] };
pub(super) const PROVIDERS: ListParameter =
    ListParameter { name: "serviceproviderlist", fields: &["service", "provider"] };
pub(super) const CAPABILITIES: ListParameter = ListParameter {
    name: "servicecapabilitylist",
    fields: &["service", "capabilitytype", "capabilityvalue"],
};

macro_rules! calls {
    ($($name:ident $kind:ident [$($required:ident)*] [$($optional:ident)*] [$($list:ident)*];)*) => {
        const CALLS: &[ApiCall] = &[$(ApiCall {
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

/// A call with its parameters.
#[derive(Debug)]
pub(super) struct ApiParameters<'a> {
    call: &'static ApiCall,
    given: Vec<(&'a str, &'a str)>,
}

impl<'a> ApiParameters<'a> {
    /// Reads the parameters of a call; refuses unknown, empty and missing ones.
    pub(super) fn read(name: &str, words: impl IntoIterator<Item = &'a str>) -> Result<Self, ApiRefusal> {
        let Some(call) = CALLS.iter().find(|call| call.name == name) else {
            return wrong(format!("The given command {name} is not a call of the guides"));
        };
        let mut given = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((parameter, _)) if !call.takes(parameter) => {
                    return wrong(format!("{name}: {parameter} is not a parameter"));
                }
                None | Some((_, "")) => return wrong(format!("{name}: {word} has no value")),
                Some(parameter) => given.push(parameter),
            }
        }
        let read = Self { call, given };
        match call.required.iter().find(|parameter| read.get(parameter).is_none()) {
            Some(missing) => {
                wrong(format!("Unable to execute API command {name} due to missing parameter {missing}"))
            }
            None => Ok(read),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }

    /// A parameter that the call requires.
    pub(super) fn required(&self, name: &str) -> &'a str {
        self.get(name).expect("a call is read with all parameters that it requires")
    }

    /// The details, by their names.
    pub(super) fn details(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.list(&DETAILS).map(|(_, detail, value)| (detail, value))
    }

    /// The entries of a list, each with all of its fields.
    pub(super) fn entries<const N: usize>(
        &self,
        list: &ListParameter,
    ) -> Result<Vec<[&'a str; N]>, ApiRefusal> {
        let mut numbers: Vec<_> = self.list(list).map(|(number, ..)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let entry = |number: &str| {
            let mut values = [""; N];
            for (value, field) in values.iter_mut().zip(list.fields) {
                let name = format!("{}[{number}].{field}", list.name);
                *value =
                    self.get(&name).ok_or_else(|| ApiRefusal::Parameter(format!("{name} is missing")))?;
            }
            Ok(values)
        };
        numbers.into_iter().map(entry).collect()
    }

    /// The number, field and value of all parameters of a list.
    fn list(&self, list: &ListParameter) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        self.given.iter().filter_map(|(name, value)| {
            let (number, field) = list.number_and_field(name)?;
            Some((number, field, *value))
        })
    }

    /// The kind of object that the call returns.
    pub(super) fn kind(&self) -> &'static str {
        self.call.kind
    }

    /// The response with one object.
    pub(super) fn object(&self, object: Value) -> Value {
        json!({ self.kind(): object })
    }

    /// The response in a zone that has one object of each kind.
    pub(super) fn object_of_a_full_zone(&self) -> Value {
        let object = json!({"id": "6a3f", "name": "one", "state": "Enabled"});
        self.object(if self.call.name.starts_with("list") { json!([object]) } else { object })
    }
}

impl ApiCall {
    fn takes(&self, name: &str) -> bool {
        let in_list = |list: &ListParameter| {
            list.number_and_field(name).is_some_and(|(number, field)| {
                number.parse::<u32>().is_ok() && (list.fields.is_empty() || list.fields.contains(&field))
            })
        };
        self.required.contains(&name) || self.optional.contains(&name) || self.lists.iter().any(in_list)
    }
}

impl ListParameter {
    /// Reads `name[0].field`.
    fn number_and_field<'a>(&self, parameter: &'a str) -> Option<(&'a str, &'a str)> {
        parameter.strip_prefix(self.name)?.strip_prefix('[')?.split_once("].")
    }
}
