//! `fleet status`: the state of hosts and their routers.

use std::time::Duration;

use netext_lab::{FIRST_HOST, fleet};
use serde_json::{Value, json};

use super::{OTHER_PROTOCOL, SECOND_HOST, THIRD_HOST, fleet, hosts, row, run, three_hosts};

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn the_summary_says_that_all_hosts_are_healthy() {
    let lab = fleet!();
    lab.register("standby", "none");
    lab.network(209).implement();
    let _more = three_hosts(&lab);
    let printed = fleet(&lab, "status", 0);
    assert_eq!(row(&printed, FIRST_HOST), [FIRST_HOST, VERSION, "1", "1", "1", "0", "healthy"]);
    assert_eq!(row(&printed, SECOND_HOST), [SECOND_HOST, VERSION, "1", "0", "0", "0", "healthy"]);
    assert!(printed.ends_with("3 hosts, all healthy\n"), "{printed}");
}

#[test]
fn a_host_that_is_down_is_a_row_beside_the_others() {
    let lab = fleet!();
    lab.register("standby", "none");
    lab.network(209).implement();
    let [_second, third] = three_hosts(&lab);
    third.loses_sshd();
    let printed = fleet(&lab, "status", 3);
    assert_eq!(row(&printed, FIRST_HOST).last(), Some(&"healthy"));
    assert_eq!(row(&printed, SECOND_HOST).last(), Some(&"healthy"));
    assert_eq!(row(&printed, THIRD_HOST), [THIRD_HOST, "-", "-", "-", "-", "-", "unreachable"]);
    assert!(
        printed.contains("Connection refused") && printed.ends_with("3 hosts, 1 unhealthy\n"),
        "{printed}"
    );

    let told = hosts(&lab, "status", 3);
    assert_eq!(told[0]["routers"], json!({"well": 1, "unwell": []}));
    assert_eq!((&told[0]["version"], &told[0]["protocol"]), (&json!(VERSION), &json!(1)));
    assert_eq!((&told[1]["well"], &told[1]["error"]), (&json!(true), &Value::Null));
    assert_eq!((&told[2]["well"], &told[2]["routers"]), (&json!(false), &Value::Null));
    assert!(told[2]["error"].as_str().is_some_and(|it| it.contains(THIRD_HOST)), "{told:?}");
}

#[test]
fn a_host_that_does_not_answer_is_given_up_in_its_time() {
    let lab = fleet!();
    let [second, _third] = three_hosts(&lab);
    second.is_cut_off();
    let begun = std::time::Instant::now();
    let printed = fleet(&lab, "status --timeout 5", 3);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(["silent", "unreachable"].contains(row(&printed, SECOND_HOST).last().unwrap()), "{printed}");
    assert_eq!(row(&printed, THIRD_HOST).last(), Some(&"healthy"));
}

#[test]
fn if_no_host_can_be_reached_the_exit_code_is_2() {
    let lab = fleet!();
    lab.first_host().loses_sshd();
    for words in ["status", "doctor", "deploy"] {
        let printed = fleet(&lab, words, 2);
        assert!(printed.contains("Connection refused"), "{words}: {printed}");
    }
}

#[test]
fn unhealthy_routers_are_counted_and_named() {
    let lab = fleet!();
    lab.network(209).implement();
    lab.network(210).on_vlan("1911").implement();
    lab.host().ip("netns delete cs-net-210\n");
    let printed = fleet(&lab, "status", 3);
    assert_eq!(row(&printed, FIRST_HOST), [FIRST_HOST, VERSION, "1", "2", "1", "1", "unhealthy"]);
    assert!(printed.contains("unhealthy: network-210\n"), "{printed}");
    assert_eq!(hosts(&lab, "status", 3)[0]["routers"], json!({"well": 1, "unwell": ["network-210"]}));
}

#[test]
fn a_host_with_another_protocol_is_shown_and_refused_by_commands() {
    let lab = fleet!();
    lab.first_host().gets_instead(OTHER_PROTOCOL);
    let printed = fleet(&lab, "status", 3);
    assert_eq!(row(&printed, FIRST_HOST), [FIRST_HOST, "9.9.9", "9", "1", "1", "0", "other protocol"]);
    let refusal = format!("version 9.9.9 speaks relay protocol 9, version {VERSION} speaks 1");
    assert!(printed.contains(&refusal), "{printed}");
    let refused = lab.network(209).ensure_device(&json!({}));
    refused.fails_with(2);
    assert!(refused.output.contains(&refusal) && refused.output.contains("deploy"), "{refused:?}");
}

#[test]
fn a_host_without_the_extension_is_not_taken_for_one_that_is_down() {
    let lab = fleet!();
    lab.first_host().loses_extension();
    for words in ["status", "doctor"] {
        let printed = fleet(&lab, words, 3);
        assert!(
            printed.contains("no extension") && printed.contains("deploy the extension there"),
            "{printed}"
        );
    }
}

#[test]
fn without_a_file_the_accounts_own_key_is_used() {
    let lab = fleet!();
    let words = format!("status --hosts {FIRST_HOST}");
    assert!(run(&lab, &words, 2).contains("login refused"));
    lab.have_key_of_its_own(&lab.detail("sshkey"));
    assert!(run(&lab, &words, 0).contains("all healthy"));
    assert!(run(&lab, &format!("{words} --port 23"), 2).contains("port 23"));
    assert!(run(&lab, &format!("{words} --extension other"), 3).contains("/other/other-wrapper.sh"));
}

#[test]
fn an_operators_command_does_not_create_the_servers_folder() {
    let lab = fleet!();
    fleet(&lab, "status", 0);
    let made = lab.server().run(|| std::path::Path::new(&lab.proxy_folder()).exists());
    assert!(!made, "the server's own account creates this folder");
    lab.network(209).implement();
    fleet(&lab, "status", 0);
}

#[test]
fn piped_output_has_no_colours() {
    let lab = fleet!();
    lab.set_variable("TERM", "xterm-256color");
    for words in ["status", "doctor", "deploy"] {
        let printed = fleet(&lab, words, 0);
        assert!(!printed.contains(['\u{1b}', '\r']), "{words}: {printed}");
    }
}

#[test]
fn a_wrong_command_line_is_explained_without_secrets() {
    let lab = fleet!();
    for (words, told) in [
        ("status", "--hosts"),
        ("status --hosts kvm1;reboot", "neither an address nor a host name"),
        ("status --hosts=-oProxyCommand=reboot", "neither an address nor a host name"),
        ("status --hosts kvm1 --user -lroot", "error: "),
        ("status --hosts kvm1 --port 0", "expected a whole number from 1 to 65535"),
        ("status --hosts kvm1 --extension a;b", "not an absolute path"),
        ("status --from /run/lab/absent", "cannot read /run/lab/absent"),
        ("deploy --hosts kvm1 --executable /run/lab/absent", "cannot read /run/lab/absent"),
    ] {
        let printed = run(&lab, words, 1);
        assert!(printed.contains(told), "{words}: {printed}");
    }
    let secret = r#"{"physical-network-extension-details": {"hosts": ["never-seen"]}}"#;
    lab.server().run(|| std::fs::write("/run/lab/secret", secret)).expect("a file");
    let printed = run(&lab, "status --from /run/lab/secret", 1);
    assert!(
        printed.contains("/run/lab/secret is not a payload") && !printed.contains("never-seen"),
        "{printed}"
    );
}
