//! The names of a router's tables for people: `ip netns exec` shows the files of `/etc/netns/<namespace>` in place
//! of those of `/etc`, so that `ip route show table isp1` works in there.

use std::fmt::Write;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::model::{Router, RouterId};

/// What iproute2 looks for.
const FOLDER: &str = "/etc/netns";
/// The kernel's own, which our file stands in front of.
const KERNELS: &str = "255\tlocal\n254\tmain\n253\tdefault\n0\tunspec\n";

/// Why people do not see the names.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub(super) struct TableNamesError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Makes the file match the router's tables.
pub(super) fn apply(router: &Router, pass: &mut Pass) -> Result<(), TableNamesError> {
    let Some(content) = content(router) else { return remove(router.id, pass) };
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
    let new = path.with_extension("new");
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o644)
        .open(&new)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(failed("write", &new))?;
    fs::rename(&new, &path).map_err(failed("replace", &path))
}

/// Removes the file, if it is ours, and the folders that nothing else lies in.
pub(super) fn remove(router: RouterId, pass: &mut Pass) -> Result<(), TableNamesError> {
    let path = path(router);
    match fs::read_to_string(&path) {
        Ok(found) if found.starts_with(&header(router)) => {}
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("read", &path)(error)),
        _ => return Ok(()),
    }
    pass.differs(RouterPart::File, DifferenceKind::Remove, format!("remove {}", path.display()));
    if !pass.acts() {
        return Ok(());
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove", &path)(error)),
        _ => {}
    }
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != Path::new(FOLDER)) {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => break,
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove", folder)(error)),
            _ => {}
        }
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

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TableNamesError {
    let path = path.to_owned();
    move |source| TableNamesError { action, path, source }
}
