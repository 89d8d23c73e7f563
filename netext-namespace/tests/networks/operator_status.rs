//! The command line of the operator's commands.

use netext_lab::{EXTENSION, lab};

use crate::setup::operator;

#[test]
fn a_host_without_routers_is_healthy() {
    let lab = lab!();
    assert_eq!(operator(&lab, "status", 0), "this host has no routers\n");
    assert!(operator(&lab, "reconcile --all", 0).starts_with("0 routers in "));
}

#[test]
fn the_error_for_an_unknown_router_lists_the_known_ones() {
    let lab = lab!();
    lab.network(209).implement();
    for words in ["status network-210", "reconcile cs-vpc-7"] {
        let told = operator(&lab, words, 1);
        assert!(told.contains("on this host; it has network-209"), "{told}");
    }
    let told = operator(&lab, "status network-0209", 1);
    assert!(told.contains("names no router"), "{told}");
}

#[test]
fn a_wrong_command_line_is_explained() {
    let lab = lab!();
    for words in ["reconcile", "reconcile --all network-209", "status --jsno", "status --timeout 0"] {
        let told = operator(&lab, words, 1);
        assert!(told.contains("error: "), "{words}: {told}");
    }
    for words in ["status --timeout x", "status --timeout 86401", "reconcile --all --jobs 0"] {
        let told = operator(&lab, words, 1);
        assert!(told.contains("expected a whole number from 1 to "), "{words}: {told}");
    }
    let help = operator(&lab, "help", 0);
    assert!(help.contains("Exit codes") && help.contains(&format!("{EXTENSION}.sh")), "{help}");
}

#[test]
fn piped_output_has_no_colours() {
    let lab = lab!();
    lab.network(209).implement();
    lab.set_variable("TERM", "xterm-256color");
    for words in ["status", "reconcile --all"] {
        assert!(!operator(&lab, words, 0).contains('\u{1b}'), "{words}");
    }
}
