//! A machine to throw away.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use netext_book::block::NOT_RUN;
use netext_book::book::repository;
use tempfile::TempDir;

/// What the guides assume to be there: the project's executables, and a `cmk` that plays CloudStack's part.
///
/// It has mounts, processes and a network of its own; what is written to its disk is gone with it.
#[derive(Debug)]
pub(crate) struct Machine {
    executables: PathBuf,
}

/// The folders that guides write to. Nothing of it reaches the real ones.
const OWN: &str = r"
mount -t tmpfs none /mnt
for folder in etc usr var root; do
    mkdir -p /mnt/$folder/upper /mnt/$folder/work
    mount -t overlay -o lowerdir=/$folder,upperdir=/mnt/$folder/upper,workdir=/mnt/$folder/work overlay /$folder
done
mount -t tmpfs none /run
mkdir /run/netns
ip link set lo up
";

impl Machine {
    /// Builds the executables, unless they are built.
    pub(crate) fn build() -> Self {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        let executables = BUILT.get_or_init(|| {
            let cargo = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--workspace", "--all-features", "--bins"])
                .current_dir(repository())
                .output()
                .unwrap();
            assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
            let test = std::env::current_exe().unwrap();
            // target/<profile>/deps/<test>
            test.ancestors().nth(2).unwrap().to_owned()
        });
        Self { executables: executables.clone() }
    }

    /// Runs a guide's commands one after the other, in one shell, and answers what each printed. A command that
    /// fails ends the test.
    pub(crate) fn run(&self, guide: &str, commands: &[&str]) -> Vec<String> {
        let folder = TempDir::new().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        let mut script = format!("set -euo pipefail\n{OWN}\ncd {}\n", home.display());
        for (number, command) in commands.iter().enumerate() {
            if !command.starts_with(NOT_RUN) {
                let _ = writeln!(script, "exec >{}/{number} 2>&1\n{command}", folder.path().display());
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let stand_in = concat!(env!("CARGO_MANIFEST_DIR"), "/stand-in");
        let run = Command::new("unshare")
            .args([
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child",
                "bash",
                "-c",
                &script,
            ])
            .env("PATH", format!("{stand_in}:{}:{path}:/usr/sbin:/sbin", self.executables.display()))
            .env("NETEXT", repository())
            .env("NO_COLOR", "1")
            .env("CARGO_NET_OFFLINE", "true")
            // What a vendor's crate is built on is built once.
            .env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/guide"))
            .output()
            .unwrap();
        let read =
            |number: usize| fs::read_to_string(folder.path().join(number.to_string())).unwrap_or_default();
        let outputs: Vec<_> = (0..commands.len()).map(read).collect();
        if !run.status.success() {
            let last = outputs.iter().rposition(|output| !output.is_empty()).unwrap_or_default();
            let stderr = String::from_utf8_lossy(&run.stderr);
            panic!("{guide}: {}\n{}\nprinted\n{}{stderr}", run.status, commands[last], outputs[last]);
        }
        outputs
    }
}
