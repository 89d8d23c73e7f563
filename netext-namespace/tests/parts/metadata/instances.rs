//! Instance metadata on disk: replaced, kept and removed, and readable by its owner only.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netext_namespace::metadata::{InstanceChange, InstanceMetadata, Instances, MetadataError};
use netext_protocol::{MacAddr, RestoredVm, VmDataEntry};

use super::change;

const GUEST: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 10);
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 11);

/// A folder that is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("netext-instances-{}-{number}", std::process::id())))
    }

    fn instances(&self) -> Instances {
        Instances::in_folder(self.0.join("metadata"))
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.0.join("metadata"))
            .expect("list the folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn entry(dir: &str, file: &str, content: &str) -> VmDataEntry {
    VmDataEntry::new(dir.to_owned(), file.to_owned()).content(content)
}

fn vm(address: Ipv4Addr, vm_data: Vec<VmDataEntry>) -> RestoredVm {
    RestoredVm::new(MacAddr::new([2, 0, 0, 0, 0, 1])).ip(address).vm_data(vm_data)
}

fn read(instances: &Instances, address: Ipv4Addr) -> InstanceMetadata {
    instances.read(address).expect("read the document").expect("an instance")
}

fn password(instances: &Instances, address: Ipv4Addr) -> Option<String> {
    let instance = instances.read(address).expect("read the document")?;
    instance.password.map(|password| password.text.expose().to_owned())
}

#[test]
fn a_save_replaces_everything_but_an_unread_password() {
    let folder = Folder::new();
    let instances = folder.instances();
    change(&instances, |it| {
        it.save(
            GUEST,
            &[
                entry("userdata", "user_data", "one\n"),
                entry("metadata", "vm-id", "7"),
                entry("metadata", "public-keys", "key"),
                entry("password", "vm_password", "secret"),
                entry("password", "vm-password-md5checksum", "sum"),
            ],
        )
    })
    .unwrap();
    let first = read(&instances, GUEST);
    assert_eq!(first.user_data, Some("one\n".into()));
    assert_eq!(first.public_keys, Some("key".into()));
    assert_eq!(first.password.unwrap().md5checksum, Some("sum".into()));

    change(&instances, |it| it.save(GUEST, &[entry("metadata", "instance-id", "8")])).unwrap();
    let second = read(&instances, GUEST);
    assert_eq!((second.user_data, second.public_keys), (None, None));
    assert_eq!(second.metadata.keys().map(AsRef::as_ref).collect::<Vec<&str>>(), ["instance-id"]);
    assert_eq!(password(&instances, GUEST).as_deref(), Some("secret"));

    change(&instances, |it| it.save(GUEST, &[entry("password", "vm_password", "newer")])).unwrap();
    assert_eq!(password(&instances, GUEST).as_deref(), Some("newer"));
}

#[test]
fn single_files_are_added_to_the_others() {
    let folder = Folder::new();
    let instances = folder.instances();
    change(&instances, |it| it.set_password(GUEST, "p".into())).unwrap();
    change(&instances, |it| it.set_user_data(GUEST, "u".into())).unwrap();
    change(&instances, |it| it.set_public_keys(GUEST, "k".into())).unwrap();
    change(&instances, |it| it.set_hypervisor_host_name(GUEST, "kvm-1")).unwrap();
    let instance = read(&instances, GUEST);
    assert_eq!((instance.user_data, instance.public_keys), (Some("u".into()), Some("k".into())));
    assert_eq!(instance.metadata[&"hypervisor_hostname".parse().unwrap()], "kvm-1".into());
    assert_eq!(password(&instances, GUEST).as_deref(), Some("p"));
}

#[test]
fn a_released_address_keeps_nothing_for_the_next_tenant() {
    let folder = Folder::new();
    let instances = folder.instances();
    change(&instances, |it| it.remove(GUEST)).unwrap();
    change(&instances, |it| it.set_password(GUEST, "p".into())).unwrap();
    change(&instances, |it| it.set_password(OTHER, "q".into())).unwrap();
    fs::write(folder.0.join("metadata/.10.1.1.10.json.new"), "half a document with p").unwrap();
    change(&instances, |it| it.remove(GUEST)).unwrap();
    change(&instances, |it| it.remove(GUEST)).unwrap();
    assert_eq!(folder.names(), ["10.1.1.11.json"]);
}

#[test]
fn a_restore_keeps_the_named_instances_and_their_unread_passwords() {
    let folder = Folder::new();
    let instances = folder.instances();
    change(&instances, |it| it.set_password(GUEST, "unread".into())).unwrap();
    change(&instances, |it| it.set_user_data(GUEST, "old".into())).unwrap();
    change(&instances, |it| it.set_password(OTHER, "gone".into())).unwrap();
    fs::write(folder.0.join("metadata/.10.1.1.12.json.new"), "left by a crash").unwrap();
    change(&instances, |it| it.restore(&[vm(GUEST, vec![entry("metadata", "vm-id", "7")])], |_| false))
        .unwrap();
    assert_eq!(folder.names(), ["10.1.1.10.json"]);
    assert_eq!(read(&instances, GUEST).user_data, None);
    assert_eq!(password(&instances, GUEST).as_deref(), Some("unread"));
}

#[test]
fn a_shutdown_keeps_unread_passwords_and_nothing_else() {
    let folder = Folder::new();
    let instances = folder.instances();
    change(&instances, InstanceChange::clear).unwrap();
    change(&instances, |it| {
        it.save(GUEST, &[entry("userdata", "user_data", "u"), entry("password", "vm_password", "p")])
    })
    .unwrap();
    change(&instances, |it| it.set_user_data(OTHER, "u".into())).unwrap();
    change(&instances, InstanceChange::clear).unwrap();
    assert_eq!(folder.names(), ["10.1.1.10.json"]);
    assert_eq!(read(&instances, GUEST).user_data, None);
    assert_eq!(password(&instances, GUEST).as_deref(), Some("p"));
}

#[test]
fn a_password_set_after_the_acknowledged_one_was_read_is_not_lost() {
    let folder = Folder::new();
    let instances = folder.instances();
    change(&instances, |it| it.set_password(GUEST, "new".into())).unwrap();
    change(&instances, |it| it.forget_password(GUEST, |now| now.expose() != "old")).unwrap();
    assert_eq!(password(&instances, GUEST).as_deref(), Some("new"));
    change(&instances, |it| it.forget_password(GUEST, |now| now.expose() != "new")).unwrap();
    assert_eq!(password(&instances, GUEST), None);
}

#[test]
fn an_invalid_entry_is_refused_by_name_and_nothing_changes() {
    let folder = Folder::new();
    let instances = folder.instances();
    change(&instances, |it| it.set_user_data(GUEST, "before".into())).unwrap();
    let good = || entry("userdata", "user_data", "after");
    for (bad, field) in [
        (entry("metadata", "../../10.1.1.11", "content-not-to-be-shown"), "vm_data[1].file"),
        (entry("metadata", "vm-id\n", "content-not-to-be-shown"), "vm_data[1].file"),
        (entry("metadata", "vm\0id", "content-not-to-be-shown"), "vm_data[1].file"),
        (entry("metadata", ".hidden", "content-not-to-be-shown"), "vm_data[1].file"),
        (entry("metadata", "public-keys/1/openssh-key", "content-not-to-be-shown"), "vm_data[1].file"),
        (entry("metadata", "a/b", "content-not-to-be-shown"), "vm_data[1].file"),
        (entry("userdata", "passwd", "content-not-to-be-shown"), "vm_data[1].file"),
        (entry("../userdata", "user_data", "content-not-to-be-shown"), "vm_data[1].dir"),
        (entry("metadata/", "vm-id", "content-not-to-be-shown"), "vm_data[1].dir"),
        (entry("etc", "passwd", "content-not-to-be-shown"), "vm_data[1].dir"),
    ] {
        let error = change(&instances, |it| it.save(GUEST, &[good(), bad.clone()])).unwrap_err();
        assert!(matches!(&error, MetadataError::Refused(entry) if entry.path() == field), "{error}");
        assert!(!format!("{error}{error:?}").contains("not-to-be-shown"), "{error}");
        let error = change(&instances, |it| {
            it.restore(&[vm(OTHER, vec![]), vm(GUEST, vec![good(), bad])], |_| false)
        })
        .unwrap_err();
        assert!(error.to_string().starts_with(&format!("restore_data.vms[1].{field}: ")), "{error}");
    }
    assert_eq!(folder.names(), ["10.1.1.10.json"]);
    assert_eq!(read(&instances, GUEST).user_data, Some("before".into()));
}

#[test]
fn only_the_owner_can_read_the_files() {
    let folder = Folder::new();
    change(&folder.instances(), |it| it.set_password(GUEST, "p".into())).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&folder.0.join("metadata")), 0o700);
    assert_eq!(mode(&folder.0.join("metadata/10.1.1.10.json")), 0o600);
}

#[test]
fn a_damaged_or_newer_document_is_neither_shown_nor_changed() {
    let folder = Folder::new();
    let instances = folder.instances();
    change(&instances, |it| it.set_password(GUEST, "p".into())).unwrap();
    let path = folder.0.join("metadata/10.1.1.10.json");
    for (document, why) in [
        (r#"{"format":2,"password":{"text":"hunter2"}}"#, "newer version (format 2"),
        (r#"{"format":1,"password":"hunter2"}"#, "damaged at line 1"),
        (r#"{"format":1,"metadata":{"../hunter2":"hunter2"}}"#, "damaged at line 1"),
        (r#"{"format":1,"password":{"text":"hunter2"#, "damaged at line 1"),
    ] {
        fs::write(&path, document).unwrap();
        let error = change(&instances, |it| it.set_user_data(GUEST, "u".into())).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("10.1.1.10.json"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), document);
    }
}

#[test]
fn a_damaged_document_can_be_removed_or_replaced() {
    let folder = Folder::new();
    let instances = folder.instances();
    let path = folder.0.join("metadata/10.1.1.10.json");
    for end in [
        (|instances| change(instances, |it| it.remove(GUEST))) as fn(&Instances) -> Result<(), MetadataError>,
        |instances| change(instances, |it| it.take_over(GUEST)),
        |instances| change(instances, InstanceChange::clear),
        |instances| change(instances, |it| it.restore(&[], |_| false)),
    ] {
        change(&instances, |it| it.set_user_data(OTHER, "u".into())).unwrap();
        fs::write(&path, "{").unwrap();
        end(&instances).unwrap();
        assert!(!path.exists());
    }
    fs::write(&path, "{").unwrap();
    change(&instances, |it| it.restore(&[vm(GUEST, vec![entry("metadata", "instance-id", "8")])], |_| false))
        .unwrap();
    assert_eq!(read(&instances, GUEST).metadata[&"instance-id".parse().unwrap()], "8".into());
}

#[test]
fn concurrent_changes_all_take_effect() {
    let folder = Folder::new();
    let instances = folder.instances();
    thread::scope(|scope| {
        for writer in 0..4 {
            let instances = &instances;
            scope.spawn(move || match writer {
                0 => {
                    (0..20)
                        .for_each(|_| change(instances, |it| it.set_user_data(GUEST, "u".into())).unwrap());
                }
                1 => (0..20)
                    .for_each(|_| change(instances, |it| it.set_public_keys(GUEST, "k".into())).unwrap()),
                2 => (0..20)
                    .for_each(|_| change(instances, |it| it.set_hypervisor_host_name(GUEST, "h")).unwrap()),
                _ => {
                    (0..20).for_each(|_| change(instances, |it| it.set_password(GUEST, "p".into())).unwrap());
                }
            });
        }
    });
    let instance = read(&instances, GUEST);
    assert!(instance.user_data.is_some() && instance.public_keys.is_some() && instance.password.is_some());
    assert_eq!(instance.metadata.len(), 1);
}

const WRITER: &str = "NETEXT_TEST_WRITER";

/// Not a test of its own: the process that the next test kills.
#[test]
fn a_writer_that_never_stops() {
    let Some(folder) = std::env::var_os(WRITER) else { return };
    let instances = Instances::in_folder(folder);
    for round in 0u64.. {
        let content = format!("{round}{}", "x".repeat(100_000));
        let vms = [GUEST, OTHER].map(|address| vm(address, vec![entry("userdata", "user_data", &content)]));
        change(&instances, |it| it.restore(&vms, |_| false)).unwrap();
        change(&instances, |it| it.set_user_data(GUEST, content.as_str().into())).unwrap();
    }
}

#[test]
fn a_writer_that_is_killed_at_any_moment_leaves_whole_documents() {
    let folder = Folder::new();
    let instances = folder.instances();
    let whole = || {
        for address in [GUEST, OTHER] {
            if let Some(instance) = instances.read(address).unwrap() {
                let content = instance.user_data.expect("user data");
                assert!(content.expose().len() > 100_000 && content.expose().ends_with(b"x"));
            }
        }
    };
    for round in 0..10 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "metadata::instances::a_writer_that_never_stops"])
            .env(WRITER, folder.0.join("metadata"))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_millis(40 + 7 * round);
        while Instant::now() < end {
            whole();
        }
        writer.kill().unwrap();
        assert_eq!(writer.wait().unwrap().signal(), Some(9));
        whole();
    }
    change(&instances, |it| it.restore(&[], |_| false)).unwrap();
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

const TRACED: &str = "NETEXT_TEST_TRACED";

/// Not a test of its own: the process that the next test watches.
#[test]
fn a_save_and_a_restore() {
    let Some(folder) = std::env::var_os(TRACED) else { return };
    let instances = Instances::in_folder(folder);
    change(&instances, |it| it.set_user_data(GUEST, "u".into())).unwrap();
    let vms: Vec<_> = (0..50).map(|last| vm(Ipv4Addr::new(10, 1, 1, last), vec![])).collect();
    change(&instances, |it| it.restore(&vms, |_| false)).unwrap();
}

#[test]
fn a_change_lasts_when_it_returns_and_a_restore_syncs_once() {
    let folder = Folder::new();
    let trace = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fsync,fdatasync,syncfs,renameat,renameat2", "-o", "/dev/stdout"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "metadata::instances::a_save_and_a_restore"])
        .env(TRACED, folder.0.join("metadata"))
        .output()
        .expect("start strace");
    let trace = String::from_utf8(trace.stdout).unwrap();
    // A line is `<pid> <call>(<arguments>) = <result>`, between those of the test's own harness.
    let call = |line: &str| {
        let call = line.split_whitespace().nth(1)?.split_once('(')?.0.to_owned();
        ["fsync", "fdatasync", "syncfs", "renameat", "renameat2"].contains(&call.as_str()).then_some(call)
    };
    let calls: Vec<_> = trace.lines().filter_map(call).collect();
    // The new folder's name, the document, its name; then fifty documents, their names.
    let save = ["fsync", "fdatasync", "renameat", "fsync"];
    let restore = ["syncfs"].into_iter().chain(["renameat"; 50]).chain(["fsync"]);
    assert!(calls.iter().map(String::as_str).eq(save.into_iter().chain(restore)), "{trace}");
}

#[test]
fn a_thousand_instances_are_restored_at_once() {
    let folder = Folder::new();
    let instances = folder.instances();
    let vms: Vec<_> = (0..1000u32)
        .map(|number| {
            let vm_data = vec![
                entry("userdata", "user_data", &"#cloud-config\n".repeat(50)),
                entry("metadata", "instance-id", &number.to_string()),
                entry("metadata", "public-keys", &"k".repeat(400)),
            ];
            vm(Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 2, 0, 1)) + number), vm_data)
        })
        .collect();
    let started = Instant::now();
    change(&instances, |it| it.restore(&vms, |_| false)).unwrap();
    println!("first restore of 1,000: {:?}", started.elapsed());
    let started = Instant::now();
    change(&instances, |it| it.restore(&vms, |_| false)).unwrap();
    println!("the same again: {:?}", started.elapsed());
    assert_eq!(folder.names().len(), 1000);
}
