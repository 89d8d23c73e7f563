//! Namespaces in which code and programs run.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statfs::{NSFS_MAGIC, fstatfs};

/// The folder of the lab's own files, in the private `/run` of a machine.
pub(crate) const LAB_FOLDER: &str = "/run/lab";

/// A network namespace, and for a KVM host also a mount namespace.
///
/// It lives as long as something holds it: when the last clone is dropped, the kernel takes it down with everything
/// inside. No thread stays in it: [`Sandbox::run`] enters with a new thread every time.
#[derive(Clone, Debug)]
pub struct Sandbox {
    name: Arc<str>,
    net: Arc<File>,
    mount: Option<Arc<File>>,
}

impl Sandbox {
    /// A new network namespace with its loopback up.
    pub(crate) fn network(name: &str) -> Self {
        let net = fresh_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a new network namespace");
            own_namespace("net")
        });
        Self { name: name.into(), net: Arc::new(net), mount: None }
    }

    /// A new machine with its own network, its own `/run` and its own view of `/sys`.
    pub(crate) fn machine(name: &str) -> Self {
        let (net, mounts) = fresh_thread(|| {
            unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).expect("new namespaces");
            let none: Option<&str> = None;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private mounts");
            mount(Some("lab"), "/run", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).expect("own /run");
            // Where `ip netns exec` finds what belongs to a namespace.
            std::fs::create_dir_all("/etc/netns").expect("a folder to mount on");
            mount(Some("lab"), "/etc/netns", Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))
                .expect("own /etc/netns");
            mount(Some("lab"), "/sys", Some("sysfs"), MsFlags::empty(), none).expect("own /sys");
            std::fs::create_dir(LAB_FOLDER).expect("the lab's folder");
            (own_namespace("net"), own_namespace("mnt"))
        });
        Self { name: name.into(), net: Arc::new(net), mount: Some(Arc::new(mounts)) }
    }

    /// Gives a machine its own copy of a folder: it starts with the same content, and changes stay on this machine.
    pub(crate) fn own_folder(&self, path: &str) {
        let aside = format!("{LAB_FOLDER}/own{path}");
        let (changes, work) = (format!("{aside}/changes"), format!("{aside}/work"));
        let options = format!("lowerdir={path},upperdir={changes},workdir={work}");
        self.run(|| {
            for folder in [&changes, &work] {
                std::fs::create_dir_all(folder).expect("a folder in the machine's own /run");
            }
            mount(Some("lab"), path, Some("overlay"), MsFlags::empty(), Some(options.as_str()))
                .expect("an overlay");
        });
    }

    /// The namespace that `ip netns` knows by `name` on this machine, if there is one.
    pub(crate) fn named_namespace(&self, name: &str) -> Option<Self> {
        let path = format!("/run/netns/{name}");
        let net = self.run(|| File::open(path)).ok()?;
        // A half-made or half-removed namespace leaves a plain file.
        let is_alive = fstatfs(&net).is_ok_and(|fs| fs.filesystem_type() == NSFS_MAGIC);
        is_alive.then(|| Self { name: name.into(), net: Arc::new(net), mount: self.mount.clone() })
    }

    /// The names in the folder `folder` of this machine; none if the folder does not exist.
    pub(crate) fn names_in(&self, folder: &str) -> Vec<String> {
        self.run(|| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        })
    }

    /// The text of a file on this machine; empty if it cannot be read.
    pub(crate) fn text(&self, path: &str) -> String {
        self.run(|| std::fs::read_to_string(path)).unwrap_or_default()
    }

    /// The names in `/run/netns`; some may be left by namespaces that are gone.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        self.names_in("/run/netns")
    }

    /// The name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `work` inside, on its own thread, and returns its result.
    ///
    /// Sockets and files that `work` opens stay usable outside. A panic of `work` continues in the caller.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        fresh_thread(|| {
            if let Some(mounts) = &self.mount {
                // Only a thread that shares no file system state may enter a mount namespace.
                unshare(CloneFlags::CLONE_FS).expect("own file system state");
                setns(mounts, CloneFlags::CLONE_NEWNS).expect("entering the mount namespace");
            }
            setns(&self.net, CloneFlags::CLONE_NEWNET).expect("entering the network namespace");
            work()
        })
    }

    /// Runs a program inside and returns its output, even if the program fails.
    #[track_caller]
    pub fn output(&self, program: &str, arguments: &[&str]) -> Output {
        let made = self.run(|| Command::new(program).args(arguments).stdin(Stdio::null()).output());
        made.unwrap_or_else(|error| panic!("{program} in {}: {error}", self.name))
    }

    /// Runs lines of `ip -batch`; the first failure ends the test.
    #[track_caller]
    pub fn ip(&self, lines: &str) {
        if let Err(message) = self.try_ip(lines) {
            panic!("ip in {}: {message}\n{lines}", self.name);
        }
    }

    /// Runs lines of `ip -batch` up to the first failure.
    pub(crate) fn try_ip(&self, lines: &str) -> Result<(), String> {
        use std::io::Write;
        let output = self.run(|| {
            let mut child = Command::new("ip")
                .args(["-batch", "-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let mut stdin = child.stdin.take().expect("a pipe was asked for");
            stdin.write_all(lines.as_bytes())?;
            drop(stdin);
            child.wait_with_output()
        });
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The path by which another program can open this network namespace.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.net.as_raw_fd())
    }

    /// The inode numbers of these namespaces: network, then mount.
    pub(crate) fn identity(&self) -> Vec<u64> {
        let files = std::iter::once(&self.net).chain(&self.mount);
        files.map(|file| file.metadata().expect("an open namespace").ino()).collect()
    }

    /// The inode number of the network namespace.
    pub(crate) fn network_identity(&self) -> u64 {
        self.net.metadata().expect("an open namespace").ino()
    }
}

fn own_namespace(kind: &str) -> File {
    File::open(format!("/proc/thread-self/ns/{kind}")).expect("the thread's own namespace")
}

fn fresh_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
