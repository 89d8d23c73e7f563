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
            /// The files that the instance can read.
            vm_data: Vec<VmDataEntry> = "vm_data",
        }
        optional {
            /// What the device answers on inside the guest network.
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
            /// The directory. Foreign text: never a path to open.
            dir: String = "dir",
            /// The file. Foreign text: never a path to open.
            file: String = "file",
        }
        defaulted {
            /// The content, byte for byte.
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
            /// The password.
            password: Secret = "password",
        }
        optional {
            /// What the device answers on inside the guest network.
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
            /// What the device answers on inside the guest network.
            extension_ip: Ipv4Addr = "extension_ip",
        }
        defaulted {
            /// The user data as plain text, byte for byte. Often holds credentials.
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
            /// The public key, or several, a line each. Not shown either: people paste the wrong half.
            sshkey: Secret = "sshkey",
        }
        optional {
            /// What the device answers on inside the guest network.
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
            /// The hypervisor's name.
            hypervisor_hostname: String = "hypervisor_hostname",
        }
        optional {
            /// What the device answers on inside the guest network.
            extension_ip: Ipv4Addr = "extension_ip",
        }
    }
}
