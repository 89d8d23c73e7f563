//! Names and paths from untrusted input.

use netext_namespace::metadata::server::{MetadataQuery, MetadataResponse};
use netext_namespace::metadata::{InstanceMetadata, MetadataFileName, VmDataDirectory};
use netext_protocol::VmDataEntry;
use proptest::prelude::*;

fn entry(dir: &str, file: &str, content: &str) -> VmDataEntry {
    VmDataEntry::new(dir.to_owned(), file.to_owned()).content(content)
}

fn instance(entries: &[VmDataEntry]) -> InstanceMetadata {
    InstanceMetadata::from_vm_data("vm_data", entries).expect("entries that fit")
}

fn served(path: &str, instance: &InstanceMetadata) -> Option<String> {
    Some(match MetadataQuery::of(path)?.answer(instance)? {
        MetadataResponse::Listing(names) => names,
        MetadataResponse::Content(content) => content.expose_text().unwrap().to_owned(),
    })
}

/// Texts that look like names and paths more often than chance has it.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "..",
        ".",
        "/",
        "//",
        "%2e",
        "%2f",
        "\\",
        "\0",
        "\n",
        " ",
        "latest",
        "meta-data",
        "metadata",
        "userdata",
        "user_data",
        "user-data",
        "public-keys",
        "0",
        "openssh-key",
        "vm-id",
        "10.1.1.11.json",
        "é",
        "password",
        "vm_password",
        "2009-04-04",
        "=",
        "?",
        "#",
        ":",
        "-",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()), any::<String>()]
}

proptest! {
    #[test]
    fn a_file_name_can_never_be_a_path(text in hostile()) {
        if let Ok(name) = text.parse::<MetadataFileName>() {
            let name = name.as_ref();
            prop_assert!(!name.is_empty() && name.len() <= 255);
            prop_assert!(!name.starts_with('.') && !name.contains("..") && !name.contains('/'));
            prop_assert!(name.chars().all(|character| character.is_ascii_graphic() && !"%=?#\\".contains(character)));
        }
    }

    #[test]
    fn a_file_name_survives_the_document(text in "[a-zA-Z0-9_][a-zA-Z0-9_-]{0,40}") {
        let name: MetadataFileName = text.parse().unwrap();
        prop_assert_eq!(&name.as_ref().parse::<MetadataFileName>().unwrap(), &name);
        let json = serde_json::to_string(&name).unwrap();
        prop_assert_eq!(serde_json::from_str::<MetadataFileName>(&json).unwrap(), name);
    }

    #[test]
    fn an_entry_is_found_under_its_name_or_refused(dir in hostile(), file in hostile(), content in any::<String>()) {
        match InstanceMetadata::from_vm_data("vm_data", &[entry(&dir, &file, &content)]) {
            Ok(given) => {
                prop_assert!(VmDataDirectory::of(&dir).is_some());
                let found = served(&format!("/latest/meta-data/{file}"), &given)
                    .or_else(|| served("/latest/user-data", &given))
                    .or_else(|| served("/latest/public-keys", &given))
                    .or_else(|| given.password.map(|password| password.text.expose().to_owned()));
                // A password may be empty, and a checksum without a password is nothing.
                prop_assert!(found == Some(content) || VmDataDirectory::of(&dir) == Some(VmDataDirectory::Password));
            }
            Err(error) => {
                prop_assert!(["vm_data[0].dir", "vm_data[0].file"].contains(&error.path()));
                prop_assert!(!error.to_string().chars().any(char::is_control));
            }
        }
    }

    #[test]
    fn a_path_asks_for_what_exists_or_for_nothing(path in hostile()) {
        let given = instance(&[entry("metadata", "vm-id", "7")]);
        let known = |answer: &str| ["7", "vm-id", "meta-data/", "latest/"].contains(&answer);
        for path in [path.clone(), format!("/latest/{path}"), format!("/latest/meta-data/{path}")] {
            let answer = served(&path, &given);
            prop_assert!(answer.as_deref().is_none_or(known), "{} {:?}", path, answer);
        }
    }

    #[test]
    fn every_name_of_a_listing_can_be_asked_for(names in prop::collection::btree_set("[a-z0-9][a-z0-9.@:+_-]{0,20}", 1..20)) {
        let entries: Vec<_> = names.iter().filter(|name| !name.contains("..")).map(|name| entry("metadata", name, name)).collect();
        let given = instance(&entries);
        let listing = served("/latest/meta-data/", &given).unwrap();
        for name in listing.lines() {
            let found = served(&format!("/latest/meta-data/{name}"), &given).is_some();
            prop_assert!(found, "{}", name);
        }
    }
}

#[test]
fn both_spellings_are_the_same_file() {
    let spellings: [(&[(&str, &str)], &str); 4] = [
        (
            &[("userdata", "user_data"), ("user-data", "user-data"), ("userdata", "user-data")],
            "/latest/user-data",
        ),
        (&[("metadata", "vm-id"), ("meta-data", "vm-id")], "/latest/meta-data/vm-id"),
        (
            &[
                ("metadata", "public-keys"),
                ("meta-data", "public-keys"),
                ("meta-data", "public-keys/0/openssh-key"),
                ("meta-data/public-keys/0", "openssh-key"),
                ("metadata/public-keys/0", "openssh-key"),
                ("public-keys/0", "openssh-key"),
            ],
            "/latest/meta-data/public-keys/0/openssh-key",
        ),
        (
            &[
                ("metadata", "hypervisor-host-name"),
                ("meta-data", "hypervisor-hostname"),
                ("metadata", "hypervisor_hostname"),
            ],
            "/latest/hypervisor-host-name",
        ),
    ];
    for (names, path) in spellings {
        for (dir, file) in names {
            assert_eq!(
                served(path, &instance(&[entry(dir, file, "x\n")])).as_deref(),
                Some("x\n"),
                "{dir} {file}"
            );
        }
    }
}

#[test]
fn an_instance_without_a_key_has_an_empty_file_and_no_key() {
    let given = instance(&[entry("metadata", "public-keys", ""), entry("metadata", "vm-id", "")]);
    assert_eq!(served("/latest/public-keys", &given).as_deref(), Some(""));
    assert_eq!(served("/latest/meta-data/", &given).as_deref(), Some("vm-id"));
    assert_eq!(served("/latest/meta-data/public-keys/", &given), None);
}

#[test]
fn an_empty_password_is_none() {
    let given =
        instance(&[entry("password", "vm_password", ""), entry("password", "vm-password-md5checksum", "x")]);
    assert_eq!(given.password, None);
}
