//! Routes and rules beyond the main table, as `ip` sees them.

use netext_core::error_chain;

use crate::throwaway::{apply, changes_during, host, inside, rehearse, router, router_name, sh, soon};
use netext_namespace::drift::Pass;
use netext_namespace::kernel::links;
use netext_namespace::kernel::namespace::Namespace;
use netext_namespace::plan::{LinkPlan, TableRoute, TableRule};

const ROUTES: [&str; 9] = [
    "default via 203.0.113.7",
    "10.11.0.0/16 via 203.0.113.7 dev vpn-50-42 src 203.0.113.10 mtu 1400 metric 7",
    "10.12.0.0/16 dev vpn-50-42 scope link",
    "10.13.0.0/16 via 192.0.2.200 dev vpn-50-42 onlink",
    "unreachable 10.14.0.0/16 metric 9",
    "prohibit 10.15.0.1",
    "throw fd00:15::/64",
    "blackhole fd00:16::/64",
    "fd00:17::/64 via fd00:1::5 metric 3",
];
const RULES: [&str; 5] = [
    "not from 10.0.0.0/8 to 192.0.2.1 fwmark 0x10/0xf0 tos 0x10",
    "iif vn-100-42 ipproto udp sport 1000-2000 dport 53",
    "oif vpn-50-42 fwmark 7",
    "from fd00:1::/64 ipproto ipv6-icmp",
    "fwmark 0/0xff ipproto 99",
];

/// The router with routes in table 100 and rules that lead there.
fn with(routes: &[&str], rules: &[&str]) -> LinkPlan {
    let mut plan = router();
    let route = |words: &&str| TableRoute { table: 100, route: words.parse().expect("words of a route") };
    let rule = |(words, priority): (&&str, u32)| TableRule {
        priority,
        rule: words.parse().expect("words of a rule"),
        table: 100,
    };
    inside(&mut plan).routing.routes = routes.iter().map(route).collect();
    inside(&mut plan).routing.rules = rules.iter().zip(1000..).map(rule).collect();
    plan
}

/// Makes the router match, and returns the errors of the routes that the kernel refused.
fn refused(plan: &LinkPlan) -> Vec<String> {
    let mut pass = Pass::command();
    let namespace = Namespace::ensure(&router_name(), soon(), &mut pass).unwrap();
    let refused = links::apply(plan, Some(&namespace), &mut pass).unwrap();
    refused.iter().map(|refusal| error_chain(refusal)).collect()
}

fn shown() -> String {
    let shown = |family: &str| {
        format!(
            "ip -n cs-net-42 {family} route show table 100; ip -n cs-net-42 {family} rule show | grep 'lookup 100'"
        )
    };
    sh(&format!("{}; {} || true", shown("-4"), shown("-6")))
}

#[test]
fn a_second_run_touches_no_route_and_no_rule() {
    host();
    let plan = with(&ROUTES, &RULES);
    assert_eq!(refused(&plan), [""; 0]);
    assert_eq!(shown().lines().count(), ROUTES.len() + RULES.len(), "{}", shown());
    assert_eq!(rehearse(&plan).unwrap(), []);
    let changes = changes_during(|| assert_eq!(apply(&plan).unwrap(), []));
    assert_eq!(changes, "");
}

#[test]
fn only_routes_and_rules_that_are_no_longer_planned_are_removed() {
    host();
    apply(&with(&ROUTES, &RULES)).unwrap();
    sh("ip -n cs-net-42 route add 10.98.0.0/16 via 203.0.113.7 table 100");
    sh("ip -n cs-net-42 rule add to 10.98.0.0/16 priority 999 lookup 100");
    apply(&with(&ROUTES[..1], &RULES[..1])).unwrap();
    assert_eq!(shown().lines().count(), 4, "{}", shown());
    apply(&with(&[], &[])).unwrap();
    let left = shown();
    assert_eq!(left.lines().count(), 2, "{left}");
    assert!(left.lines().all(|line| line.contains("10.98.0.0/16")), "{left}");
}

#[test]
fn changed_routes_and_rules_are_replaced() {
    host();
    apply(&with(&["default via 203.0.113.7"], &["from 10.1.1.0/24"])).unwrap();
    assert_eq!(refused(&with(&["default via 203.0.113.8"], &["from 10.1.0.0/16"])), [""; 0]);
    let now = shown();
    assert!(
        now.contains("via 203.0.113.8") && now.contains("from 10.1.0.0/16") && !now.contains("203.0.113.7"),
        "{now}"
    );
}

#[test]
fn a_refused_route_is_reported_and_does_not_block_others() {
    host();
    let routes = ["10.9.0.0/16 dev wg0", "10.10.0.0/16 via 192.0.2.77", "10.11.0.0/16 via 203.0.113.7"];
    let told = refused(&with(&routes, &[]));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|told| told.contains("dev wg0 table 100: No such device")), "{told:?}");
    assert!(told.iter().any(|told| told.contains("10.10.0.0/16 via 192.0.2.77 table 100")), "{told:?}");
    assert!(shown().contains("10.11.0.0/16"));

    // It is added as soon as its interface exists.
    sh("ip -n cs-net-42 link add wg0 type veth peer name wg1 && ip -n cs-net-42 link set wg0 up");
    assert_eq!(rehearse(&with(&routes, &[])).unwrap().len(), 2, "what is not in force is a difference");
    assert_eq!(refused(&with(&routes, &[])).len(), 1);
    assert!(shown().contains("10.9.0.0/16 dev wg0"));
}

#[test]
fn a_gateway_may_be_a_neighbour_by_another_route() {
    host();
    let routes = ["192.0.2.0/24 dev vpn-50-42", "10.9.0.0/16 via 192.0.2.1 dev vpn-50-42"];
    assert_eq!(refused(&with(&routes, &[])), [""; 0]);
}
