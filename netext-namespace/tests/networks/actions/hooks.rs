//! Actions of the operator: programs in the folder `hooks`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::time::Duration;

use netext_lab::{Lab, SECRET_PASSWORD, lab};
use serde_json::{Value, json};

/// Adds a program to the folder of hooks.
fn hook(lab: &Lab, name: &str, mode: u32, text: &str) -> String {
    let folder = format!("{}/hooks", lab.state_folder());
    let path = format!("{folder}/{name}");
    lab.host().run(|| {
        fs::create_dir_all(&folder).expect("the folder of hooks");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("a mode");
        fs::write(&path, text).expect("a hook");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
    });
    path
}

#[test]
fn a_hook_gets_the_payload_and_its_output_is_the_answer() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    hook(
        &lab,
        "custom-action-whoami",
        0o755,
        "#!/bin/sh\ncat \"$1\" \"$1\" | grep -o '\"who\":\"[a-z]*\"'\necho \"$NETEXT_ROUTER $NETEXT_NAMESPACE\"\n",
    );
    let answer = network.acts("whoami", &json!({"who": "operator"}));
    assert_eq!(answer, "\"who\":\"operator\"\n\"who\":\"operator\"\nnetwork-209 cs-net-209");

    let vpc = lab.vpc(7);
    vpc.implement();
    let answer = vpc.acts("whoami", &json!({"who": "vpc"}));
    assert!(answer.as_str().unwrap().ends_with("vpc-7 cs-vpc-7"), "{answer}");
}

#[test]
fn a_hook_gets_the_whole_payload_as_the_server_wrote_it() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    hook(&lab, "custom-action-show.sh", 0o700, "#!/bin/sh\nprintf '[%s]' \"$(cat \"$1\")\"\n");
    let shown = network.acts("show", &json!({"a": "1", "b": "x=<&>'"}));
    let payload = &shown[0];
    for field in ["network_id", "vlan", "gateway", "cidr", "action"] {
        assert!(payload[field].is_string(), "{field}: {payload}");
    }
    // The cells of a table are flat.
    let details: Value =
        serde_json::from_str(payload["physical-network-extension-details"].as_str().unwrap()).unwrap();
    assert_eq!(details["password"], SECRET_PASSWORD);
    let parameters: Value = serde_json::from_str(payload["action-params"].as_str().unwrap()).unwrap();
    assert_eq!(parameters, json!({"a": "1", "b": "x=<&>'"}));
    assert!(!lab.files().iter().any(|(_, _, content)| content.contains(SECRET_PASSWORD)), "nothing on disk");
}

#[test]
fn a_hook_answers_text_a_table_or_the_servers_own_format() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let answers = |script: &str| {
        hook(&lab, "custom-action-x", 0o755, &format!("#!/bin/sh\n{script}\n"));
        network.acts("x", &json!({}))
    };
    assert_eq!(answers("echo two; echo lines"), "two\nlines");
    assert_eq!(answers("true"), "OK");
    assert_eq!(answers("echo '[{\"a\":1},{\"a\":2}]'"), json!([{"a": 1}, {"a": 2}]));
    assert_eq!(answers("echo '{\"a\":{\"b\":1}}'"), json!([{"a": "{\"b\":1}"}]));
    let own = "echo '{\"status\":\"success\",\"printmessage\":\"true\",\n\"message\":\"mine\"}'";
    assert_eq!(answers(own), "mine");
}

#[test]
fn a_hook_that_fails_fails_the_action_with_its_message() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let fails = |script: &str, words: &str| {
        hook(&lab, "custom-action-x", 0o755, &format!("#!/bin/sh\n{script}\n"));
        let failed = network.action("x", &json!({}));
        failed.fails_with(3);
        assert!(failed.output.contains(words), "{}", failed.output);
        assert!(failed.output.contains("custom-action-x"), "{}", failed.output);
    };
    fails("echo no such carrier >&2; exit 7", "no such carrier");
    fails("echo said so; exit 1", "said so");
    fails("exit 9", "without a message");
    fails("echo '{\"status\":\"failed\",\"message\":\"no\"}'", "failed");
    fails("head -c 300000 /dev/zero | tr '\\0' x", "262144");
    fails("printf '\\377'", "UTF-8");
}

#[test]
fn a_hook_that_hangs_is_killed_with_its_children() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    hook(&lab, "custom-action-hang", 0o755, "#!/bin/sh\nsleep 300 & sleep 300\n");
    let document = network.document(&json!({}));
    let mut flat = document["payload"].clone();
    flat["action"] = "hang".into();
    let hung = lab.start_with("custom-action", &flat.to_string(), 3).finish();
    hung.fails_with(4);
    assert!(hung.output.contains("custom-action-hang"), "{}", hung.output);
    assert!(hung.duration < Duration::from_secs(4), "{:?}", hung.duration);
    let left = lab.processes().into_iter().filter(|(_, line)| line.contains("sleep 300")).count();
    assert_eq!(left, 0);
}

#[test]
fn a_process_that_a_hook_leaves_running_does_not_delay_the_server() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    hook(&lab, "custom-action-daemon", 0o755, "#!/bin/sh\necho started\nsleep 30 &\n");
    let outcome = network.action("daemon", &json!({}));
    assert_eq!(outcome.message(), "started");
    assert!(outcome.duration < Duration::from_secs(5), "{:?}", outcome.duration);
}

#[test]
fn a_hook_that_other_users_can_write_is_refused_with_the_reason() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let trace = format!("{}/ran", lab.state_folder());
    let script = format!("#!/bin/sh\ntouch {trace}\n");
    let refused = |name: &str, why: &str| {
        network.action(name, &json!({})).is_refused_naming(&[name, why]);
        assert!(!lab.host().run(|| fs::exists(&trace).unwrap()), "{name} ran");
    };
    hook(&lab, "custom-action-group", 0o775, &script);
    refused("group", "can be written");
    hook(&lab, "custom-action-all", 0o757, &script);
    refused("all", "can be written");
    hook(&lab, "custom-action-plain", 0o644, &script);
    refused("plain", "not executable");
    let foreign = hook(&lab, "custom-action-foreign", 0o755, &script);
    lab.host().run(|| chown(&foreign, Some(1000), None).unwrap());
    refused("foreign", "does not belong to root");
    let target = hook(&lab, "target", 0o755, &script);
    lab.host().run(|| symlink(&target, format!("{}/hooks/custom-action-link", lab.state_folder())).unwrap());
    refused("link", "not a file");
    hook(&lab, "custom-action-good", 0o755, &script);
    let folder = format!("{}/hooks", lab.state_folder());
    lab.host().run(|| fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap());
    refused("good", "can be written");
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let outside = hook(&lab, "../outside", 0o755, "#!/bin/sh\necho ran\n");
    assert!(lab.host().run(|| fs::exists(&outside).unwrap()));
    for name in ["/../../outside", "../outside", "x/../../outside", ".", "..", "x\u{0}y", "x y", "-e", "x.sh"]
    {
        network.action(name, &json!({})).is_refused_naming(&["is unknown"]);
    }
}

#[test]
fn a_hook_can_call_the_extension_itself() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let program = format!("/run/lab/{0}/{0}.sh", netext_lab::EXTENSION);
    let script = format!(
        "#!/bin/sh\nexport NETEXT_ROLE=host NETEXT_STATE_ROOT=/run/lab/state NETEXT_LOG_ROOT=/run/lab/log\n\
         sed 's/\"action\":\"again\"/\"action\":\"pbr-list-tables\"/' \"$1\" > /run/lab/again.json\n\
         exec {program} custom-action /run/lab/again.json 10\n"
    );
    hook(&lab, "custom-action-again", 0o755, &script);
    network.acts("pbr-create-table", &json!({"id": "5", "name": "five"}));
    assert_eq!(network.acts("again", &json!({}))[0]["name"], "five");
}
