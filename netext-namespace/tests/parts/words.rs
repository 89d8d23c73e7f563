//! The words of routes and rules: written ones are read again, and other ones are refused.

use netext_namespace::model::{Route, RoutePattern, RoutingRule};
use proptest::prelude::*;

fn network() -> impl Strategy<Value = String> {
    let ipv4 = (any::<u32>(), 0..=32_u8).prop_map(|(address, length)| {
        let network = ipnet::Ipv4Net::new(address.into(), length).expect("a length").trunc();
        network.to_string()
    });
    let ipv6 = (any::<u128>(), 0..=128_u8).prop_map(|(address, length)| {
        let network = ipnet::Ipv6Net::new(address.into(), length).expect("a length").trunc();
        network.to_string()
    });
    prop_oneof![ipv4, ipv6]
}

fn route() -> impl Strategy<Value = String> {
    let kinds = prop::sample::select(vec!["", "unicast ", "blackhole ", "throw ", "prohibit "]);
    let hop = prop::sample::select(vec![
        "",
        " dev eth0",
        " via 192.0.2.1",
        " via fd00::1 dev eth1",
        " scope link dev x",
    ]);
    let rest = prop::sample::select(vec![
        "",
        " metric 0",
        " metric 4294967295",
        " mtu 1400",
        " onlink",
        " src 10.0.0.1",
    ]);
    (kinds, network(), hop, rest).prop_map(|(kind, to, hop, rest)| format!("{kind}{to}{hop}{rest}"))
}

fn rule() -> impl Strategy<Value = String> {
    let words = |words: &'static [&'static str]| prop::sample::select(words.to_vec());
    (
        words(&["", "not "]),
        network(),
        words(&["", " iif lo", " oif eth0"]),
        words(&["", " fwmark 0/0", " fwmark 5", " fwmark 0xff/0xf0"]),
        words(&["", " tos 4", " ipproto 6", " ipproto 255", " sport 1-65535", " dport 53"]),
    )
        .prop_map(|(not, from, interface, mark, rest)| format!("{not}from {from}{interface}{mark}{rest}"))
}

proptest! {
    #[test]
    fn a_route_that_was_written_is_read_again(text in route()) {
        if let Ok(route) = text.parse::<Route>() {
            prop_assert_eq!(route.to_string().parse::<Route>(), Ok(route.clone()));
            prop_assert!(text.parse::<RoutePattern>().unwrap().matches(&route), "a route is meant by its own words");
            prop_assert!(route.to_string().parse::<RoutePattern>().unwrap().matches(&route));
        }
    }

    #[test]
    fn a_rule_that_was_written_is_read_again(text in rule()) {
        let rule: RoutingRule = text.parse().unwrap();
        prop_assert_eq!(rule.to_string().parse::<RoutingRule>(), Ok(rule));
    }

    #[test]
    fn no_text_makes_a_panic_or_more_than_a_line(text in ".{0,80}") {
        for shown in [text.parse::<Route>().map(|r| r.to_string()), text.parse::<RoutingRule>().map(|r| r.to_string())] {
            let shown = shown.unwrap_or_else(|error| error.to_string());
            prop_assert!(!shown.contains('\n'), "{shown:?}");
        }
    }
}

#[test]
fn a_route_matches_any_of_its_words() {
    let route: Route = "10.0.0.0/8 via 192.0.2.1 dev eth0 metric 5".parse().unwrap();
    let means = |words: &str| words.parse::<RoutePattern>().unwrap().matches(&route);
    assert!(means("10.0.0.0/8") && means("10.0.0.0/8 via 192.0.2.1") && means("10.0.0.0/8 metric 5"));
    assert!(!means("10.0.0.0/9") && !means("10.0.0.0/8 via 192.0.2.2") && !means("10.0.0.0/8 metric 6"));
    assert!(!means("blackhole 10.0.0.0/8") && !means("default"));
    let blackhole: Route = "blackhole 10.0.0.0/8".parse().unwrap();
    let means = |words: &str| words.parse::<RoutePattern>().unwrap().matches(&blackhole);
    assert!(means("10.0.0.0/8") && means("blackhole 10.0.0.0/8"));
    assert!(!means("unicast 10.0.0.0/8") && !means("throw 10.0.0.0/8") && !means("10.0.0.0/8 dev eth0"));
}
