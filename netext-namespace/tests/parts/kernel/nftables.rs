//! Scripts for `nft` and the generation of the rule set.

use std::time::{Duration, Instant};

use crate::throwaway::{host, router_name, sh};
use netext_namespace::kernel::namespace::Namespace;
use netext_namespace::kernel::nft::{NftError, run};
use netext_namespace::kernel::nftables::generation;

fn router() -> Namespace {
    host();
    Namespace::create(&router_name(), soon()).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn rules() -> String {
    sh("ip netns exec cs-net-42 nft list ruleset")
}

#[test]
fn a_script_is_put_in_force_inside_only() {
    let router = router();
    run(
        &router,
        "table inet netext {\n chain forward {\n type filter hook forward priority 0\n }\n}\n",
        soon(),
    )
    .unwrap();
    assert!(rules().contains("table inet netext"));
    assert_eq!(sh("nft list ruleset"), "");
}

#[test]
fn a_refusal_names_the_line_and_changes_nothing() {
    let router = router();
    run(&router, "table inet netext {\n}\n", soon()).unwrap();
    let before = rules();
    let script = "add chain inet netext one\nadd rule inet netext one frobnicate\n";
    let refused = run(&router, script, soon()).unwrap_err();
    let NftError::Refused { complaint, line, .. } = &refused else { panic!("{refused}") };
    assert_eq!(line.as_deref(), Some("add rule inet netext one frobnicate"));
    assert!(!complaint.is_empty() && !refused.to_string().contains('\n'), "{refused}");
    let by_the_kernel =
        run(&router, "add chain inet netext one\nadd rule inet netext two accept\n", soon()).unwrap_err();
    let text = by_the_kernel.to_string();
    assert!(text.contains("No such file or directory") && text.contains("inet netext two accept"), "{text}");
    assert_eq!(rules(), before);
}

#[test]
fn a_long_line_is_quoted_around_the_place() {
    let router = router();
    let elements = (1..3000).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect::<Vec<_>>().join(", ");
    let script = format!(
        "table inet netext {{\nset s {{ type ipv4_addr; elements = {{ {elements}, nonsense!, 192.0.2.1 }}; }}\n}}\n"
    );
    let text = run(&router, &script, soon()).unwrap_err().to_string();
    assert!(text.contains("nonsense") && text.len() < 500, "{text}");
}

#[test]
fn a_passed_deadline_stops_nft_and_leaves_the_rules() {
    let router = router();
    // nft needs far more time for this than it gets.
    let elements = (0..300_000_u32).map(|n| std::net::Ipv4Addr::from(0x0a00_0000 + 2 * n).to_string());
    let script = format!(
        "table inet netext {{\nset s {{ type ipv4_addr; flags interval; elements = {{ {} }}; }}\n}}\n",
        elements.collect::<Vec<_>>().join(", ")
    );
    let start = Instant::now();
    let late = run(&router, &script, start + Duration::from_millis(30)).unwrap_err();
    assert!(matches!(late, NftError::TimedOut { .. }), "{late}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(rules(), "");
}

#[test]
fn the_generation_changes_with_every_change_of_the_rules() {
    let router = router();
    let first = generation(&router).unwrap();
    assert_eq!(generation(&router).unwrap(), first);
    run(&router, "table inet netext {\n}\n", soon()).unwrap();
    let second = generation(&router).unwrap();
    assert_ne!(second, first);
    rules();
    assert_eq!(generation(&router).unwrap(), second, "looking changes nothing");
    sh("ip netns exec cs-net-42 nft add table inet operators");
    assert_ne!(generation(&router).unwrap(), second);
}
