//! Links lead to existing pages and headings.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use netext_book::book::{Page, pages, repository};
use netext_book::link::{anchors, links, target};

/// The pages of the book, and other documents of the repository.
fn written() -> Vec<Page> {
    let beside = [
        "README.md",
        "CONTRIBUTING.md",
        "netext-core/README.md",
        "netext-core/tool/README.md",
        "netext-namespace/README.md",
    ];
    let beside = beside.iter().map(|file| repository().join(file));
    let examples = repository().join("examples").read_dir().unwrap();
    let examples = examples.map(|example| example.unwrap().path().join("README.md"));
    beside.chain(examples).map(|file| Page::read(&file)).chain(pages()).collect()
}

/// The problem of a link, if it has one.
fn fault(page: &Page, link: &str) -> Option<String> {
    let (file, heading) = target(page, link);
    if !file.exists() {
        return Some(format!("{}: {link}: there is no {}", page.name(), file.display()));
    }
    // mdBook copies only files beside its pages.
    let book = repository().join("docs/src");
    if page.path.starts_with(&book) && !file.starts_with(&book) {
        return Some(format!("{}: {link} leads out of the book", page.name()));
    }
    let heading = heading?;
    let known = anchors(&Page::read(&file));
    (!known.contains(&heading)).then(|| format!("{}: {link}: no such heading among {known:?}", page.name()))
}

#[test]
fn every_link_leads_to_a_page_and_a_heading() {
    let faults: Vec<_> = written()
        .iter()
        .flat_map(|page| links(page).into_iter().filter_map(|link| fault(page, &link)).collect::<Vec<_>>())
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let contents = Page::read(&repository().join("docs/src/SUMMARY.md"));
    let listed: BTreeSet<PathBuf> = links(&contents).iter().map(|link| target(&contents, link).0).collect();
    let written: BTreeSet<PathBuf> =
        pages().into_iter().map(|page| page.path).filter(|path| path != &contents.path).collect();
    assert_eq!(listed, written);
}

#[test]
fn every_folder_in_the_tree_of_contributing_exists() {
    let page = Page::read(&repository().join("CONTRIBUTING.md"));
    let rows = page.text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let missing: Vec<_> = rows.clone().filter(|folder| !repository().join(folder).is_dir()).collect();
    assert!(rows.count() > 20 && missing.is_empty(), "no such folder: {missing:?}");
}

#[test]
fn a_broken_link_is_noticed() {
    let path = repository().join("docs/src/design.md");
    let astray = |text: &str| {
        let page = Page { path: path.clone(), text: text.to_owned() };
        links(&page).iter().any(|link| fault(&page, link).is_some())
    };
    assert!(
        astray("[a](nowhere.md)") && astray("[a](commands.md#no-such)") && astray("[a](../../README.md)")
    );
    assert!(!astray("[a](commands.md#assign-ip) [b](https://example.org/nowhere)"));
}
