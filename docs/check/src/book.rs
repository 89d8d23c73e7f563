//! The pages of the book, in Markdown.

use std::fs;
use std::path::{Path, PathBuf};

/// A Markdown file of the repository.
#[derive(Clone, Debug)]
pub struct Page {
    /// The path of the file.
    pub path: PathBuf,
    /// The text, with included files.
    pub text: String,
}

/// The repository's folder.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate is in docs/check").to_owned()
}

/// The pages of the book, in the order of their names.
///
/// # Panics
/// If they cannot be read.
pub fn pages() -> Vec<Page> {
    let folder = repository().join("docs/src");
    let entries = fs::read_dir(&folder).expect("the book's folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    files.iter().map(|file| Page::read(file)).collect()
}

impl Page {
    /// Reads a file, and replaces `{{#include path}}` by the file that it names.
    ///
    /// # Panics
    /// If the file cannot be read.
    pub fn read(path: &Path) -> Self {
        let text = read(path);
        let mut expanded = String::new();
        for line in text.split_inclusive('\n') {
            match line.trim().strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) {
                Some(included) => expanded.push_str(&read(&folder(path).join(included))),
                None => expanded.push_str(line),
            }
        }
        Self { path: path.to_owned(), text: expanded }
    }

    /// Its path in the repository, for messages.
    pub fn name(&self) -> String {
        self.path.strip_prefix(repository()).unwrap_or(&self.path).display().to_string()
    }
}

/// The folder of a file.
pub fn folder(file: &Path) -> &Path {
    file.parent().expect("a file is in a folder")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
