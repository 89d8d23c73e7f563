//! Port forwards, as `add-port-forward` and `delete-port-forward` carry them.

use serde_json::{Value, json};

/// A port forward: what arrives here goes there.
#[derive(Clone, Debug)]
pub struct Forward {
    protocol: String,
    public_ip: String,
    public_port: String,
    private_ip: String,
    private_port: String,
}

impl Forward {
    /// Forwards TCP from `address:ports` to `address:ports`; ports are `22` or `8080-8090`.
    #[track_caller]
    pub fn tcp(public: &str, private: &str) -> Self {
        Self::of("tcp", public, private)
    }

    /// Forwards UDP from `address:ports` to `address:ports`; ports are `53` or `8080-8090`.
    #[track_caller]
    pub fn udp(public: &str, private: &str) -> Self {
        Self::of("udp", public, private)
    }

    /// Forwards any protocol at all.
    #[track_caller]
    pub fn of(protocol: &str, public: &str, private: &str) -> Self {
        let (public_ip, public_port) = split(public);
        let (private_ip, private_port) = split(private);
        Self { protocol: protocol.to_owned(), public_ip, public_port, private_ip, private_port }
    }

    /// The address it is on.
    pub fn public_ip(&self) -> &str {
        &self.public_ip
    }

    /// The fields of the payload that are the forward's own.
    pub(crate) fn fields(&self) -> Value {
        json!({
            "public_port": self.public_port,
            "private_ip": self.private_ip,
            "private_port": self.private_port,
            "protocol": self.protocol,
        })
    }
}

#[track_caller]
fn split(end: &str) -> (String, String) {
    let (address, ports) = end.split_once(':').unwrap_or_else(|| panic!("{end:?} is no address:ports"));
    (address.to_owned(), ports.to_owned())
}
