//! The files that a router leaves for operators: the names of its routing tables, and its guests' IPv6 gateways.

use std::fmt::Write;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::files::{self, Access, Durability, FileError, failed};
use crate::model::{Router, RouterId};
use crate::store::Store;

/// `ip netns exec` shows the files in `/etc/netns/<namespace>` in place of those in `/etc`, so that
/// `ip route show table isp1` works in the namespace.
const FOLDER: &str = "/etc/netns";
/// The kernel's own tables, from the file that ours hides.
const KERNELS: &str = "255\tlocal\n254\tmain\n253\tdefault\n0\tunspec\n";

/// Makes the file with the names of the router's tables match.
pub(super) fn name_tables(router: &Router, pass: &mut Pass) -> Result<(), FileError> {
    let Some(content) = content(router) else { return forget_tables(router.id, pass) };
    let path = path(router.id);
    if fs::read_to_string(&path).is_ok_and(|found| found == content) {
        return Ok(());
    }
    pass.differs(
        RouterPart::File,
        DifferenceKind::Modify,
        format!("write the names of routing tables to {}", path.display()),
    );
    if !pass.acts() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new(FOLDER));
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .map_err(failed("create the folder", folder))?;
    files::replace(&path, content.as_bytes(), Access::Everyone, Durability::None)
}

/// Removes the file, if it is ours, and the folders that become empty.
pub(super) fn forget_tables(router: RouterId, pass: &mut Pass) -> Result<(), FileError> {
    let path = path(router);
    if files::read_text(&path)?.is_none_or(|found| !found.starts_with(&header(router))) {
        return Ok(());
    }
    pass.differs(RouterPart::File, DifferenceKind::Remove, format!("remove {}", path.display()));
    if !pass.acts() {
        return Ok(());
    }
    files::remove(&path)?;
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != Path::new(FOLDER)) {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => break,
            removed => files::absent_is_none(removed).map_err(failed("remove", folder))?,
        };
    }
    Ok(())
}

fn header(router: RouterId) -> String {
    format!("# The tables of {router}. Written by netext-namespace; changes are lost.\n")
}

fn content(router: &Router) -> Option<String> {
    if router.policy_routing.is_empty() {
        return None;
    }
    let mut content = header(router.id);
    content.push_str(KERNELS);
    for (id, table) in router.policy_routing.tables() {
        let _ = writeln!(content, "{id}\t{}", table.name);
    }
    Some(content)
}

fn path(router: RouterId) -> PathBuf {
    Path::new(FOLDER).join(router.namespace().as_ref()).join("iproute2/rt_tables")
}

/// Writes the guests' IPv6 gateway to the file `ip6-gateway` of the network's folder.
pub(super) fn note_ipv6_gateways(store: &Store, router: &Router, pass: &mut Pass) -> Result<(), FileError> {
    for (network, tier) in &router.tiers {
        let path = store.network_folder(*network).join("ip6-gateway");
        let gateway = tier.ipv6.filter(|_| tier.implemented).map(|ipv6| format!("{}\n", ipv6.gateway));
        if files::read_text(&path)? == gateway {
            continue;
        }
        let kind = if gateway.is_some() { DifferenceKind::Modify } else { DifferenceKind::Remove };
        pass.differs(
            RouterPart::File,
            kind,
            format!("note the IPv6 gateway of network-{network} in ip6-gateway"),
        );
        if pass.acts() {
            match gateway {
                Some(text) => files::replace(&path, text.as_bytes(), Access::Everyone, Durability::None)?,
                None => files::remove(&path)?,
            }
        }
    }
    Ok(())
}
