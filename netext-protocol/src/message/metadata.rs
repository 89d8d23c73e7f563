//! The metadata of instances: user data, passwords and keys.

use super::payload;
use crate::value::secret::{Secret, SecretBytes};
use crate::wire::embedded::Embedded;
use crate::wire::object::object;
use crate::wire::refusal::PathStep;

payload! { nic
    /// `save-vm-data`: replace an instance's metadata, user data included.
    pub struct SaveVmData {
        embedded {
            /// All files that the instance can read: metadata, user data, possibly a password.
            vm_data: Vec<VmDataEntry> = "vm_data",
        }
    }
}

impl Embedded for Vec<VmDataEntry> {
    /// In a Base64 text, every content is itself Base64.
    fn decode_contents(&mut self) -> Result<(), (Vec<PathStep>, &'static str)> {
        for (index, entry) in self.iter_mut().enumerate() {
            let Some(content) = entry.content.decoded() else {
                return Err((
                    vec![PathStep::Index(index), PathStep::key("content")],
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
    /// The server sends the directories `userdata`, `metadata` and `password`. The README also shows
    /// `meta-data`, and nested files such as `public-keys/0/openssh-key`.
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

payload! { nic
    /// `save-password`: give an instance a new password.
    pub struct SavePassword {
        required {
            /// The new password in plain text. A credential.
            password: Secret = "password",
        }
    }
}

payload! { nic
    /// `save-userdata`: set an instance's user data.
    pub struct SaveUserdata {
        defaulted {
            /// The user data as plain text, byte for byte. It often holds credentials.
            userdata: Secret = "userdata",
        }
    }
}

payload! { nic
    /// `save-sshkey`: set an instance's public key.
    pub struct SaveSshkey {
        required {
            /// The public key, or several, a line each. Treat it as a credential: people paste private keys.
            sshkey: Secret = "sshkey",
        }
    }
}

payload! { nic
    /// `save-hypervisor-hostname`: set the name of the hypervisor that an instance can read.
    pub struct SaveHypervisorHostname {
        required {
            /// The name of the hypervisor that the instance runs on.
            hypervisor_hostname: String = "hypervisor_hostname",
        }
    }
}
