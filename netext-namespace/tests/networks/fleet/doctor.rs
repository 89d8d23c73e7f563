//! `fleet doctor`: the requirements of hosts.

use netext_lab::{FIRST_HOST, fleet};

use super::{SECOND_HOST, THIRD_HOST, fleet, hosts, three_hosts};

#[test]
fn problems_and_remedies_are_listed_by_host() {
    let lab = fleet!();
    let [second, third] = three_hosts(&lab);
    third.loses_sshd();
    second.sandbox().output("mkdir", &["-p", "-m", "0777", "/run/lab/state/lab-router"]);
    let printed = fleet(&lab, "doctor", 3);
    let mut lines =
        printed.lines().skip_while(|line| !(line.starts_with(SECOND_HOST) && line.contains("problem")));
    let (problem, remedy) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    assert!(
        problem.contains("state") && problem.contains("accounts other than root can write to"),
        "{printed}"
    );
    assert!(remedy.trim_start().starts_with("chown root:root"), "{printed}");
    assert!(
        !printed.lines().any(|line| line.starts_with(FIRST_HOST) && line.contains("problem")),
        "{printed}"
    );
    let down = printed.lines().find(|line| line.starts_with(THIRD_HOST)).unwrap_or_default();
    assert!(down.contains("unreachable") && down.contains("Connection refused"), "{printed}");

    let told = hosts(&lab, "doctor", 3);
    assert_eq!(told.iter().map(|host| host["fit"] == true).collect::<Vec<_>>(), [true, false, false]);
    let findings = told[1]["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|it| it["level"] == "problem" && it["subject"] == "state"), "{findings:?}");
}
