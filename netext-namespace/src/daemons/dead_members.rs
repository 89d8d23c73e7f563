//! Which members of balancers a haproxy knows to be dead, and how its successor learns them.
//!
//! haproxy can read the list of servers that another haproxy prints. That list is not passed on as it is: the process
//! that prints it handles untrusted packets without privileges, the process that reads it still has its own. So the
//! list is parsed, and only one thing of it is passed on: which member of which rule takes no connections.

use std::io;
use std::net::SocketAddrV4;
use std::path::Path;
use std::time::Instant;

use super::runtime_socket;

const QUESTION: &[u8] = b"show servers state\n";
/// The format of haproxy's states, its columns, and two values of theirs.
const VERSION: &str = "1";
const COLUMNS: &str = "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
    srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state \
    bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr \
    srv_agent_addr srv_agent_port";
const STOPPED: &str = "0";
const NOBODY_WANTED_IT: &str = "0";

/// A member of a balancer rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BalancerMember {
    rule: u64,
    address: SocketAddrV4,
}

/// The members that the haproxy behind a socket knows to be dead.
pub(super) fn known_to(socket: &Path, deadline: Instant) -> io::Result<Vec<BalancerMember>> {
    Ok(dead(&String::from_utf8_lossy(&runtime_socket::ask(socket, QUESTION, deadline)?)))
}

/// The list that a successor reads.
pub(super) fn server_states(members: &[BalancerMember]) -> String {
    let lines = members.iter().map(|BalancerMember { rule, address }| {
        let (ip, port) = (address.ip(), address.port());
        // Identified by its names only; its last check has failed.
        format!("0 rule-{rule} 0 {address} {ip} {STOPPED} 0 1 1 0 8 2 0 6 0 0 0 - {port} - 0 0 - - 0\n")
    });
    format!("{VERSION}\n{COLUMNS}\n{}", lines.collect::<String>())
}

/// The dead members in the list that a haproxy prints. Everything else in it is ignored.
fn dead(printed: &str) -> Vec<BalancerMember> {
    let mut lines = printed.lines();
    if lines.next().is_none_or(|version| version.trim() != VERSION) {
        return Vec::new();
    }
    let members = lines.filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let rule = words.nth(1)?.strip_prefix("rule-")?.parse().ok()?;
        let address = words.nth(1)?.parse().ok()?;
        let is_dead = words.nth(1)? == STOPPED && words.next()? == NOBODY_WANTED_IT;
        is_dead.then_some(BalancerMember { rule, address })
    });
    members.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight ...
2 rule-9 1 10.1.1.10:8080 10.1.1.10 2 0 1 1 0 6 3 3 6 0 0 0 - 8080 - 0 0 - - 0
2 rule-9 2 10.1.1.11:8080 10.1.1.11 0 0 1 1 5 8 2 0 6 0 0 0 - 8080 - 0 0 - - 0
3 rule-10 167837962 10.1.1.12:81 10.1.1.12 0 0 16 16 5 8 2 0 6 0 0 1 - 81 - 0 0 - - 0

";

    fn member(rule: u64, address: &str) -> BalancerMember {
        BalancerMember { rule, address: address.parse().unwrap() }
    }

    #[test]
    fn dead_members_are_found() {
        assert_eq!(dead(PRINTED), [member(9, "10.1.1.11:8080"), member(10, "10.1.1.12:81")]);
    }

    #[test]
    fn a_list_that_is_written_can_be_read() {
        let members = dead(PRINTED);
        assert_eq!(dead(&server_states(&members)), members);
        assert_eq!(dead(&server_states(&[])), []);
    }

    #[test]
    fn nothing_else_is_passed_on() {
        for hostile in [
            "",
            "2\n2 rule-9 2 10.1.1.11:8080 10.1.1.11 0 0 1",
            "1\n2 rule-9 2 10.1.1.11:8080 10.1.1.11 0",
            "1\n2 rule-9 2 10.1.1.11:8080 10.1.1.11 0 1 1",
            "1\n2 rule-x 2 10.1.1.11:8080 10.1.1.11 0 0 1",
            "1\n2 web 2 10.1.1.11:8080 10.1.1.11 0 0 1",
            "1\n2 rule-9 2 name 10.1.1.11 0 0 1",
            "1\n2 rule-99999999999999999999 2 10.1.1.11:8080 10.1.1.11 0 0 1",
        ] {
            assert_eq!(dead(hostile), [], "{hostile:?}");
        }
        let crowded =
            "1\n2 rule-9 2 10.1.1.11:8080 ../../x%n 0 0 x \u{1b}[31m $(id) ; 9 9 9 9 9 9 9 9 9 9 9 9\n";
        assert_eq!(server_states(&dead(crowded)), server_states(&[member(9, "10.1.1.11:8080")]));
    }
}
