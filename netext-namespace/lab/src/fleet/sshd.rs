//! A real sshd on a KVM host. `.ci/packages` unpacks it aside: the machine that runs the tests is to have none.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::place::{LAB_FOLDER, Place};

const PROGRAM: &str = "/var/cache/netext-lab/openssh-server/usr/sbin/sshd";

/// A running sshd; dropped, it ends. What it began to serve goes on.
#[derive(Debug)]
pub(super) struct Sshd(Child);

impl Sshd {
    /// Starts sshd on the host's address, with the host key that lies there already, or else a new one.
    #[track_caller]
    pub(super) fn start(host: &Place, address: &str) -> Self {
        assert!(Path::new(PROGRAM).exists(), "no sshd at {PROGRAM}: run .ci/packages");
        let (key, file) = (key_path(), format!("{LAB_FOLDER}/sshd/config"));
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

/// Where the host key lies.
pub(super) fn key_path() -> String {
    format!("{LAB_FOLDER}/sshd/host_key")
}

#[track_caller]
fn await_listening(host: &Place, address: &str) {
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
        key_path()
    )
}
