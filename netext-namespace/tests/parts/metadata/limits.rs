//! A guest that misbehaves does not affect the others.

use std::thread;
use std::time::{Duration, Instant};

use super::change;
use super::guests::{Connection, GUEST, OTHER_GUEST, ROUTER, Server, get, until};
use crate::throwaway::{host, sh};

fn server() -> Server {
    host();
    let server = Server::start();
    for guest in [GUEST, OTHER_GUEST] {
        change(&server.instances(), |it| it.set_user_data(guest, "data".into())).expect("save");
    }
    server
}

fn works_for(guest: std::net::Ipv4Addr) -> bool {
    let Ok(mut connection) = Connection::open(guest, ROUTER, 80) else { return false };
    connection.ask("GET", "/latest/user-data", "").is_some_and(|answer| answer.text() == "data")
}

#[test]
fn a_header_may_have_eight_kibibytes_and_no_more() {
    let _server = server();
    let padded = |length: usize| {
        let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
        let answer = connection.ask("GET", "/latest/user-data", &format!("X: {}\r\n", "x".repeat(length)));
        answer.map(|answer| answer.status)
    };
    assert_eq!(padded(8000), Some(200));
    assert_eq!(padded(8300), Some(431));
    assert!([Some(431), None].contains(&padded(1_000_000)));
    let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
    let path = format!("/latest/{}", "x".repeat(9000));
    let status = connection.ask("GET", &path, "").map(|answer| answer.status);
    assert!([Some(414), Some(431)].contains(&status), "{status:?}");
    let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
    assert_eq!(connection.ask("GET", "/", &"A: b\r\n".repeat(200)).unwrap().status, 431);
    assert!(works_for(GUEST));
}

#[test]
fn what_is_not_http_ends_the_connection() {
    let _server = server();
    for garbage in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}",
        "GET\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\0\r\n\r\n",
    ] {
        let mut connection = Connection::open(GUEST, ROUTER, 80).unwrap();
        connection.send(garbage.as_bytes()).unwrap();
        assert!(connection.is_closed(), "{garbage:?}");
    }
    assert!(works_for(GUEST));
}

#[test]
fn a_header_that_trickles_in_is_cut_off() {
    let _server = server();
    let mut slow = Connection::open(GUEST, ROUTER, 80).unwrap();
    let started = Instant::now();
    let mut cut = false;
    for byte in b"GET /latest/user-data HTTP/1.1\r\nX: y".iter().cycle() {
        cut = slow.send(&[*byte]).is_err();
        if cut || started.elapsed() > Duration::from_secs(20) {
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    let took = started.elapsed();
    assert!(cut && took > Duration::from_secs(8) && took < Duration::from_secs(15), "{cut} {took:?}");
}

#[test]
fn an_idle_connection_is_closed() {
    let _server = server();
    let mut silent = Connection::open(GUEST, ROUTER, 80).unwrap();
    let mut idle = Connection::open(GUEST, ROUTER, 80).unwrap();
    assert_eq!(idle.ask("GET", "/latest/user-data", "").unwrap().text(), "data");
    let started = Instant::now();
    assert!(silent.is_closed() && idle.is_closed());
    let took = started.elapsed();
    assert!(took > Duration::from_secs(8) && took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_guest_that_does_not_take_its_answer_is_cut_off() {
    let server = server();
    change(&server.instances(), |it| it.set_user_data(GUEST, "x".repeat(20_000_000).into())).unwrap();
    let mut stuck = Connection::open(GUEST, ROUTER, 80).unwrap();
    stuck.send(b"GET /latest/user-data HTTP/1.1\r\n\r\n").unwrap();
    let open = || sh("ss -Htn state established sport = :80").lines().count();
    until("the answer is under way", || open() == 1);
    let started = Instant::now();
    while open() > 0 && started.elapsed() < Duration::from_secs(40) {
        thread::sleep(Duration::from_millis(200));
    }
    let took = started.elapsed();
    assert!(took > Duration::from_secs(8) && took < Duration::from_secs(25), "{took:?}");
}

#[test]
fn one_guest_cannot_take_all_connections() {
    let server = server();
    let mut held: Vec<_> = (0..16).map(|_| Connection::open(GUEST, ROUTER, 80).unwrap()).collect();
    for connection in &mut held {
        assert_eq!(connection.ask("GET", "/latest/user-data", "").unwrap().status, 200);
    }
    assert!(!works_for(GUEST));
    let mut on_the_other_port = Connection::open(GUEST, ROUTER, 8080).unwrap();
    assert!(on_the_other_port.ask("GET", "/", "").is_none());
    assert!(works_for(OTHER_GUEST));
    held.pop();
    until("a place is free", || works_for(GUEST));
    assert_eq!(server.log().matches("too many connections").count(), 1);
}

#[test]
fn all_guests_together_cannot_take_more_than_the_server_has() {
    let server = server();
    let held: Vec<_> = (0..512)
        .map(|number| {
            let guest = std::net::Ipv4Addr::new(10, 1, 1, 100 + u8::try_from(number / 16).unwrap());
            Connection::open(guest, ROUTER, 80).unwrap()
        })
        .collect();
    until("all are let in", || !works_for(GUEST));
    drop(held);
    until("places are free", || works_for(GUEST));
    let folder = format!("/proc/{}/fd", server.pid());
    until("they are closed", || std::fs::read_dir(&folder).unwrap().count() < 30);
}

#[test]
fn a_burst_of_guests_is_answered() {
    let server = server();
    let guests: Vec<_> = (2..=254).map(|last| std::net::Ipv4Addr::new(10, 1, 1, last)).collect();
    for guest in &guests {
        change(&server.instances(), |it| it.set_user_data(*guest, guest.to_string().into())).unwrap();
    }
    let mut connections: Vec<_> =
        guests.iter().map(|guest| Connection::open(*guest, ROUTER, 80).unwrap()).collect();
    for connection in &mut connections {
        connection.send(b"GET /latest/user-data HTTP/1.1\r\n\r\n").unwrap();
    }
    for (connection, guest) in connections.iter_mut().zip(&guests) {
        assert_eq!(connection.answer(false).unwrap().text(), guest.to_string());
    }
    assert_eq!(get(GUEST, "/latest/user-data").text(), GUEST.to_string());
}
