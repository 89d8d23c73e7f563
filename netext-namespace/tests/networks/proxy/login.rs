//! How the proxy gets into hosts, and out of which it keeps away.

use netext_lab::{FIRST_HOST, Lab, OPERATOR, SECRET_PASSWORD, fleet};
use serde_json::{Value, json};

use super::connections;

fn is_implemented(lab: &Lab) {
    lab.network(209).implement();
    assert!(lab.has_namespace("cs-net-209"));
}

/// Every command is refused with exit code 2 and a line that has all of these words, and nothing happens.
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
fn a_registered_key_opens_the_host() {
    let lab = fleet!();
    is_implemented(&lab);
    assert_eq!(lab.network(209).details(), json!({}));
}

#[test]
fn a_key_whose_line_breaks_were_sent_as_text_opens_it_too() {
    let lab = fleet!();
    let key = lab.detail("sshkey");
    lab.register("sshkey", key.trim_end().replace('\n', "\\n").as_str());
    is_implemented(&lab);
}

#[test]
fn a_registered_password_opens_the_host() {
    let lab = fleet!();
    with_password(&lab);
    is_implemented(&lab);
}

#[test]
fn the_agent_of_the_account_opens_the_host() {
    let lab = fleet!();
    let key = lab.detail("sshkey");
    lab.unregister("sshkey");
    is_refused(&lab, &[FIRST_HOST, "this account's own keys", "neither `sshkey` nor `password`"]);
    lab.have_agent(&key);
    is_implemented(&lab);
}

#[test]
fn the_accounts_own_key_opens_the_host() {
    let lab = fleet!();
    let key = lab.detail("sshkey");
    lab.unregister("sshkey");
    lab.have_key_of_its_own(&key);
    is_implemented(&lab);
}

#[test]
fn a_user_who_is_not_root_works_by_sudo() {
    let lab = fleet!();
    lab.register("username", OPERATOR);
    is_implemented(&lab);
    with_password(&lab);
    let network = lab.network(209);
    network.implement().shutdown().destroy();
    assert!(!lab.has_namespace("cs-net-209"));
}

#[test]
fn a_user_who_may_not_sudo_is_told_so() {
    let lab = fleet!();
    lab.register("username", OPERATOR);
    lab.host().run(|| std::fs::write("/etc/sudoers", "")).expect("a file of this machine's own");
    let network = lab.network(209);
    let outcome = lab.run("implement-network", &network.document(&network.extension_field()));
    // All hosts answer, none as it should.
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
fn credentials_that_are_not_a_key_at_all_do_not_open_the_host() {
    let lab = fleet!();
    lab.register("sshkey", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n");
    is_refused(&lab, &[FIRST_HOST, "does not let root in"]);
}

#[test]
fn a_connection_is_not_used_by_who_has_other_credentials() {
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
fn a_host_key_is_believed_once_and_then_held_to() {
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
fn registered_host_keys_are_the_only_ones_that_count() {
    let lab = fleet!();
    lab.register("hostkeys", &lab.first_host().known_hosts_line());
    is_implemented(&lab);
    lab.first_host().changes_its_host_key();
    is_refused(&lab, &[FIRST_HOST, "another host key", "`hostkeys`"]);
    lab.register("hostkeys", &lab.first_host().known_hosts_line());
    is_implemented(&lab);
    let noted =
        lab.server().run(|| std::path::Path::new(&format!("{}/known_hosts", lab.proxy_folder())).exists());
    assert!(!noted, "nothing is believed on first sight");
}

#[test]
fn a_host_that_the_registered_keys_do_not_name_is_not_talked_to() {
    let lab = fleet!();
    lab.register("hostkeys", &lab.first_host().known_hosts_line().replace(FIRST_HOST, "192.0.2.99"));
    is_refused(&lab, &[FIRST_HOST, "`hostkeys`"]);
}

#[test]
fn what_ssh_could_misread_is_refused_before_it_runs() {
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
