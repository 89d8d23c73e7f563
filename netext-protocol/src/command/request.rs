//! The payload of any command.

use crate::envelope::Sealed;
use crate::wire::object::Style;
use crate::{Command, for_each_command};

macro_rules! define_request {
    ($($(#[$meta:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($fact:tt)* })*) => {
        /// The payload of any command.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Request {
            $($(#[$meta])* $variant(crate::$variant),)*
        }

        impl Request {
            /// The command that this is the payload of.
            pub const fn command(&self) -> Command {
                match self {
                    $(Self::$variant(_) => Command::$variant,)*
                }
            }
        }

        $(
            impl From<crate::$variant> for Request {
                fn from(request: crate::$variant) -> Self {
                    Self::$variant(request)
                }
            }

            impl crate::envelope::Payload for crate::$variant {
                const COMMAND: Command = Command::$variant;
            }
        )*

        impl crate::Envelope<Request> {
            /// Reads the payload file of a command.
            ///
            /// ```
            /// use netext_protocol::{Command, Envelope, Request};
            ///
            /// let file = br#"{"payload": {"network_id": "209", "vlan": "1910"}}"#;
            /// let envelope = Envelope::parse(Command::ShutdownNetwork, file)?;
            /// let Request::ShutdownNetwork(request) = envelope.request else { unreachable!() };
            /// assert_eq!(request.network.network_id.get(), 209);
            /// # Ok::<(), netext_protocol::ParseError>(())
            /// ```
            pub fn parse(command: Command, file: &[u8]) -> Result<Self, crate::ParseError> {
                match command {
                    $(Command::$variant => Ok(crate::envelope::parse::<crate::$variant>(file)?.map(Request::from)),)*
                }
            }

            /// Writes the payload file that the server would write.
            pub fn to_json(&self) -> String {
                self.written(Style::Text)
            }

            /// Writes the payload file in the one strict form, which the strict schemas describe: numbers are
            /// numbers, what is absent is left out, every field has one spelling, and rules and metadata are
            /// objects and lists. It parses to the same envelope.
            ///
            /// ```
            /// use netext_protocol::{Command, Envelope};
            ///
            /// let file = br#"{"payload": {"network_id": "209", "vlan": "", "dns": "192.0.2.53"}}"#;
            /// let envelope = Envelope::parse(Command::RemoveDnsSubnet, file)?;
            /// assert_eq!(
            ///     envelope.to_strict_json(),
            ///     r#"{"physical-network-extension-details":{},"network-extension-details":{},"payload":{"network_id":209,"dns":["192.0.2.53"]}}"#,
            /// );
            /// # Ok::<(), netext_protocol::ParseError>(())
            /// ```
            pub fn to_strict_json(&self) -> String {
                self.written(Style::Strict)
            }

            fn written(&self, style: Style) -> String {
                match &self.request {
                    $(Request::$variant(request) => Sealed { envelope: self, request, style }.to_json_text(),)*
                }
            }
        }
    };
}

for_each_command!(define_request);
