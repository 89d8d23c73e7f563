//! Load balancer rules, as `apply-lb-rules` carries them.

use serde_json::{Map, Value, json};

use crate::forward::split_end;

/// A load balancer rule: it spreads connections to a public port over members, by default in turns (round robin).
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

    /// Spreads TCP connections to `address:port`, with a PROXY header that names the client.
    #[track_caller]
    pub fn tcp_proxy(id: u32, public: &str) -> Self {
        Self::of(id, "tcp-proxy", public)
    }

    /// Spreads UDP datagrams to `address:port`.
    #[track_caller]
    pub fn udp(id: u32, public: &str) -> Self {
        Self::of(id, "udp", public)
    }

    /// Spreads the given protocol.
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

    /// Sets the algorithm that chooses members.
    pub fn by(self, algorithm: &str) -> Self {
        self.field("algorithm", algorithm)
    }

    /// Adds a member at `address:port`.
    #[track_caller]
    pub fn member(self, member: &str) -> Self {
        let (ip, port) = split(member);
        self.any_member(&json!({"ip": ip, "port": port, "revoked": false}))
    }

    /// Adds a member at `address:port` that is to be removed.
    #[track_caller]
    pub fn revoked_member(self, member: &str) -> Self {
        let (ip, port) = split(member);
        self.any_member(&json!({"ip": ip, "port": port, "revoked": true}))
    }

    /// Adds a member of any form, for rules that must be refused.
    pub fn any_member(mut self, member: &Value) -> Self {
        self.members.push(member.clone());
        self
    }

    /// Sets any field, for rules that must be refused.
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
    let (address, port) = split_end(end);
    (address, port.parse().unwrap_or_else(|_| panic!("{end:?} is not address:port")))
}
