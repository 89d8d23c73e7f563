//! The paths that guests request, and the responses.

use std::fs;
use std::net::Ipv4Addr;

use super::change;
use super::guests::{self, Connection, GUEST, OTHER_GUEST, ROUTER, Server, entry, get};
use crate::throwaway::{host, sh, try_sh};

const USER_DATA: &str = "#cloud-config\nname: 'é'\n\0\r\n\n";

fn server() -> Server {
    host();
    let server = Server::start();
    let vm_data = [
        entry("userdata", "user_data", USER_DATA),
        entry("metadata", "instance-id", "i-1"),
        entry("metadata", "local-hostname", "web-1"),
        entry("metadata", "availability-zone", "zone-é-1"),
        entry("metadata", "hypervisor-host-name", "kvm-1"),
        entry("metadata", "public-keys", "ssh-ed25519 AAAA user@host\n"),
    ];
    change(&server.instances(), |it| it.save(GUEST, &vm_data)).expect("save");
    change(&server.instances(), |it| it.save(OTHER_GUEST, &[entry("metadata", "instance-id", "i-2")]))
        .expect("save");
    server
}

#[test]
fn all_metadata_is_found_where_guests_look() {
    let _server = server();
    let files = "availability-zone\nhypervisor-host-name\ninstance-id\nlocal-hostname\npublic-keys/";
    let key = "ssh-ed25519 AAAA user@host\n";
    for version in ["latest", "2009-04-04", "1.0"] {
        for (path, expected) in [
            ("", "meta-data/\nuser-data"),
            ("/", "meta-data/\nuser-data"),
            ("/user-data", USER_DATA),
            ("/user-data/", USER_DATA),
            ("/meta-data", files),
            ("/meta-data/", files),
            ("/meta-data/instance-id", "i-1"),
            ("/meta-data/instance-id/", "i-1"),
            ("/meta-data/availability-zone", "zone-é-1"),
            ("/meta-data/hypervisor-host-name", "kvm-1"),
            ("/meta-data/hypervisor-hostname", "kvm-1"),
            ("/meta-data/hypervisor_hostname", "kvm-1"),
            ("/meta-data/public-keys", key),
            ("/meta-data/public-keys/", "0=public-key"),
            ("/meta-data/public-keys/0", "openssh-key"),
            ("/meta-data/public-keys/0/", "openssh-key"),
            ("/meta-data/public-keys/0/openssh-key", key),
            ("/meta-data/public-keys/0/openssh-key/", key),
            ("/instance-id", "i-1"),
            ("/local-hostname", "web-1"),
            ("/local-hostname?query", "web-1"),
            ("/public-keys", key),
            ("/public-keys/", "0=public-key"),
        ] {
            let answer = get(GUEST, &format!("/{version}{path}"));
            assert_eq!((answer.status, answer.text()), (200, expected), "/{version}{path}");
            assert!(answer.header.contains("content-type: text/plain"), "{}", answer.header);
        }
    }
    assert_eq!(get(GUEST, "/").text(), "latest/");
}

#[test]
fn metadata_that_a_guest_lacks_is_not_found() {
    let _server = server();
    for path in [
        "/latest/meta-data/vm-id",
        "/latest/meta-data/public-keys/1",
        "/latest/meta-data/public-keys/0/other",
        "/latest/meta-data/instance-id/x",
        "/latest/user-data/x",
        "/latest/password",
        "/latest/password/vm_password",
        "/2009-04-0x/meta-data/",
        "/instance-id",
        "/latest/10.1.1.10.json",
    ] {
        assert_eq!(get(GUEST, path).status, 404, "{path}");
    }
    assert_eq!(get(OTHER_GUEST, "/latest/").text(), "meta-data/");
    for path in ["/latest/user-data", "/latest/public-keys", "/latest/meta-data/public-keys/"] {
        assert_eq!(get(OTHER_GUEST, path).status, 404, "{path}");
    }
    for path in ["/", "/latest/", "/latest/meta-data/", "/latest/user-data"] {
        assert_eq!(get(Ipv4Addr::new(10, 1, 1, 99), path).status, 404, "{path}");
    }
}

#[test]
fn no_path_leads_to_another_guest_or_out_of_the_folder() {
    let server = server();
    fs::write(server.folder().join("network-10.1.1.1/metadata/passwd"), "root").unwrap();
    for path in [
        "/latest/meta-data/../../10.1.1.11.json",
        "/latest/meta-data/../../10.1.1.11/meta-data/instance-id",
        "/latest/meta-data/..%2f..%2f10.1.1.11.json",
        "/latest/meta-data/%2e%2e/%2e%2e/10.1.1.11.json",
        "/latest/meta-data/%2e%2e%2fpasswd",
        "/latest/meta-data/..\\..\\passwd",
        "/latest/meta-data/..;/passwd",
        "/latest/./meta-data/instance-id",
        "/latest/meta-data/./instance-id",
        "/latest/meta-data/instance-id%00",
        "/latest/meta-data/instance%2did",
        "//latest/meta-data/instance-id",
        "/latest//meta-data/instance-id",
        "/latest/meta-data//instance-id",
        "/latest/meta-data/instance-id//",
        "//10.1.1.11/latest/meta-data/instance-id",
        "/../latest/meta-data/instance-id",
        "/latest/meta-data/public-keys/0/../../instance-id",
        "/passwd",
        "/latest/passwd",
    ] {
        assert_eq!(get(GUEST, path).status, 404, "{path}");
    }
    for broken in ["/latest/meta-data/instance-id\0", "/latest/\u{e9}"] {
        let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
        let answer = connection.ask("GET", broken, "");
        assert!(answer.as_ref().is_none_or(|answer| [400, 404].contains(&answer.status)), "{answer:?}");
    }
}

#[test]
fn a_guest_is_identified_by_its_address_only() {
    let _server = server();
    let claims = "X-Forwarded-For: 10.1.1.11\r\nX-Real-IP: 10.1.1.11\r\nForwarded: for=10.1.1.11\r\n";
    let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
    for path in [
        "/latest/instance-id",
        "http://10.1.1.11/latest/instance-id",
        "http://10.1.1.11:80/latest/instance-id",
    ] {
        assert_eq!(connection.ask("GET", path, claims).unwrap().text(), "i-1", "{path}");
    }
    assert_eq!(get(OTHER_GUEST, "/latest/instance-id").text(), "i-2");
}

#[test]
fn one_connection_serves_many_requests() {
    let _server = server();
    let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
    for _ in 0..100 {
        assert_eq!(connection.ask("GET", "/latest/instance-id", "").unwrap().text(), "i-1");
        assert_eq!(connection.ask("GET", "/latest/none", "").unwrap().status, 404);
    }
    let head = connection.ask("HEAD", "/latest/user-data", "").unwrap();
    assert_eq!(head.status, 200);
    assert!(head.header.contains(&format!("content-length: {}\r\n", USER_DATA.len())), "{}", head.header);
    assert_eq!(connection.ask("GET", "/latest/user-data", "").unwrap().body, USER_DATA.as_bytes());
}

#[test]
fn only_reading_is_possible() {
    let _server = server();
    for port in [80, 8080] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            let mut connection = Connection::open(GUEST, ROUTER, port).unwrap();
            let answer =
                connection.ask(method, "/latest/user-data", "DomU_Request: saved_password\r\n").unwrap();
            assert_eq!(answer.status, 405, "{method}");
        }
    }
    let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
    let body = "Content-Length: 5000000000\r\n";
    assert_eq!(connection.ask("GET", "/latest/instance-id", body).unwrap().text(), "i-1");
    assert!(connection.is_closed());
}

#[test]
fn the_next_request_sees_a_save() {
    let server = server();
    let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
    for round in 0..50 {
        let user_data = format!("round {round}");
        change(&server.instances(), |it| it.set_user_data(GUEST, user_data.as_str().into())).unwrap();
        assert_eq!(connection.ask("GET", "/latest/user-data", "").unwrap().text(), user_data);
    }
    change(&server.instances(), |it| it.remove(GUEST)).unwrap();
    assert_eq!(connection.ask("GET", "/latest/user-data", "").unwrap().status, 404);
}

#[test]
fn curl_and_wget_get_user_data_byte_for_byte() {
    let server = server();
    let to = server.folder().join("fetched").display().to_string();
    let url = "http://10.1.1.1/latest/user-data";
    for client in [
        format!("curl -sSf --interface 10.1.1.10 -o {to} {url}"),
        format!("curl -sSf --http1.0 --interface 10.1.1.10 -o {to} {url}"),
        format!("curl -sSf --compressed --interface 10.1.1.10 -o {to} {url}/"),
        format!("wget -q --bind-address=10.1.1.10 -O {to} {url}"),
    ] {
        sh(&client);
        assert_eq!(fs::read(&to).unwrap(), USER_DATA.as_bytes(), "{client}");
    }
    let (found, _) = try_sh("curl -sSf --path-as-is --interface 10.1.1.10 http://10.1.1.1/latest/../passwd");
    assert!(!found);
}

#[test]
fn contents_are_never_logged() {
    let server = server();
    change(&server.instances(), |it| it.set_password(GUEST, "hunter2".into())).unwrap();
    get(GUEST, "/latest/user-data");
    guests::password(GUEST, "DomU_Request: send_my_password");
    guests::password(GUEST, "DomU_Request: saved_password");
    fs::write(server.instances().folder().join("10.1.1.10.json"), r#"{"format":1,"user_data":["hunter2"]}"#)
        .unwrap();
    assert_eq!(get(GUEST, "/latest/user-data").status, 500);
    let log = server.log();
    assert!(log.contains("password acknowledged") && log.contains("is damaged"), "{log}");
    assert!(!log.contains("hunter2") && !log.contains("cloud-config"), "{log}");
}
