//! The programs and rights that the lab needs on the machine that it runs on.

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Programs, each with its Debian package.
const PROGRAMS: [(&str, &str); 3] = [("ip", "iproute2"), ("nft", "nftables"), ("conntrack", "conntrack")];

/// Ends the test with a list of missing requirements: a test that cannot run must not pass.
#[track_caller]
pub(crate) fn demand() {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    if let Some(missing) = MISSING.get_or_init(missing) {
        panic!("the lab cannot run here: {missing}");
    }
}

fn missing() -> Option<String> {
    let mut wants = Vec::new();
    if !nix::unistd::geteuid().is_root() {
        wants.push("run the tests as root (they make network namespaces)".to_owned());
    }
    let absent: Vec<_> = PROGRAMS.iter().filter(|(program, _)| find(program).is_none()).collect();
    if !absent.is_empty() {
        let programs: Vec<_> = absent.iter().map(|(program, _)| *program).collect();
        let packages: Vec<_> = absent.iter().map(|(_, package)| *package).collect();
        wants.push(format!(
            "no {} found (apt-get install {}, or run .ci/packages)",
            programs.join(", "),
            packages.join(" ")
        ));
    }
    (!wants.is_empty()).then(|| wants.join("; "))
}

/// The path of a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
