//! Dependencies point downwards only: between the modules of a crate, and between its files. And files stay short.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use netext_book::book::repository;
use netext_book::imports::{Imports, source_files};

/// The longest file in lines.
const LONGEST: usize = 400;

/// The layers of each crate, from the top to the bottom. A module imports only from layers below its own.
const LAYERS: &[(&str, &[&[&str]])] = &[
    (
        "netext-protocol/src",
        &[
            &["lib"],
            &["sample", "schema"],
            &["envelope"],
            &["command"],
            &["message"],
            &["group"],
            &["value"],
            &["service"],
            &["wire"],
        ],
    ),
    (
        "netext-core/src",
        &[
            &["lib"],
            &["process", "testing"],
            &["runner"],
            &["dispatch"],
            &["device"],
            &["handler"],
            &["deadline", "describe", "reply"],
            &["error"],
        ],
    ),
    (
        "netext-core/tool/src",
        &[
            &["main"],
            &[
                "conformance",
                "help",
                "new",
                "normalize",
                "recording",
                "sample",
                "schema",
                "shell",
                "simulate",
            ],
            &["reference", "validate"],
            &["payload_file"],
            &["arguments", "front", "printer"],
        ],
    ),
    (
        "netext-namespace/src",
        &[
            &["lib"],
            &["fuzzing", "operator"],
            &["proxy"],
            &["relay"],
            &["failover"],
            &["host"],
            &["daemons"],
            &["kernel"],
            &["compile", "store"],
            &["metadata", "plan"],
            &["model"],
            &["drift", "files", "places", "programs"],
            &["wait"],
        ],
    ),
    (
        "netext-namespace/lab/src",
        &[
            &["lib"],
            &["model", "trial"],
            &["commands", "vpc"],
            &["network"],
            &["lab"],
            &["faults", "fleet", "hypervisor", "instance"],
            &["extension", "guest_services", "machine", "outcome", "payload", "router"],
            &["testbed"],
            &["node"],
            &["conversation", "listener", "processes"],
            &["balancer", "probe"],
            &["console", "firewall", "forward", "requirements", "sandbox"],
        ],
    ),
    ("docs/check/src", &[&["lib"], &["block", "imports", "link", "server"], &["book"]]),
];

/// The source files of the repository, without what cargo builds.
fn sources() -> Vec<PathBuf> {
    let folders = ["docs/check", "examples", "netext-core", "netext-namespace", "netext-protocol"];
    folders.iter().flat_map(|folder| source_files(&repository().join(folder))).collect()
}

/// The folders of all crates: libraries, programs and tests.
fn crates() -> Vec<PathBuf> {
    let is_root = |path: &&PathBuf| path.ends_with("lib.rs") || path.ends_with("main.rs");
    let mut folders: Vec<_> =
        sources().iter().filter(is_root).map(|path| path.parent().unwrap().to_owned()).collect();
    folders.dedup();
    folders
}

fn name(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap().display().to_string()
}

#[test]
fn imports_lead_down_the_layers_of_their_crate() {
    let upward = LAYERS.iter().flat_map(|(folder, layers)| {
        let upward = Imports::read(&repository().join(folder)).upward(layers);
        upward.into_iter().map(move |import| format!("{folder}: {import}"))
    });
    let upward: Vec<_> = upward.collect();
    assert!(upward.is_empty(), "imports that do not lead down:\n{}", upward.join("\n"));
}

#[test]
fn every_module_in_the_layers_exists() {
    for (folder, layers) in LAYERS {
        for module in layers.iter().flat_map(|modules| modules.iter()) {
            let path = repository().join(folder).join(module);
            assert!(path.is_dir() || path.with_extension("rs").is_file(), "{folder} has no module {module}");
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = crates().into_iter().flat_map(|folder| {
        let circles = Imports::read(&folder).circles();
        circles.into_iter().map(move |circle| format!("{}: {circle}", name(&folder)))
    });
    let circles: Vec<_> = circles.collect();
    assert!(circles.is_empty(), "circles of imports:\n{}", circles.join("\n"));
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let length = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    let long: Vec<_> =
        sources().iter().filter(|path| length(path) > LONGEST).map(|path| name(path)).collect();
    assert!(long.is_empty(), "more than {LONGEST} lines: {long:?}");
}

/// A tiny crate: `top` imports from `bottom`, and `bottom/shelf.rs` from the `mod.rs` above it.
const TREE: &[(&str, &str)] = &[
    ("lib.rs", "mod bottom; mod top; pub use bottom::Shelf;"),
    ("top.rs", "use crate::bottom::{self, Shelf}; fn stack() -> Shelf { bottom::board() }"),
    ("bottom/mod.rs", "mod shelf; pub use shelf::Shelf; pub fn board() -> Shelf { Shelf }"),
    ("bottom/shelf.rs", "use super::board; pub struct Shelf;"),
];
const TREE_LAYERS: &[&[&str]] = &[&["lib"], &["top"], &["bottom"]];

fn tree_with<'a>(more: &[(&'a str, &'a str)]) -> Imports {
    let replaced = |path: &str| more.iter().any(|(other, _)| *other == path);
    let kept = TREE.iter().copied().filter(|(path, _)| !replaced(path));
    Imports::of(kept.chain(more.iter().copied()))
}

#[test]
fn a_tree_whose_imports_lead_down_has_no_faults() {
    let tree = tree_with(&[]);
    assert_eq!(tree.upward(TREE_LAYERS), [""; 0]);
    assert_eq!(tree.circles(), [""; 0]);
}

#[test]
fn an_upward_import_is_noticed() {
    for import in [
        "use crate::top::stack; pub struct Shelf;",
        "use super::super::top; pub struct Shelf; fn up() { top::stack() }",
        "pub struct Shelf; fn up() { crate::top::stack() }",
        "use crate::{bottom::board, top::{stack as pile}}; pub struct Shelf;",
        "macro_rules! up { () => { $crate::top::stack() } } pub struct Shelf;",
    ] {
        let tree = tree_with(&[("bottom/shelf.rs", import)]);
        assert_eq!(tree.upward(TREE_LAYERS), ["bottom/shelf.rs -> top.rs"], "{import}");
    }
    // The name is found where it is defined, not where it is passed on.
    let passed_on = [
        ("lib.rs", "mod bottom; mod top; pub use top::stack;"),
        ("bottom/shelf.rs", "use crate::stack; pub struct Shelf;"),
    ];
    assert_eq!(tree_with(&passed_on).upward(TREE_LAYERS), ["bottom/shelf.rs -> top.rs"]);
}

#[test]
fn an_import_between_modules_of_one_layer_is_noticed() {
    let layers: &[&[&str]] = &[&["lib"], &["bottom", "top"]];
    assert_eq!(tree_with(&[]).upward(layers), ["top.rs -> bottom/mod.rs", "top.rs -> bottom/shelf.rs"]);
}

#[test]
fn a_file_without_a_layer_is_noticed() {
    let tree = tree_with(&[("attic.rs", "")]);
    assert_eq!(tree.upward(TREE_LAYERS), ["attic.rs is on no layer"]);
}

#[test]
fn tests_may_import_from_anywhere() {
    let test = "pub struct Shelf; #[cfg(test)] mod tests { use crate::top::stack; }";
    assert_eq!(tree_with(&[("bottom/shelf.rs", test)]).upward(TREE_LAYERS), [""; 0]);
}

#[test]
fn a_circle_is_noticed() {
    let tree = tree_with(&[("bottom/shelf.rs", "use crate::top::stack; pub struct Shelf;")]);
    assert_eq!(tree.circles(), ["bottom/shelf.rs -> top.rs -> bottom/shelf.rs"]);
    let siblings = [
        ("bottom/mod.rs", "mod nail; mod shelf; pub use shelf::Shelf; pub fn board() -> Shelf { Shelf }"),
        ("bottom/nail.rs", "use super::Shelf; pub struct Nail;"),
        ("bottom/shelf.rs", "use super::nail::Nail; pub struct Shelf;"),
    ];
    assert_eq!(tree_with(&siblings).circles(), ["bottom/nail.rs -> bottom/shelf.rs -> bottom/nail.rs"]);
}
