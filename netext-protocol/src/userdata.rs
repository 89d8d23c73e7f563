//! What instances are told about themselves: metadata, user data, passwords and keys.

use std::net::Ipv4Addr;

use crate::error::Place;
use crate::wire::embedded::Embedded;
use crate::wire::field::structured_field;
use crate::wire::object::object;
use crate::{Network, Nic, Secret, SecretBytes};

object! { payload
    /// `save-vm-data`: replace an instance's metadata, user data included.
    pub struct SaveVmData {
        groups {
            /// The network.
            network: Network,
            /// The instance's NIC.
            nic: Nic,
        }
        embedded {
            /// The files that the instance can read, all of them: metadata, user data, possibly a password.
            vm_data: Vec<VmDataEntry> = "vm_data",
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

structured_field!(VmDataEntry);

impl Embedded for Vec<VmDataEntry> {
    /// In a Base64 text every content is Base64 once more.
    fn decode_contents(&mut self) -> Result<(), (Vec<Place>, &'static str)> {
        for (index, entry) in self.iter_mut().enumerate() {
            let Some(content) = entry.content.decoded() else {
                return Err((
                    vec![Place::Index(index), Place::key("content")],
                    "the text given is not Base64",
                ));
            };
            entry.content = content;
        }
        Ok(())
    }
}

object! { native
    /// One file of an instance's metadata.
    ///
    /// The server sends the directories `userdata`, `metadata` and `password`; documents also show
    /// `meta-data`, and files in directories of their own such as `public-keys/0/openssh-key`.
    pub struct VmDataEntry {
        required {
            /// The directory. Untrusted text: never use it as a path.
            dir: String = "dir",
            /// The file. Untrusted text: never use it as a path.
            file: String = "file",
        }
        defaulted {
            /// The content, byte for byte, as text. It may be a credential.
            content: SecretBytes = "content",
        }
    }
}

object! { payload
    /// `save-password`: hand an instance a new password.
    pub struct SavePassword {
        groups {
            /// The network.
            network: Network,
            /// The instance's NIC.
            nic: Nic,
        }
        required {
            /// The new password in plain text. A credential.
            password: Secret = "password",
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

object! { payload
    /// `save-userdata`: set an instance's user data.
    pub struct SaveUserdata {
        groups {
            /// The network.
            network: Network,
            /// The instance's NIC.
            nic: Nic,
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
        }
        defaulted {
            /// The user data as plain text, byte for byte. It often holds credentials.
            userdata: Secret = "userdata",
        }
    }
}

object! { payload
    /// `save-sshkey`: set an instance's public key.
    pub struct SaveSshkey {
        groups {
            /// The network.
            network: Network,
            /// The instance's NIC.
            nic: Nic,
        }
        required {
            /// The public key, or several, a line each. Treated as a credential, because people paste private keys.
            sshkey: Secret = "sshkey",
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}

object! { payload
    /// `save-hypervisor-hostname`: tell an instance the name of its hypervisor.
    pub struct SaveHypervisorHostname {
        groups {
            /// The network.
            network: Network,
            /// The instance's NIC.
            nic: Nic,
        }
        required {
            /// The name of the hypervisor that the instance runs on.
            hypervisor_hostname: String = "hypervisor_hostname",
        }
        optional {
            /// The address that the device answers on inside the guest network: the gateway where the device provides
            /// `SourceNat` or `Gateway`, else an address of its own. Absent where it needs none.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}
