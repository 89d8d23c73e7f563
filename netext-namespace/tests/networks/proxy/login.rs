//! Logins to hosts.

use netext_lab::{FIRST_HOST, Lab, OPERATOR, SECRET_PASSWORD, fleet};
use serde_json::{Value, json};

use super::connections;

fn is_implemented(lab: &Lab) {
    lab.network(209).implement();
    assert!(lab.has_namespace("cs-net-209"));
}

/// Asserts that every command fails with exit code 2 and a line with all of these words, and changes nothing.
#[track_caller]
fn is_refused(lab: &Lab, words: &[&str]) {
    let network = lab.network(210).on_vlan("1911");
    let ensured = network.ensure_device(&json!({}));
    let implemented = lab.run("implement-network", &network.document(&network.extension_field()));
    for outcome in [ensured, implemented] {
        outcome.fails_with(2);
        for word in words {
            assert!(outcome.output.contains(word), "{word:?} in {outcome:?}");
        }
    }
    assert!(!lab.has_namespace("cs-net-210"));
}

fn with_password(lab: &Lab) {
    lab.unregister("sshkey");
    lab.register("password", SECRET_PASSWORD);
}

#[test]
fn a_registered_key_is_used() {
    let lab = fleet!();
    is_implemented(&lab);
    assert_eq!(lab.network(209).details(), json!({}));
}

#[test]
fn a_registered_key_with_escaped_line_breaks_is_used() {
    let lab = fleet!();
    let key = lab.detail("sshkey");
    lab.register("sshkey", key.trim_end().replace('\n', "\\n").as_str());
    is_implemented(&lab);
}

#[test]
fn a_registered_password_is_used() {
    let lab = fleet!();
    with_password(&lab);
    is_implemented(&lab);
}

#[test]
fn the_agent_of_the_account_is_used() {
    let lab = fleet!();
    let key = lab.detail("sshkey");
    lab.unregister("sshkey");
    is_refused(&lab, &[FIRST_HOST, "this account's own keys", "neither `sshkey` nor `password`"]);
    lab.have_agent(&key);
    is_implemented(&lab);
}

#[test]
fn the_accounts_own_key_is_used() {
    let lab = fleet!();
    let key = lab.detail("sshkey");
    lab.unregister("sshkey");
    lab.have_key_of_its_own(&key);
    is_implemented(&lab);
}

#[test]
fn a_user_other_than_root_works_by_sudo() {
    let lab = fleet!();
    lab.register("username", OPERATOR);
    is_implemented(&lab);
    with_password(&lab);
    let network = lab.network(209);
    network.implement().shutdown().destroy();
    assert!(!lab.has_namespace("cs-net-209"));
}

#[test]
fn the_error_for_a_user_without_sudo_says_so() {
    let lab = fleet!();
    lab.register("username", OPERATOR);
    lab.host().run(|| std::fs::write("/etc/sudoers", "")).expect("a file of this machine's own");
    let network = lab.network(209);
    let outcome = lab.run("implement-network", &network.document(&network.extension_field()));
    // Every host answers, and none correctly.
    outcome.fails_with(2);
    assert!(outcome.output.contains("sudo"), "{outcome:?}");
}

#[test]
fn a_wrong_password_is_not_taken_for_a_host_that_is_down() {
    let lab = fleet!();
    with_password(&lab);
    lab.register("password", "wrong");
    is_refused(&lab, &[FIRST_HOST, "does not let root in with the registered password", "`password`"]);
}

#[test]
fn a_wrong_key_is_not_taken_for_a_host_that_is_down() {
    let lab = fleet!();
    lab.register("sshkey", &lab.another_key());
    is_refused(&lab, &[FIRST_HOST, "does not let root in with the registered key", "`sshkey`"]);
}

#[test]
fn a_text_that_is_not_a_key_does_not_open_the_host() {
    let lab = fleet!();
    lab.register("sshkey", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n");
    is_refused(&lab, &[FIRST_HOST, "does not let root in"]);
}

#[test]
fn a_connection_is_not_used_with_other_credentials() {
    let lab = fleet!();
    is_implemented(&lab);
    assert_eq!(connections(&lab).len(), 1);
    with_password(&lab);
    lab.register("password", "wrong");
    is_refused(&lab, &["does not let root in"]);
    lab.register("password", SECRET_PASSWORD);
    is_implemented(&lab);
}

#[test]
fn a_host_key_is_trusted_on_first_use_only() {
    let lab = fleet!();
    is_implemented(&lab);
    lab.first_host().changes_its_host_key();
    let known_hosts = format!("{}/known_hosts", lab.proxy_folder());
    let advice = format!("ssh-keygen -R '{FIRST_HOST}' -f {known_hosts}");
    is_refused(&lab, &[FIRST_HOST, "another host key", &advice]);
    lab.server().output("ssh-keygen", &["-R", FIRST_HOST, "-f", &known_hosts]);
    is_implemented(&lab);
}

#[test]
fn only_registered_host_keys_are_trusted() {
    let lab = fleet!();
    lab.register("hostkeys", &lab.first_host().known_hosts_line());
    is_implemented(&lab);
    lab.first_host().changes_its_host_key();
    is_refused(&lab, &[FIRST_HOST, "another host key", "`hostkeys`"]);
    lab.register("hostkeys", &lab.first_host().known_hosts_line());
    is_implemented(&lab);
    let noted =
        lab.server().run(|| std::path::Path::new(&format!("{}/known_hosts", lab.proxy_folder())).exists());
    assert!(!noted, "no key is trusted on first use");
}

#[test]
fn a_host_without_a_registered_key_is_refused() {
    let lab = fleet!();
    lab.register("hostkeys", &lab.first_host().known_hosts_line().replace(FIRST_HOST, "192.0.2.99"));
    is_refused(&lab, &[FIRST_HOST, "`hostkeys`"]);
}

#[test]
fn a_detail_that_ssh_could_misread_is_refused_before_ssh_runs() {
    let lab = fleet!();
    for (detail, value) in [
        ("hosts", "-oProxyCommand=touch /run/lab/ran"),
        ("hosts", "192.0.2.10,root@192.0.2.11"),
        ("username", "-oProxyCommand=touch /run/lab/ran"),
        ("port", "22 -oProxyCommand=x"),
        ("remote.path", "/bin/true;touch /run/lab/ran"),
        ("hostkeys", "no key"),
    ] {
        let before = lab.registered();
        lab.register(detail, value);
        let network = lab.network(209);
        lab.run("implement-network", &network.document(&json!({})))
            .is_refused_naming(&[&format!("details.{detail}")]);
        match before.get(detail).and_then(Value::as_str) {
            Some(before) => lab.register(detail, before),
            None => lab.unregister(detail),
        }
    }
    assert!(!lab.first_host().has_file("/run/lab/ran"));
    assert!(connections(&lab).is_empty());
}
