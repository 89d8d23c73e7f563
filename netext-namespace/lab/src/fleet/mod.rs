//! A management server, and KVM hosts that it reaches over SSH only.

mod kvm_host;
mod login;

use std::fs;
use std::path::{Path, PathBuf};

use crate::extension;
use crate::sandbox::{LAB_FOLDER, Sandbox};
use crate::testbed::{PUBLIC_BRIDGE, Testbed};

pub use kvm_host::KvmHost;
pub use login::OPERATOR;

/// The management server's address.
pub const SERVER_ADDRESS: &str = "192.0.2.1";
/// The first host's address: that of [`Testbed::host`].
pub const FIRST_HOST: &str = "192.0.2.10";
/// Root's home on the management server.
pub const SERVER_HOME: &str = "/run/lab/home";
/// The bridge of the default guest VLAN.
const GUEST_BRIDGE: &str = "brnone-1910";

/// The machine that the extension is called on.
#[derive(Debug)]
pub(crate) struct ManagementServer {
    sandbox: Sandbox,
    executable: PathBuf,
    keys: KeyPair,
    first: KvmHost,
}

/// A key pair: the private half in PEM, the public half as in `authorized_keys`.
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) private: String,
    pub(crate) public: String,
}

impl ManagementServer {
    /// Boots a server, and deploys `executable` to the testbed's host.
    #[track_caller]
    pub(crate) fn boot(testbed: &Testbed, executable: &Path) -> Self {
        let sandbox = Sandbox::machine("the management server");
        sandbox.own_folder("/etc");
        login::create_home(&sandbox, SERVER_HOME);
        extension::install(&sandbox, executable);
        sandbox.ip(&format!(
            "link set lo up\n\
             link add management type bridge\n\
             address add {SERVER_ADDRESS}/24 dev management\n\
             link set management up\n"
        ));
        let keys = KeyPair::generate(&sandbox);
        testbed.keep(sandbox.clone());
        let first = KvmHost::set_up(testbed.host().clone(), FIRST_HOST, &sandbox, &keys.public, executable);
        Self { sandbox, executable: executable.to_owned(), keys, first }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(crate) fn private_key(&self) -> &str {
        &self.keys.private
    }

    pub(crate) fn first(&self) -> &KvmHost {
        &self.first
    }

    /// Sets up another KVM host on the same public segment and the same default guest VLAN.
    #[track_caller]
    pub(crate) fn join(&self, testbed: &Testbed, address: &str) -> KvmHost {
        let sandbox = Sandbox::machine(address);
        testbed.keep(sandbox.clone());
        sandbox.ip("link set lo up\n");
        let host = KvmHost::set_up(sandbox, address, &self.sandbox, &self.keys.public, &self.executable);
        for bridge in [PUBLIC_BRIDGE, GUEST_BRIDGE] {
            testbed.trunk_to(host.sandbox(), bridge);
        }
        host
    }
}

impl KeyPair {
    #[track_caller]
    pub(crate) fn generate(machine: &Sandbox) -> Self {
        let file = format!("{LAB_FOLDER}/key");
        let made = machine.output("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", &file]);
        assert!(made.status.success(), "ssh-keygen: {made:?}");
        machine.run(|| {
            let [private, public] = [file.clone(), format!("{file}.pub")].map(|file| {
                let key = fs::read_to_string(&file).expect("the new key");
                fs::remove_file(file).expect("the new key can be removed");
                key
            });
            Self { private, public }
        })
    }
}
