//! Error lines in the troubleshooting page are those of the code.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::fs;
use std::path::Path;

use netext_book::book::{Page, repository};

/// The sources of what prints errors.
const SOURCES: [&str; 4] =
    ["netext-protocol/src", "netext-core/src", "netext-core/tool/src", "netext-namespace/src"];

/// The text of all sources below a folder, with every string literal on one line.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let mut pieces = source.split("\\\n");
            text.push_str(pieces.next().unwrap_or_default());
            pieces.for_each(|piece| text.push_str(piece.trim_start()));
        }
    }
    text
}

/// The error lines in the first column of the page's tables.
fn quoted(page: &Page) -> Vec<&str> {
    let (_, tables) = page.text.split_once("## Error lines of the extension").unwrap();
    let (tables, _) = tables.split_once("\n## ").unwrap();
    let cells = tables.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn quoted_error_lines_are_in_the_code() {
    let page = Page::read(&repository().join("docs/src/troubleshooting.md"));
    let code: String = SOURCES.iter().map(|folder| sources(&repository().join(folder))).collect();
    let quoted = quoted(&page);
    assert!(quoted.len() > 20, "{quoted:#?}");
    for line in quoted {
        // A cause follows a colon.
        let parts = line.split('…').map(|part| part.trim().trim_end_matches(':'));
        for part in parts.filter(|part| part.len() > 1) {
            assert!(code.contains(part), "no source contains {part:?} of {line:?}");
        }
    }
}
