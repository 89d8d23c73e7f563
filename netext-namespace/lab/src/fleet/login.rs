//! How the management server logs in to a KVM host: its accounts and its sshd.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::extension::deployed;
use crate::sandbox::{LAB_FOLDER, Sandbox};

/// An account that is not root, and may run the extension with sudo.
pub const OPERATOR: &str = "ops";

/// The crypt(3) hash of [`SECRET_PASSWORD`](crate::SECRET_PASSWORD).
const PASSWORD: &str =
    "$6$lab$TXNLqmQNPNDs3w2Y0Av2Hsul6Gv6G.NXF23bYHB7y8nFip3xiAP/VTO9lT5LIwBNaz3b1D/iWUeMg9bf6FrFn0";

/// The sshd that `.ci/packages` unpacks aside: the machine that runs the tests must not get one.
const PROGRAM: &str = "/var/cache/netext-lab/openssh-server/usr/sbin/sshd";

/// Gives root its own home on a machine that has its own `/etc`: files in the home change what `ssh` does.
pub(super) fn create_home(machine: &Sandbox, home: &str) {
    machine.run(|| {
        let passwd = fs::read_to_string("/etc/passwd").expect("the accounts");
        let own = passwd.split_inclusive('\n').filter(|line| !line.starts_with("root:"));
        let root = format!("root:x:0:0:root:{home}:/bin/sh\n");
        fs::create_dir_all(home)
            .and_then(|()| fs::write("/etc/passwd", own.collect::<String>() + &root))
            .expect("an account with a home");
    });
}

/// Creates root and the operator, who log in with the lab's password or with a key.
pub(super) fn create_accounts(host: &Sandbox, public_key: &str) {
    host.run(|| {
        let passwd = fs::read_to_string("/etc/passwd").expect("the accounts");
        let own = |line: &&str| !["root:", "sshd:", "ops:"].iter().any(|name| line.starts_with(name));
        let passwd: String = passwd.split_inclusive('\n').filter(own).collect();
        // Not the home of root where the tests run: it may have login scripts.
        let added = format!(
            "root:x:0:0:root:/run:/bin/bash\nsshd:x:64998:65534::/run/sshd:/usr/sbin/nologin\n{OPERATOR}:x:64997:65534::/tmp:/bin/sh\n"
        );
        let shadow =
            format!("root:{PASSWORD}:19000::::::\nsshd:!:19000::::::\n{OPERATOR}:{PASSWORD}:19000::::::\n");
        let sudoers = format!(
            "Defaults env_keep += \"NETEXT_STATE_ROOT NETEXT_LOG_ROOT\"\n\
             {OPERATOR} ALL=(root) NOPASSWD: {} relay\n",
            deployed()
        );
        let write = |path: &str, text: &str, mode| {
            let written =
                fs::write(path, text).and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)));
            written.unwrap_or_else(|error| panic!("{path}: {error}"));
        };
        write("/etc/passwd", &(passwd + &added), 0o644);
        write("/etc/shadow", &shadow, 0o600);
        write("/etc/sudoers", &sudoers, 0o440);
        fs::create_dir_all("/etc/ssh/lab").expect("a folder for keys");
        for user in ["root", OPERATOR] {
            write(&format!("/etc/ssh/lab/{user}"), public_key, 0o644);
        }
    });
}

/// A running sshd. It ends when it is dropped; its open sessions continue.
#[derive(Debug)]
pub(super) struct Sshd(Child);

impl Sshd {
    /// Starts sshd on the host's address, with the host key that exists already, or else a new one.
    #[track_caller]
    pub(super) fn start(host: &Sandbox, address: &str) -> Self {
        assert!(Path::new(PROGRAM).exists(), "no sshd at {PROGRAM}: run .ci/packages");
        let (key, file) = (host_key_path(), format!("{LAB_FOLDER}/sshd/config"));
        host.run(|| {
            fs::create_dir_all(format!("{LAB_FOLDER}/sshd"))
                .and_then(|()| fs::create_dir_all("/run/sshd"))?;
            fs::write(&file, configuration(address))
        })
        .expect("sshd's folders");
        if !host.run(|| Path::new(&key).exists()) {
            let made = host.output("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key]);
            assert!(made.status.success(), "ssh-keygen: {made:?}");
        }
        let child = host.run(|| {
            let log = fs::File::options().append(true).create(true).open(format!("{LAB_FOLDER}/sshd/log"))?;
            let mut command = Command::new(PROGRAM);
            command.args(["-D", "-e", "-f", &file]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
            command.spawn()
        });
        let sshd = Self(child.expect("sshd"));
        await_listening(host, address);
        sshd
    }

    pub(super) fn process(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a process id")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The path of the host key.
pub(super) fn host_key_path() -> String {
    format!("{LAB_FOLDER}/sshd/host_key")
}

#[track_caller]
fn await_listening(host: &Sandbox, address: &str) {
    let target: SocketAddr = format!("{address}:22").parse().expect("an address");
    let deadline = Instant::now() + Duration::from_secs(10);
    while host.run(|| TcpStream::connect(target)).is_err() {
        assert!(Instant::now() < deadline, "sshd on {address} does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn configuration(address: &str) -> String {
    format!(
        "ListenAddress {address}\n\
         HostKey {}\n\
         PidFile none\n\
         UsePAM no\n\
         UseDNS no\n\
         PermitRootLogin yes\n\
         PasswordAuthentication yes\n\
         KbdInteractiveAuthentication no\n\
         AuthorizedKeysFile /etc/ssh/lab/%u\n\
         SetEnv NETEXT_STATE_ROOT={LAB_FOLDER}/state NETEXT_LOG_ROOT={LAB_FOLDER}/log\n",
        host_key_path()
    )
}
