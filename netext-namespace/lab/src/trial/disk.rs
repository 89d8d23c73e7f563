//! The extension's folder on a host: what is in it, and how it is saved and put back.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::sandbox::Sandbox;

/// The fields of a state that two equal states share: the others say how the state came into force.
const STATE: [&str; 4] = ["format", "router", "epoch", "superseded"];
/// Drafts, and the versions that they replace.
const LEFTOVERS: [&str; 3] = [".new", ".old", ".tmp"];

/// The files below a folder of a host, by path, with the names of those that must not stay.
pub(super) fn facts(host: &Sandbox, folder: &str) -> (BTreeMap<String, String>, Vec<String>) {
    let files = host.run(|| files(Path::new(folder)));
    let (mut facts, mut leftovers) = (BTreeMap::new(), Vec::new());
    // An empty folder says nothing.
    let is_empty = |folder: &SavedFile| {
        !files.iter().any(|it| it.content.is_some() && it.path.starts_with(&folder.path))
    };
    let counts = |file: &&SavedFile| !is_volatile(&file.path) && (file.content.is_some() || !is_empty(file));
    for file in files.iter().filter(counts) {
        let path = file.path.strip_prefix(folder).unwrap_or(&file.path).display().to_string();
        if LEFTOVERS.iter().any(|end| path.ends_with(end)) {
            leftovers.push(path);
            continue;
        }
        let text = file.content.as_deref().map_or_else(|| "a folder".to_owned(), |it| text(&file.path, it));
        facts.insert(
            format!("file {path}"),
            format!("{:o} {}:{}\n{text}", file.mode, file.owner.0, file.owner.1),
        );
    }
    (facts, leftovers)
}

/// What a daemon or a lock writes, the note of which rules are in force, and the operator's folders, which commands never
/// change.
fn is_volatile(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("lock-")
        || ["settled", "rules.json", ".pid", ".leases", ".log", ".sock"].iter().any(|end| name.ends_with(end))
}

/// What a repair writes, so that the daemons that read it hear of it.
fn is_of_daemon(path: &Path) -> bool {
    const DAEMONS: [&str; 4] = ["dnsmasq", "haproxy", "radvd", "metadata-server"];
    path.components().any(|part| DAEMONS.iter().any(|daemon| part.as_os_str() == *daemon))
}

fn text(path: &Path, content: &[u8]) -> String {
    String::from_utf8_lossy(&essence(path, content)).into_owned()
}

/// The content without what says how it came into force.
fn essence(path: &Path, content: &[u8]) -> Vec<u8> {
    let is_state = path.ends_with("state.json");
    match serde_json::from_slice(content) {
        Ok(Value::Object(state)) if is_state => {
            let kept = state.into_iter().filter(|(name, _)| STATE.contains(&name.as_str()));
            let kept = Value::Object(kept.collect::<Map<_, _>>());
            serde_json::to_vec_pretty(&kept).unwrap_or_default()
        }
        _ => content.to_vec(),
    }
}

fn is_kept(path: &Path) -> bool {
    !is_volatile(path) && !is_of_daemon(path)
}

/// A copy of the files below a folder of a host.
#[derive(Debug)]
pub struct SavedDisk {
    folder: PathBuf,
    files: Vec<SavedFile>,
}

#[derive(Debug)]
struct SavedFile {
    path: PathBuf,
    mode: u32,
    owner: (u32, u32),
    /// `None` for a folder.
    content: Option<Vec<u8>>,
}

impl SavedDisk {
    /// Copies what is below a folder of a host.
    pub fn copy(host: &Sandbox, folder: &str) -> Self {
        Self { folder: folder.into(), files: host.run(|| files(Path::new(folder))) }
    }

    /// Puts everything back as it was, except what a repair puts back and what the daemons write.
    pub fn put_back(&self, host: &Sandbox) {
        let put_back = host.run(|| {
            for file in files(&self.folder).iter().rev() {
                if is_kept(&file.path) && !self.files.iter().any(|saved| saved.path == file.path) {
                    match file.content {
                        Some(_) => fs::remove_file(&file.path)?,
                        None => fs::remove_dir_all(&file.path)?,
                    }
                }
            }
            self.files.iter().filter(|file| is_kept(&file.path)).try_for_each(SavedFile::put_back)
        });
        put_back.unwrap_or_else(|error| panic!("putting {} back: {error}", self.folder.display()));
    }
}

impl SavedFile {
    fn put_back(&self) -> std::io::Result<()> {
        match &self.content {
            None => fs::create_dir_all(&self.path)?,
            // The rules in force may belong to another state: the old one must not claim them.
            Some(content) => {
                let _ = fs::remove_file(&self.path);
                fs::write(&self.path, essence(&self.path, content))?;
            }
        }
        fs::set_permissions(&self.path, Permissions::from_mode(self.mode))?;
        chown(&self.path, Some(self.owner.0), Some(self.owner.1))
    }
}

/// The files and folders below a folder; each folder comes before what is in it.
fn files(folder: &Path) -> Vec<SavedFile> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let content = if metadata.is_dir() {
            let mut inside: Vec<_> =
                fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            inside.sort();
            open.extend(inside);
            None
        } else if metadata.is_file() {
            Some(fs::read(&path).unwrap_or_default())
        } else {
            continue;
        };
        let (mode, owner) = (metadata.permissions().mode() & 0o7777, (metadata.uid(), metadata.gid()));
        found.push(SavedFile { path, mode, owner, content });
    }
    found
}
