//! Secrets on the management server.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{FIRST_HOST, Lab, SECRET_PASSWORD, fleet};
use serde_json::json;

use super::connections;

/// The arguments and environments of the lab's processes, as the list of processes shows them.
fn arguments_and_environments(lab: &Lab) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for (process, _) in lab.processes() {
        for what in ["cmdline", "environ"] {
            let text = fs::read(format!("/proc/{process}/{what}")).unwrap_or_default();
            seen.insert(String::from_utf8_lossy(&text).replace('\0', " "));
        }
    }
    seen
}

fn await_connections(lab: &Lab, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while connections(lab).len() != count {
        assert!(Instant::now() < deadline, "not {count}: {:?}", lab.processes());
        thread::sleep(Duration::from_millis(5));
    }
}

/// The files below a folder of the management server.
fn files_of_server(lab: &Lab, folder: &str) -> Vec<(PathBuf, u32, Vec<u8>)> {
    use std::os::unix::fs::PermissionsExt;
    lab.server().run(|| {
        let (mut found, mut open) = (Vec::new(), vec![PathBuf::from(folder)]);
        while let Some(path) = open.pop() {
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if metadata.is_dir() {
                open.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|it| it.path()));
            }
            let content = if metadata.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
            found.push((path, metadata.permissions().mode() & 0o777, content));
        }
        found
    })
}

#[test]
fn key_and_password_appear_nowhere() {
    let lab = fleet!();
    let key = lab.detail("sshkey");
    let key_line = key.lines().nth(2).expect("a line of the key's inside").to_owned();
    lab.register("password", SECRET_PASSWORD);
    let network = lab.network(209);
    let mut printed = vec![network.command("implement-network", &network.extension_field()).output];
    let mut seen = arguments_and_environments(&lab);
    // An ssh that waits for the server's greeting, with its credentials at hand.
    lab.first_host().loses_sshd();
    await_connections(&lab, 0);
    let silent = lab.host().run(|| TcpListener::bind((FIRST_HOST, 22))).expect("a listener in sshd's place");
    let document = netext_lab::as_gson_writes(&network.document(&json!({})));
    let running = lab.start_with("implement-network", &document, 3);
    await_connections(&lab, 1);
    seen.extend(arguments_and_environments(&lab));
    printed.push(running.finish().output);
    drop(silent);
    lab.first_host().gets_sshd();
    lab.register("password", "wrong-but-also-secret");
    lab.register("sshkey", &lab.another_key());
    printed.push(network.ensure_device(&json!({})).output);

    for word in ["IdentityFile=", "SSH_ASKPASS_REQUIRE=force"] {
        assert!(seen.iter().any(|it| it.contains(word)), "{word}: the list is not complete");
    }
    for secret in [SECRET_PASSWORD, &key_line, "wrong-but-also-secret"] {
        assert!(!printed.iter().any(|it| it.contains(secret)), "{printed:?}");
        assert!(!seen.iter().any(|it| it.contains(secret)), "in the list of processes");
        // This includes changed files of /etc and root's home. Payload files belong to the server.
        for (path, _, content) in files_of_server(&lab, "/run") {
            if !path.starts_with("/run/lab/payloads") {
                assert!(!String::from_utf8_lossy(&content).contains(secret), "in {}", path.display());
            }
        }
        assert!(!lab.log().contains(secret));
    }
}

#[test]
fn the_proxys_folder_is_private() {
    let lab = fleet!();
    lab.network(209).implement();
    let files = files_of_server(&lab, &lab.proxy_folder());
    assert!(files.iter().any(|(path, ..)| path.ends_with("known_hosts")), "{files:?}");
    let (_, folder, _) = files.first().expect("the folder itself");
    assert_eq!(*folder, 0o700);
}
