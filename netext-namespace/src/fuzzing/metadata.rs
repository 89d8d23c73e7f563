//! Requests of guests to the metadata server.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use super::folder::Folder;
use crate::metadata::Instances;
use crate::metadata::server::fuzzing::answers_to;

const GUEST: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 10);
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 11);
/// Passwords are secrets of one instance each.
const PASSWORDS: [&str; 2] = ["own-pa55word", "neighbours-pa55word"];

/// A guest's bytes are answered in HTTP, and never with a neighbour's secrets, whatever they are. The first byte selects
/// the port. They change nothing but the guest's own password, which they acknowledge.
pub fn metadata_request(input: &[u8]) {
    thread_local! {
        static FOLDER: Folder = Folder::new("metadata");
    }
    let Some((selector, bytes)) = input.split_first() else { return };
    FOLDER.with(|folder| check(folder.path(), selector % 2 == 1, bytes));
}

fn check(folder: &Path, is_password_port: bool, bytes: &[u8]) {
    let path = |address: Ipv4Addr| folder.join(format!("{address}.json"));
    for (address, password) in [GUEST, NEIGHBOUR].into_iter().zip(PASSWORDS) {
        fs::write(path(address), document(address, password)).expect("a file in memory");
    }
    let answers = answers_to(&Instances::in_folder(folder), GUEST, is_password_port, bytes);
    let text = String::from_utf8_lossy(&answers);
    assert!(text.is_empty() || text.starts_with("HTTP/1."), "{text}");
    assert!(!text.contains(PASSWORDS[1]) && !text.contains(" 500 "), "{text}");
    assert!(is_password_port || !text.contains(PASSWORDS[0]), "{text}");
    let now = |address| fs::read_to_string(path(address)).expect("the document is there");
    assert_eq!(now(NEIGHBOUR), document(NEIGHBOUR, PASSWORDS[1]));
    let own = now(GUEST);
    let is_acknowledged = is_password_port && !own.contains(PASSWORDS[0]);
    assert!(is_acknowledged || own == document(GUEST, PASSWORDS[0]), "{own}");
}

fn document(address: Ipv4Addr, password: &str) -> String {
    format!(
        r##"{{"format":1,"user_data":"#cloud-config of {address}","metadata":{{"instance-id":"{address}"}},"password":{{"text":"{password}"}}}}"##
    )
}
