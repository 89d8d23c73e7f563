//! Load balancer rules, as `apply-lb-rules` carries them.

use serde_json::{Map, Value, json};

/// A load balancer rule: connections to a public port are spread over members, by turns if nothing else is said.
#[derive(Clone, Debug)]
pub struct Balancer {
    fields: Map<String, Value>,
    members: Vec<Value>,
}

impl Balancer {
    /// Spreads TCP connections to `address:port`.
    #[track_caller]
    pub fn tcp(id: u32, public: &str) -> Self {
        Self::of(id, "tcp", public)
    }

    /// Spreads TCP connections to `address:port`, and tells members with a PROXY header who connects.
    #[track_caller]
    pub fn tcp_proxy(id: u32, public: &str) -> Self {
        Self::of(id, "tcp-proxy", public)
    }

    /// Spreads UDP datagrams to `address:port`.
    #[track_caller]
    pub fn udp(id: u32, public: &str) -> Self {
        Self::of(id, "udp", public)
    }

    /// Spreads any protocol at all.
    #[track_caller]
    pub fn of(id: u32, protocol: &str, public: &str) -> Self {
        let (address, port) = split(public);
        let rule = Self { fields: Map::new(), members: Vec::new() };
        rule.field("id", id)
            .field("name", format!("rule {id}"))
            .field("publicIp", address)
            .field("publicPort", port)
            .field("privatePort", port)
            .field("protocol", protocol)
            .field("algorithm", "roundrobin")
            .field("revoke", false)
    }

    /// How members are chosen.
    pub fn by(self, algorithm: &str) -> Self {
        self.field("algorithm", algorithm)
    }

    /// A member at `address:port`.
    #[track_caller]
    pub fn member(self, member: &str) -> Self {
        let (ip, port) = split(member);
        self.any_member(&json!({"ip": ip, "port": port, "revoked": false}))
    }

    /// A member at `address:port` that is to be taken out.
    #[track_caller]
    pub fn revoked_member(self, member: &str) -> Self {
        let (ip, port) = split(member);
        self.any_member(&json!({"ip": ip, "port": port, "revoked": true}))
    }

    /// Any member at all, for rules that ought to be refused.
    pub fn any_member(mut self, member: &Value) -> Self {
        self.members.push(member.clone());
        self
    }

    /// Any field at all, for rules that ought to be refused.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The same rule, to be deleted.
    pub fn revoked(self) -> Self {
        self.field("revoke", true)
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("backends".to_owned(), json!(self.members));
        fields.into()
    }
}

#[track_caller]
fn split(end: &str) -> (&str, u16) {
    let parts = end.split_once(':').and_then(|(address, port)| Some((address, port.parse().ok()?)));
    parts.unwrap_or_else(|| panic!("{end:?} is no address:port"))
}
