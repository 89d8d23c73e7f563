//! Port forwards, as `add-port-forward` and `delete-port-forward` carry them.

use serde_json::{Value, json};

/// A port forward from a public end to a private end.
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

    /// Forwards the given protocol.
    #[track_caller]
    pub fn of(protocol: &str, public: &str, private: &str) -> Self {
        let ((public_ip, public_port), (private_ip, private_port)) = (split_end(public), split_end(private));
        Self {
            protocol: protocol.to_owned(),
            public_ip: public_ip.to_owned(),
            public_port: public_port.to_owned(),
            private_ip: private_ip.to_owned(),
            private_port: private_port.to_owned(),
        }
    }

    /// The public address.
    pub fn public_ip(&self) -> &str {
        &self.public_ip
    }

    /// The payload's fields about the forward.
    pub(crate) fn fields(&self) -> Value {
        json!({
            "public_port": self.public_port,
            "private_ip": self.private_ip,
            "private_port": self.private_port,
            "protocol": self.protocol,
        })
    }
}

/// The two halves of `address:ports`.
#[track_caller]
pub(crate) fn split_end(end: &str) -> (&str, &str) {
    end.split_once(':').unwrap_or_else(|| panic!("{end:?} is not address:port"))
}
