//! A throwaway machine.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use netext_book::block::NOT_RUN;
use netext_book::book::repository;
use tempfile::TempDir;

/// A machine with the project's executables, and a `cmk` that acts as CloudStack.
///
/// It has its own mounts, processes and network, and none of the files that users have left on the real machine. Its disk
/// is deleted with it.
#[derive(Debug)]
pub(crate) struct Machine {
    executables: PathBuf,
}

/// The setup of a machine with its own network.
const OWN: &str = r"
mount -t tmpfs none /run
mkdir /run/netns
ip link set lo up
cd
";

impl Machine {
    /// Builds the executables, if they are not built yet.
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

    /// Runs a guide's commands one after the other in one shell, and returns the output of each. A command that fails
    /// ends the test.
    pub(crate) fn run(&self, guide: &str, commands: &[&str]) -> Vec<String> {
        // The machine has its own temporary folders.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut script = format!("set -euo pipefail\n{OWN}\n");
        for (number, command) in commands.iter().enumerate() {
            if !command.starts_with(NOT_RUN) {
                let _ = writeln!(script, "exec >{}/{number} 2>&1\n{command}", folder.path().display());
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        // A guide that depends on the state of the real machine fails everywhere.
        let run = Command::new(repository().join(".ci/used-machine"))
            .arg(repository().join(".ci/clean-machine"))
            .args(["--own-disk", "unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc"])
            .args(["--kill-child", "env"])
            .arg(format!("PATH={}:{path}:/usr/sbin:/sbin", self.executables.display()))
            .arg(format!("NETEXT={}", repository().display()))
            .args(["CMK_SERVER=/run/cloudstack.json", "NO_COLOR=1", "CARGO_NET_OFFLINE=true"])
            // The dependencies of a vendor's crate are built once.
            .arg(concat!("CARGO_TARGET_DIR=", env!("CARGO_TARGET_TMPDIR"), "/guide"))
            .args(["bash", "-c", &script])
            .current_dir(repository())
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
