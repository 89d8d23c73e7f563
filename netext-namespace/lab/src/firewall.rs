//! Rules for packets: a network's firewall for `apply-fw-rules`, and a tier's access list for `apply-network-acl`.

use serde_json::{Map, Value, json};

/// The firewall rules of a network and its egress policy.
#[derive(Clone, Debug)]
pub struct Firewall {
    default_egress_allow: bool,
    rules: Vec<Rule>,
}

impl Firewall {
    /// Guests' traffic may leave unless an egress rule denies it.
    pub fn egress_allowed() -> Self {
        Self { default_egress_allow: true, rules: Vec::new() }
    }

    /// Guests' traffic may not leave unless an egress rule allows it.
    pub fn egress_denied() -> Self {
        Self { default_egress_allow: false, rules: Vec::new() }
    }

    /// Adds a rule.
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds rules that open `public_ip` to everyone for TCP, UDP and ICMP.
    pub fn open(self, public_ip: &str) -> Self {
        let rule = |protocol| Rule::ingress(public_ip).protocol(protocol);
        self.with(rule("tcp").ports(1, 65535))
            .with(rule("udp").ports(1, 65535))
            .with(rule("icmp").icmp(-1, -1))
    }

    /// The value of `fw_rules`.
    pub fn to_json(&self, cidr: &str) -> Value {
        let rules = self.rules.iter().zip(41..).map(|(rule, id)| rule.to_json(id, cidr));
        json!({
            "default_egress_allow": self.default_egress_allow,
            "cidr": cidr,
            "rules": rules.collect::<Vec<_>>(),
        })
    }
}

/// The access list of a tier. Items may be added in any order.
#[derive(Clone, Debug, Default)]
pub struct AccessList {
    items: Vec<Rule>,
}

impl AccessList {
    /// A list that lets nothing through.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an item.
    pub fn with(mut self, item: Rule) -> Self {
        self.items.push(item);
        self
    }

    /// Removes the item of that number.
    pub fn without(mut self, number: u32) -> Self {
        self.items.retain(|item| item.fields["number"] != number);
        self
    }

    /// The value of `acl_rules`, by ascending number.
    pub fn to_json(&self) -> Value {
        let mut items: Vec<_> = self.items.iter().map(Rule::to_item).collect();
        items.sort_by_key(|item| item["number"].as_u64());
        items.into()
    }
}

/// One firewall rule, or one item of an access list.
#[derive(Clone, Debug)]
pub struct Rule {
    fields: Map<String, Value>,
    sources: Vec<String>,
    destinations: Vec<String>,
}

impl Rule {
    /// Allows traffic to a public address.
    pub fn ingress(public_ip: &str) -> Self {
        Self::new("ingress").field("publicIp", public_ip)
    }

    /// Concerns guests' traffic to the outside: the opposite of the network's egress policy.
    pub fn egress() -> Self {
        Self::new("egress")
    }

    /// An item of an access list that allows packets into the tier.
    pub fn allow_in(number: u32) -> Self {
        Self::item(number, "allow", "ingress")
    }

    /// An item of an access list that denies packets into the tier.
    pub fn deny_in(number: u32) -> Self {
        Self::item(number, "deny", "ingress")
    }

    /// An item of an access list that allows packets out of the tier.
    pub fn allow_out(number: u32) -> Self {
        Self::item(number, "allow", "egress")
    }

    /// An item of an access list that denies packets out of the tier.
    pub fn deny_out(number: u32) -> Self {
        Self::item(number, "deny", "egress")
    }

    fn new(kind: &str) -> Self {
        Self::of_everything().field("type", kind)
    }

    fn item(number: u32, action: &str, direction: &str) -> Self {
        Self::of_everything().field("number", number).field("action", action).field("trafficType", direction)
    }

    fn of_everything() -> Self {
        let rule = Self { fields: Map::new(), sources: Vec::new(), destinations: Vec::new() };
        rule.field("protocol", "all")
    }

    /// Sets the protocol, in any spelling. The default is `all`.
    pub fn protocol(self, protocol: &str) -> Self {
        self.field("protocol", protocol)
    }

    /// Matches TCP to this port.
    pub fn tcp(self, port: u32) -> Self {
        self.protocol("tcp").ports(port, port)
    }

    /// Matches UDP to this port.
    pub fn udp(self, port: u32) -> Self {
        self.protocol("udp").ports(port, port)
    }

    /// Matches ports from `first` to `last`, both included.
    pub fn ports(self, first: u32, last: u32) -> Self {
        self.field("portStart", first).field("portEnd", last)
    }

    /// Matches ICMP of a type and code; `-1` means any.
    pub fn icmp(self, kind: i32, code: i32) -> Self {
        self.protocol("icmp").field("icmpType", kind).field("icmpCode", code)
    }

    /// Adds a source network.
    pub fn from(mut self, cidr: &str) -> Self {
        self.sources.push(cidr.to_owned());
        self
    }

    /// Adds a destination network.
    pub fn to(mut self, cidr: &str) -> Self {
        self.destinations.push(cidr.to_owned());
        self
    }

    /// Sets any field, for rules that must be refused.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The server fills in networks that the tenant left open: everyone outside, all guests inside.
    fn to_json(&self, id: u32, cidr: &str) -> Value {
        let ingress = self.fields.get("type").is_some_and(|kind| kind == "ingress");
        let or_all = |given: &[String], all: &[&str]| match given {
            [] => json!(all),
            given => json!(given),
        };
        let (sources, destinations) = if ingress {
            (or_all(&self.sources, &["0.0.0.0/0"]), or_all(&self.destinations, &[]))
        } else {
            (or_all(&self.sources, &[cidr]), or_all(&self.destinations, &["0.0.0.0/0"]))
        };
        let mut fields = self.fields.clone();
        fields.entry("id").or_insert(id.into());
        fields.entry("sourceCidrs").or_insert(sources);
        fields.entry("destCidrs").or_insert(destinations);
        fields.into()
    }

    /// The list names only the other end, with the same field name in both directions.
    fn to_item(&self) -> Value {
        let other_end: Vec<_> = self.sources.iter().chain(&self.destinations).collect();
        let mut fields = self.fields.clone();
        let other_end = if other_end.is_empty() { json!(["0.0.0.0/0"]) } else { json!(other_end) };
        fields.entry("sourceCidrs").or_insert(other_end);
        fields.into()
    }
}
