//! Passwords are handed out until the guest acknowledges them, and then removed.

use super::change;
use super::guests::{self, Connection, GUEST, OTHER_GUEST, ROUTER, Server, entry, password};
use crate::throwaway::{host, sh, try_sh};

const SEND: &str = "DomU_Request: send_my_password";
const SAVED: &str = "DomU_Request: saved_password";

#[test]
fn a_password_is_handed_out_until_it_is_acknowledged() {
    host();
    let server = Server::start();
    assert_eq!(password(GUEST, SEND), "saved_password");
    assert_eq!(password(GUEST, SAVED), "saved_password");

    change(&server.instances(), |it| it.set_password(GUEST, "kE3=p&x9".into())).unwrap();
    assert_eq!(password(GUEST, SEND), "kE3=p&x9");
    assert_eq!(password(GUEST, "domu_request: send_my_password"), "kE3=p&x9");
    assert_eq!(password(OTHER_GUEST, SEND), "saved_password");
    assert_eq!(password(OTHER_GUEST, SAVED), "saved_password");
    assert_eq!(password(GUEST, SEND), "kE3=p&x9");

    assert_eq!(password(GUEST, SAVED), "saved_password");
    assert_eq!(password(GUEST, SEND), "saved_password");
}

#[test]
fn anything_else_is_a_bad_request() {
    host();
    let server = Server::start();
    change(&server.instances(), |it| it.set_password(GUEST, "p".into())).unwrap();
    for header in [
        "Accept: */*",
        "DomU_Request:",
        "DomU_Request: Send_My_Password",
        "DomU_Request: save_password",
        "DomU_Request: saved_password,send_my_password",
        "DomU-Request: send_my_password",
    ] {
        assert_eq!(password(GUEST, header), "bad_request", "{header}");
    }
    assert_eq!(password(GUEST, SEND), "p");
}

#[test]
fn an_acknowledged_password_is_nowhere_on_disk() {
    host();
    let server = Server::start();
    let vm_data = [
        entry("userdata", "user_data", "data"),
        entry("password", "vm_password", "needle-in-the-hay"),
        entry("password", "vm-password-md5checksum", "needle-sum"),
    ];
    change(&server.instances(), |it| it.save(GUEST, &vm_data)).unwrap();
    let search = format!("grep -r needle {}", server.folder().display());
    assert!(try_sh(&search).0);
    assert_eq!(password(GUEST, SEND), "needle-in-the-hay");
    assert_eq!(password(GUEST, SAVED), "saved_password");
    assert_eq!(try_sh(&search), (false, String::new()));
    assert_eq!(guests::get(GUEST, "/latest/user-data").text(), "data");
}

#[test]
fn a_password_that_was_reset_meanwhile_is_not_lost_with_the_old_one() {
    host();
    let server = Server::start();
    change(&server.instances(), |it| it.set_password(GUEST, "old".into())).unwrap();
    assert_eq!(password(GUEST, SEND), "old");
    change(&server.instances(), |it| it.set_password(GUEST, "new".into())).unwrap();
    assert_eq!(password(GUEST, SAVED), "saved_password");
    assert_eq!(password(GUEST, SEND), "new");
    assert_eq!(password(GUEST, SAVED), "saved_password");
    assert_eq!(password(GUEST, SEND), "saved_password");
}

#[test]
fn a_password_read_before_a_restart_of_the_server_can_be_acknowledged_after_it() {
    host();
    let server = Server::start();
    change(&server.instances(), |it| it.set_password(GUEST, "p".into())).unwrap();
    assert_eq!(password(GUEST, SAVED), "saved_password");
    assert_eq!(server.instances().read(GUEST).unwrap().unwrap().password, None);
}

#[test]
fn the_scripts_of_existing_guests_work() {
    host();
    let server = Server::start();
    change(&server.instances(), |it| it.set_password(GUEST, "p w".into())).unwrap();
    let ask = |what| {
        sh(&format!(
            "wget -q -t 3 -T 20 -O - --bind-address=10.1.1.10 --header 'DomU_Request: {what}' 10.1.1.1:8080"
        ))
    };
    assert_eq!(ask("send_my_password"), "p w");
    assert_eq!(
        sh("curl -sSf --http1.0 --interface 10.1.1.10 -H 'DomU_Request: x' 10.1.1.1:8080"),
        "bad_request"
    );
    assert_eq!(ask("saved_password"), "saved_password");
    assert_eq!(ask("send_my_password"), "saved_password");
}

#[test]
fn both_requests_fit_into_one_connection() {
    host();
    let server = Server::start();
    change(&server.instances(), |it| it.set_password(GUEST, "p".into())).unwrap();
    let mut connection = Connection::open(GUEST, ROUTER, 8080).unwrap();
    assert_eq!(connection.ask("GET", "/", &format!("{SEND}\r\n")).unwrap().text(), "p");
    assert_eq!(connection.ask("GET", "/", &format!("{SAVED}\r\n")).unwrap().text(), "saved_password");
    assert_eq!(connection.ask("GET", "/", &format!("{SEND}\r\n")).unwrap().text(), "saved_password");
}
