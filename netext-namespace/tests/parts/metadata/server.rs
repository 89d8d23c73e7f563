//! The server as a process: it starts, reads its configuration again, and ends.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::change;
use super::guests::{self, Connection, GUEST, ROUTER, Server, folder, serve_metadata, write_configuration};
use crate::throwaway::{host, machine, sh, try_sh};
use netext_namespace::metadata::server::{MetadataServerConfiguration, ServedTier};
use rustix::process::Signal;

const SECOND: Ipv4Addr = Ipv4Addr::new(10, 1, 2, 1);
const SECOND_GUEST: Ipv4Addr = Ipv4Addr::new(10, 1, 2, 10);
/// More than the kernel buffers while the guest does not read.
const LARGE: usize = 16_000_000;

fn user_data(guest: Ipv4Addr, router: Ipv4Addr) -> Option<String> {
    let mut connection = Connection::open(guest, router, 80).ok()?;
    Some(connection.ask("GET", "/latest/user-data", "")?.text().to_owned())
}

/// A download that has begun.
fn download(guest: Ipv4Addr, router: Ipv4Addr) -> Connection {
    let mut download = Connection::open(guest, router, 80).expect("connect");
    download.send(b"GET /latest/user-data HTTP/1.1\r\n\r\n").expect("send");
    let mut first = [0; 1000];
    assert!(download.read_some(&mut first) > 0);
    download
}

/// Its exit code and its message when it cannot start.
fn refusal(configuration: &Path) -> (Option<i32>, String) {
    let output = serve_metadata(configuration).output().expect("run it");
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(said.matches('\n').count(), 1, "{said}");
    (output.status.code(), said)
}

#[test]
fn it_closes_its_streams_and_leaves_its_folder() {
    host();
    let server = Server::start();
    for number in 0..=2 {
        let stream = fs::read_link(format!("/proc/{}/fd/{number}", server.pid())).unwrap();
        assert_eq!(stream, Path::new("/dev/null"));
    }
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", server.pid())).unwrap(), Path::new("/"));
}

#[test]
fn a_configuration_that_cannot_be_used_is_named() {
    host();
    let folder = folder();
    let path = folder.join(MetadataServerConfiguration::FILE);
    let (code, said) = refusal(&path);
    assert!(code == Some(1) && said.contains("metadata-server.json"), "{code:?} {said}");
    fs::write(&path, r#"{"tiers": [{"address": "10.1.1.300", "folder": "/x"}]}"#).unwrap();
    let (code, said) = refusal(&path);
    assert!(code == Some(1) && said.contains("IPv4 address"), "{code:?} {said}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_address_that_cannot_be_listened_on_is_named() {
    host();
    let folder = folder();
    let path = folder.join(MetadataServerConfiguration::FILE);
    let tier = |interface: &str| ServedTier {
        address: ROUTER,
        interface: Some(interface.to_owned()),
        folder: folder.join("metadata"),
    };
    write_configuration(&folder, &[tier("lo")]);
    let (code, said) = refusal(&path);
    assert!(code == Some(3) && said.contains("10.1.1.1:80 on interface lo"), "{code:?} {said}");
    write_configuration(&folder, &[tier("vn-1910-209")]);
    let (code, said) = refusal(&path);
    assert!(code == Some(3) && said.contains("No such device"), "{code:?} {said}");
    let _server = Server::start();
    write_configuration(&folder, &[tier("lo")]);
    let (code, said) = refusal(&path);
    assert!(code == Some(3) && said.contains("Address already in use"), "{code:?} {said}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn each_guest_network_has_its_own_instances() {
    host();
    sh("ip address add 10.1.1.1/24 dev lo && ip address add 10.1.2.1/24 dev lo");
    let server = Server::start_on(&[(ROUTER, "lo"), (SECOND, "lo")]);
    change(&server.instances_of(0), |it| it.set_user_data(GUEST, "first".into())).unwrap();
    change(&server.instances_of(1), |it| it.set_user_data(SECOND_GUEST, "second".into())).unwrap();
    assert_eq!(user_data(GUEST, ROUTER).as_deref(), Some("first"));
    assert_eq!(user_data(SECOND_GUEST, SECOND).as_deref(), Some("second"));
    assert_eq!(user_data(GUEST, SECOND).as_deref(), Some("not found\n"));
    assert_eq!(user_data(SECOND_GUEST, ROUTER).as_deref(), Some("not found\n"));
}

#[test]
fn requests_through_another_interface_are_not_answered() {
    host();
    for (bridge, address) in [("guests", "10.1.1.1/24"), ("others", "10.1.2.1/24")] {
        sh(&format!(
            "ip link add {bridge} type bridge && ip link set {bridge} up && ip address add {address} dev {bridge}"
        ));
    }
    machine("guest", "guests", "10.1.1.10", "10.1.1.1");
    machine("other", "others", "10.1.2.10", "10.1.2.1");
    let server = Server::start_on(&[(ROUTER, "guests")]);
    change(&server.instances(), |it| it.set_user_data(GUEST, "data".into())).unwrap();
    change(&server.instances(), |it| it.set_user_data(SECOND_GUEST, "data".into())).unwrap();
    let fetch =
        |machine| try_sh(&format!("ip netns exec {machine} curl -sSf -m 5 http://10.1.1.1/latest/user-data"));
    assert_eq!(fetch("guest"), (true, "data".to_owned()));
    let (found, said) = fetch("other");
    assert!(!found && !said.contains("data"), "{said}");
}

#[test]
fn guest_networks_come_and_go_without_disturbing_others() {
    host();
    sh("ip address add 10.1.1.1/24 dev lo && ip address add 10.1.2.1/24 dev lo");
    let mut server = Server::start_on(&[(ROUTER, "lo")]);
    change(&server.instances(), |it| it.set_user_data(GUEST, "x".repeat(LARGE).into())).unwrap();
    let running = download(GUEST, ROUTER);
    let mut kept = Connection::open(GUEST, ROUTER, 80).unwrap();
    assert_eq!(kept.ask("GET", "/latest/", "").unwrap().status, 200);
    assert_eq!(user_data(SECOND_GUEST, SECOND), None);

    server.reload(&[(ROUTER, "lo"), (SECOND, "lo")]);
    change(&server.instances_of(1), |it| it.set_user_data(SECOND_GUEST, "second".into())).unwrap();
    assert_eq!(user_data(SECOND_GUEST, SECOND).as_deref(), Some("second"));
    assert_eq!(kept.ask("GET", "/latest/", "").unwrap().status, 200);

    server.reload(&[(SECOND, "lo")]);
    assert!(Connection::open(GUEST, ROUTER, 80).is_err());
    assert!(kept.is_closed());
    assert_eq!(user_data(SECOND_GUEST, SECOND).as_deref(), Some("second"));
    let rest = running.read_to_end();
    assert!(rest.len() > LARGE - 1000, "the download has {} of {LARGE} bytes", rest.len());
}

#[test]
fn a_reload_logs_what_fails_and_does_the_rest() {
    host();
    let mut server = Server::start();
    change(&server.instances(), |it| it.set_user_data(GUEST, "data".into())).unwrap();
    server.reload(&[(ROUTER, "lo"), (SECOND, "lo")]);
    assert!(server.log().contains("cannot listen on 10.1.2.1:80"), "{}", server.log());
    assert_eq!(user_data(GUEST, ROUTER).as_deref(), Some("data"));
    sh("ip address add 10.1.2.1/24 dev lo");
    server.reload(&[(ROUTER, "lo"), (SECOND, "lo")]);
    assert!(user_data(SECOND_GUEST, SECOND).is_some());

    fs::write(server.folder().join(MetadataServerConfiguration::FILE), "{").unwrap();
    server.signal(Signal::HUP);
    guests::until("the server logs it", || server.log().contains("the old configuration stays"));
    assert_eq!(user_data(GUEST, ROUTER).as_deref(), Some("data"));
}

#[test]
fn it_listens_on_an_interface_that_was_created_again() {
    host();
    let make =
        "ip link add guests type bridge && ip link set guests up && ip address add 10.1.1.1/24 dev guests";
    sh(make);
    let mut server = Server::start_on(&[(ROUTER, "guests")]);
    change(&server.instances(), |it| it.set_user_data(GUEST, "data".into())).unwrap();
    sh(&format!("ip link delete guests && {make}"));
    machine("guest", "guests", "10.1.1.10", "10.1.1.1");
    server.reload(&[(ROUTER, "guests")]);
    assert_eq!(sh("ip netns exec guest curl -sSf -m 5 http://10.1.1.1/latest/user-data"), "data");
}

#[test]
fn when_it_ends_it_answers_running_requests() {
    host();
    let mut server = Server::start();
    change(&server.instances(), |it| it.set_user_data(GUEST, "x".repeat(LARGE).into())).unwrap();
    let running = download(GUEST, ROUTER);
    let mut idle = Connection::open(GUEST, ROUTER, 80).unwrap();
    assert_eq!(idle.ask("GET", "/latest/", "").unwrap().status, 200);
    server.signal(Signal::TERM);
    assert!(idle.is_closed());
    assert!(Connection::open(GUEST, ROUTER, 80).is_err());
    assert!(running.read_to_end().len() > LARGE - 1000);
    assert!(server.wait().success());
}

#[test]
fn when_it_ends_it_does_not_wait_for_ever() {
    host();
    let mut server = Server::start();
    change(&server.instances(), |it| it.set_user_data(GUEST, "x".repeat(LARGE).into())).unwrap();
    let _stuck = download(GUEST, ROUTER);
    let started = Instant::now();
    server.signal(Signal::TERM);
    assert!(server.wait().success());
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}
