//! Namespaces by name, side by side with `ip netns`.

use std::fs;

use netext_core::error_chain;

use crate::throwaway::{host, router_name, sh, soon, try_sh};
use netext_namespace::kernel::namespace::{Namespace, NamespaceError};

fn own() -> String {
    fs::read_link("/proc/thread-self/ns/net").expect("this thread's namespace").display().to_string()
}

#[test]
fn a_namespace_is_the_one_that_iproute2_knows() {
    host();
    assert!(Namespace::open(&router_name()).unwrap().is_none());
    let made = Namespace::create(&router_name(), soon()).unwrap();
    assert!(sh("ip netns list").starts_with("cs-net-42"));
    sh("ip -n cs-net-42 link add made-by-ip type veth peer name other");
    let seen = made.enter(|| sh("ip -o link")).unwrap();
    assert!(seen.contains("made-by-ip"), "{seen}");

    sh("ip netns del cs-net-42");
    assert!(Namespace::open(&router_name()).unwrap().is_none());
    sh("ip netns add cs-net-42");
    assert!(Namespace::open(&router_name()).unwrap().is_some());
    Namespace::delete(&router_name()).unwrap();
    assert_eq!(sh("ls /run/netns"), "");
    Namespace::delete(&router_name()).unwrap();
}

#[test]
fn a_name_that_exists_is_refused() {
    host();
    Namespace::create(&router_name(), soon()).unwrap();
    let refused = error_chain(&Namespace::create(&router_name(), soon()).unwrap_err());
    assert!(refused.contains("cs-net-42") && refused.contains("File exists"), "{refused}");
}

#[test]
fn a_leftover_file_is_not_a_namespace_and_is_replaced() {
    host();
    fs::write("/run/netns/cs-net-42", "").unwrap();
    assert!(Namespace::open(&router_name()).unwrap().is_none());
    Namespace::create(&router_name(), soon()).unwrap();
    assert!(try_sh("ip -n cs-net-42 link").0);
    Namespace::delete(&router_name()).unwrap();
    fs::write("/run/netns/cs-net-42", "").unwrap();
    Namespace::delete(&router_name()).unwrap();
    assert_eq!(sh("ls /run/netns"), "");
}

#[test]
fn the_calling_thread_never_changes_namespace() {
    host();
    let outside = own();
    let namespace = Namespace::create(&router_name(), soon()).unwrap();
    assert_eq!(own(), outside);
    let inside = namespace.enter(own).unwrap();
    assert_ne!(inside, outside);
    assert_eq!(own(), outside);

    let panicked: Result<(), _> = namespace.enter(|| panic!("on purpose"));
    let error = panicked.unwrap_err();
    assert!(matches!(error, NamespaceError::Panicked { .. }), "{error}");
    assert!(error.to_string().contains("on purpose"), "{error}");
    assert_eq!(own(), outside);
}

#[test]
fn another_kind_of_namespace_cannot_be_entered() {
    host();
    sh(": > /run/netns/cs-net-42 && mount --bind /proc/self/ns/uts /run/netns/cs-net-42");
    let namespace = Namespace::open(&router_name()).unwrap().unwrap();
    assert!(namespace.enter(|| ()).is_err());
}
