//! Compiled routers: golden rule sets, which the real `nft` has accepted, and the cost of a change.

use std::time::{Duration, Instant};

use crate::throwaway::{host, router_name, sh, soon};
use netext_namespace::compile::{CompiledRouter, Ruleset, RulesetChange};
use netext_namespace::kernel::namespace::Namespace;
use netext_namespace::kernel::{nft, nftables};
use netext_namespace::model::{Router, RouterId, forward_ends};
use netext_namespace::plan::LinkPlan;
use netext_protocol::{Command, Envelope, Request};

/// A sample payload of the protocol.
fn sample(name: &str) -> Request {
    let command: Command = name.split('.').next().unwrap().parse().unwrap();
    let path = format!("{}/../netext-protocol/fixtures/wire/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Envelope::parse(command, &std::fs::read(path).unwrap()).unwrap().request
}

fn links(router: &Router) -> LinkPlan {
    CompiledRouter::new(router).into_links()
}

fn packets(router: &Router) -> Ruleset {
    CompiledRouter::new(router).packets().clone()
}

/// The router after the sample commands.
fn router_after(samples: &[&str]) -> Router {
    let mut router = None;
    for name in samples {
        match sample(name) {
            Request::ImplementNetwork(request) => {
                let own = RouterId::Network(request.network.network_id);
                let id = request.network.vpc_id.map_or(own, RouterId::Vpc);
                let router = router.get_or_insert_with(|| Router::new(id));
                router.tier(&request.network).implement(&request.network, request.extension_ip);
            }
            Request::ImplementVpc(request) => {
                let id = RouterId::Vpc(request.vpc.vpc_id);
                let router = router.get_or_insert_with(|| Router::new(id));
                router.implement_vpc(&request.vpc, request.public.as_ref());
            }
            Request::UpdateVpcSourceNatIp(request) => {
                router.as_mut().unwrap().leave_by(&request.public);
            }
            Request::ApplyNetworkAcl(request) => {
                router.as_mut().unwrap().tier(&request.network).access_list = Some(request.acl_rules);
            }
            Request::AssignIp(request) => {
                router.as_mut().unwrap().take_up(&request.network, &request.public);
            }
            Request::AddStaticNat(request) => {
                let router = router.as_mut().unwrap();
                router.take_up(&request.network, &request.public).static_nat = Some(request.private_ip);
            }
            Request::AddPortForward(request) => {
                let (key, to) = forward_ends(&request.forward).unwrap();
                router.as_mut().unwrap().take_up(&request.network, &request.public).forward(key, to);
            }
            Request::ApplyFwRules(request) => {
                router.as_mut().unwrap().apply_firewall(&request.network, request.fw_rules);
            }
            Request::ApplyLbRules(request) => {
                router.as_mut().unwrap().apply_balancers(&request.network, &request.lb_rules).unwrap();
            }
            other => panic!("{other:?} is not part of these tests"),
        }
    }
    router.unwrap()
}

const WHOLE: [&str; 7] = [
    "implement-network.dualstack",
    "assign-ip",
    "add-static-nat",
    "add-port-forward",
    "add-port-forward.range",
    "apply-fw-rules",
    "apply-lb-rules",
];

const VPC: [&str; 6] = [
    "implement-vpc.no-ip",
    "implement-vpc",
    "implement-network.tier",
    "assign-ip.tier",
    "apply-network-acl",
    "update-vpc-source-nat-ip",
];

const TWO_SEGMENTS: [&str; 5] =
    ["implement-network", "assign-ip", "assign-ip.untagged", "add-static-nat", "add-port-forward"];

#[test]
fn the_rules_of_two_public_segments() {
    let one = packets(&router_after(&TWO_SEGMENTS[..2])).create();
    let both = packets(&router_after(&TWO_SEGMENTS)).create();
    // Chains and maps that a router with one segment does not have.
    let sections = |rules: &str| rules.split_inclusive("\n\t}\n").map(str::to_owned).collect::<Vec<_>>();
    let known = sections(&one);
    let names: Vec<_> = known.iter().filter_map(|section| section.trim().lines().next()).collect();
    let is_new = |section: &String| !names.contains(&section.trim().lines().next().unwrap_or_default());
    insta::assert_snapshot!(sections(&both).into_iter().filter(is_new).collect::<String>());
}

#[test]
fn the_routes_of_two_public_segments() {
    let router = router_after(&TWO_SEGMENTS);
    let compiled = CompiledRouter::new(&router);
    let plan = compiled.routing();
    let shown = plan.routes.iter().map(|route| format!("route {route}\n"));
    insta::assert_snapshot!(
        shown.chain(plan.rules.iter().map(|rule| format!("rule {rule}\n"))).collect::<String>()
    );
}

#[test]
fn the_rules_of_a_vpc() {
    insta::assert_snapshot!(packets(&router_after(&VPC)).create());
}

#[test]
fn the_links_of_a_vpc() {
    insta::assert_json_snapshot!(links(&router_after(&VPC)));
}

#[test]
fn the_rules_of_an_isolated_network() {
    insta::assert_snapshot!(packets(&router_after(&WHOLE)).create());
}

#[test]
fn the_links_of_an_isolated_network() {
    insta::assert_json_snapshot!(links(&router_after(&WHOLE)));
}

#[test]
fn the_links_of_a_shared_network_have_a_way_out_through_the_guests_gateway() {
    insta::assert_json_snapshot!(links(&router_after(&["implement-network.shared"])));
}

#[test]
fn the_links_of_a_layer_2_network_are_a_bridge() {
    insta::assert_json_snapshot!(links(&router_after(&["implement-network.l2"])));
}

#[test]
fn one_more_forward_is_one_more_element() {
    let before = packets(&router_after(&["implement-network", "assign-ip"]));
    let after = packets(&router_after(&["implement-network", "assign-ip", "add-port-forward"]));
    let RulesetChange::Elements(elements) = before.change_to(&after) else { panic!("more than elements") };
    let elements: Vec<_> = elements.iter().map(ToString::to_string).collect();
    assert_eq!(
        elements,
        ["add element inet netext forwards { 198.51.100.10 . tcp . 2222 : 10.1.1.10 . 22 }"]
    );
    assert_eq!(after.change_to(&after), RulesetChange::Nothing);
}

/// The rules that nft lists, in an order that does not depend on how they were made.
fn in_force() -> Vec<String> {
    let listing = sh("ip netns exec cs-net-42 nft -n list ruleset");
    let table = listing.trim().strip_prefix("table inet netext {").and_then(|table| table.strip_suffix('}'));
    let mut sections: Vec<_> =
        table.unwrap().split("\n\n").map(|section| section.trim().to_owned()).collect();
    sections.sort();
    sections
}

#[test]
fn changing_step_by_step_ends_where_replacing_does() {
    host();
    for samples in [WHOLE.as_slice(), &VPC, &TWO_SEGMENTS] {
        change_step_by_step(samples);
    }
}

fn change_step_by_step(samples: &[&str]) {
    Namespace::delete(&router_name()).unwrap();
    let namespace = Namespace::create(&router_name(), soon()).unwrap();
    let run = |script: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        nft::run(&namespace, script, deadline).unwrap_or_else(|error| panic!("{error}\n{script}"));
    };
    let states: Vec<Ruleset> =
        (1..=samples.len()).map(|count| packets(&router_after(&samples[..count]))).collect();
    let sorted = |ruleset: &Ruleset| {
        run(&ruleset.replace());
        in_force()
    };
    let replaced: Vec<_> = states.iter().map(sorted).collect();

    let change = |from: &Ruleset, to: &Ruleset| match from.change_to(to) {
        RulesetChange::Nothing => {}
        RulesetChange::Elements(changes) => {
            let generation = nftables::generation(&namespace).unwrap().expect("our table");
            nftables::change_elements(&namespace, &changes, &generation).unwrap();
        }
        RulesetChange::Script(script) => run(&script),
    };

    run(&states[0].replace());
    for (index, pair) in states.windows(2).enumerate() {
        change(&pair[0], &pair[1]);
        assert_eq!(in_force(), replaced[index + 1], "forwards to {}", samples[index + 1]);
    }
    for (index, pair) in states.windows(2).enumerate().rev() {
        change(&pair[1], &pair[0]);
        assert_eq!(in_force(), replaced[index], "back from {}", samples[index + 1]);
    }
}
