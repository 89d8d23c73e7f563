//! The imports between the files of a crate, read from its paths (`crate::...`, `super::...`, names of modules).
//!
//! An import counts for the file that defines the name, not for a file that only passes it on with `pub use`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The path of a module, or of a name in it, from the root of the crate.
type ModulePath = Vec<String>;

/// The imports between the files of a crate: each file, and the files whose names it uses.
#[derive(Debug, Default)]
pub struct Imports(BTreeMap<String, BTreeSet<String>>);

/// The source code of a file, as far as imports need it.
#[derive(Debug, Default)]
struct SourceFile {
    path: String,
    module: ModulePath,
    /// The names that its `use` declarations and its child modules bring into scope.
    scope: BTreeMap<String, ModulePath>,
    /// The modules that it imports with `*`.
    globs: Vec<ModulePath>,
    /// The paths and names in its code. An absolute path starts with an empty name.
    used: BTreeSet<ModulePath>,
    /// The names that it defines.
    defined: BTreeSet<String>,
    /// The macros that it defines; with `#[macro_export]` they belong to the root of the crate.
    macros: BTreeSet<String>,
}

impl Imports {
    /// Reads the `.rs` files in the folder of a crate's root. A folder `bin`, and a `main.rs` beside a `lib.rs`, are
    /// other crates.
    ///
    /// # Panics
    /// If a file cannot be read, or is not Rust.
    pub fn read(folder: &Path) -> Self {
        let files: Vec<_> = source_files(folder)
            .into_iter()
            .filter(|path| *path != folder.join("main.rs") || !folder.join("lib.rs").exists())
            .map(|path| {
                let name = path.strip_prefix(folder).expect("a path below the folder").display().to_string();
                (name, fs::read_to_string(&path).expect("a source file"))
            })
            .collect();
        Self::of(files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    /// Reads files that are given as path and text.
    ///
    /// # Panics
    /// If a file is not Rust.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files: Vec<_> = files.into_iter().map(|(path, text)| SourceFile::read(path, text)).collect();
        let modules: BTreeMap<_, _> = files.iter().map(|file| (file.module.clone(), file)).collect();
        let imports = files.iter().map(|file| {
            let imported = file.imported().filter_map(|path| defining_file(&modules, &path, 8));
            let others = imported.filter(|imported| *imported != file.path).map(str::to_owned);
            (file.path.clone(), others.collect())
        });
        Self(imports.collect())
    }

    /// The imports, as `from -> to`, that do not lead down in a list of layers; and files that are on no layer.
    ///
    /// A layer is a list of modules. A file may import from its own module, and from the modules of lower layers.
    pub fn upward(&self, layers: &[&[&str]]) -> Vec<String> {
        let place = |file: &str| {
            let is_in = |module: &str| {
                file.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            layers.iter().enumerate().find_map(|(depth, modules)| {
                modules.iter().find(|module| is_in(module)).map(|module| (depth, *module))
            })
        };
        let mut upward = Vec::new();
        for (from, imported) in &self.0 {
            let Some((depth, own)) = place(from) else {
                upward.push(format!("{from} is on no layer"));
                continue;
            };
            let leads_down =
                |to: &&String| place(to).is_none_or(|(below, other)| below > depth || own == other);
            upward.extend(imported.iter().filter(|to| !leads_down(to)).map(|to| format!("{from} -> {to}")));
        }
        upward
    }

    /// Circles of imports, as `a -> b -> a`: the shortest of each group of files that import each other.
    ///
    /// A file may use names of the modules that contain it: such an import is part of no circle.
    pub fn circles(&self) -> Vec<String> {
        let mut circles: Vec<_> = self.0.keys().map(|file| self.shortest_circle(file)).collect();
        circles.retain(|circle| !circle.is_empty());
        circles.sort_by_key(Vec::len);
        let mut seen = BTreeSet::new();
        circles.retain(|circle| {
            let is_new = circle.iter().all(|file| !seen.contains(file));
            seen.extend(circle.iter().copied());
            is_new
        });
        circles.iter().map(|circle| circle.join(" -> ")).collect()
    }

    /// The shortest way from a file back to itself; empty if there is none.
    fn shortest_circle<'a>(&'a self, start: &'a str) -> Vec<&'a str> {
        let mut ways = vec![vec![start]];
        let mut reached = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in &ways {
                let file = way.last().expect("a way has a start");
                let imported = self.0.get(*file).into_iter().flatten().map(String::as_str);
                for next in imported.filter(|imported| !contains(imported, file)) {
                    let way = [way.as_slice(), &[next]].concat();
                    if next == start {
                        return way;
                    }
                    if reached.insert(next) {
                        longer.push(way);
                    }
                }
            }
            ways = longer;
        }
        Vec::new()
    }
}

/// The `.rs` files below a folder, without those in folders named `bin`.
///
/// # Panics
/// If a folder cannot be read.
pub fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !path.ends_with("bin") {
                files.extend(source_files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The module of a file.
fn module_of(file: &str) -> ModulePath {
    let path = file.trim_end_matches(".rs");
    let names: Vec<_> = path.split('/').map(str::to_owned).collect();
    match names.split_last() {
        Some((last, parents)) if ["lib", "main", "mod"].contains(&last.as_str()) => parents.to_vec(),
        _ => names,
    }
}

/// Whether the module of one file contains another file.
fn contains(outer: &str, file: &str) -> bool {
    let (outer, module) = (module_of(outer), module_of(file));
    module.len() > outer.len() && module.starts_with(&outer)
}

/// The file that defines the name of a path; none for a module itself.
fn defining_file<'a>(
    modules: &BTreeMap<ModulePath, &'a SourceFile>,
    path: &[String],
    steps_left: u8,
) -> Option<&'a str> {
    let known = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let (file, rest) = (modules[&path[..known]], &path[known..]);
    let name = rest.first()?;
    let follow = |module: &ModulePath, rest: &[String]| {
        let path = [module, rest].concat();
        if steps_left == 0 { None } else { defining_file(modules, &path, steps_left - 1) }
    };
    if file.defined.contains(name) {
        return Some(&file.path);
    }
    if let Some(target) = file.scope.get(name) {
        return follow(target, &rest[1..]);
    }
    let exporting = modules.values().find(|other| known == 0 && other.macros.contains(name));
    if let Some(exporting) = exporting {
        return Some(&exporting.path);
    }
    let globs = file.globs.iter().filter_map(|module| modules.get(module));
    let from_glob = globs.filter(|it| it.defined.contains(name) || it.scope.contains_key(name));
    from_glob.map(|it| follow(&it.module, rest)).next().unwrap_or(Some(&file.path))
}

impl SourceFile {
    fn read(path: &str, text: &str) -> Self {
        let tokens = TokenStream::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let module = module_of(path);
        let mut file = Self { path: path.to_owned(), module: module.clone(), ..Self::default() };
        file.scan(&tokens.into_iter().collect::<Vec<_>>(), &module);
        file
    }

    /// The paths that it uses, from the root of the crate.
    fn imported(&self) -> impl Iterator<Item = ModulePath> + '_ {
        self.used.iter().filter_map(|path| match path.split_first()? {
            (first, rest) if first.is_empty() => Some(rest.to_vec()),
            (first, rest) => self.scope.get(first).map(|module| [module, rest].concat()),
        })
    }

    fn scan(&mut self, tokens: &[TokenTree], module: &ModulePath) {
        let mut rest = tokens;
        while let Some((token, behind)) = rest.split_first() {
            rest = behind;
            match token {
                TokenTree::Group(group) => {
                    self.scan(&group.stream().into_iter().collect::<Vec<_>>(), module);
                }
                TokenTree::Ident(word) => rest = self.scan_word(&word.to_string(), behind, module),
                _ => {}
            }
        }
    }

    /// Reads a word of the code and the tokens that belong to it; returns the tokens behind them.
    fn scan_word<'a>(&mut self, word: &str, behind: &'a [TokenTree], module: &ModulePath) -> &'a [TokenTree] {
        match (word, behind) {
            // Tests may import from anywhere.
            ("mod", [TokenTree::Ident(name), TokenTree::Group(_), behind @ ..]) if name == "tests" => behind,
            ("mod", [TokenTree::Ident(name), TokenTree::Group(body), behind @ ..]) => {
                let inner = [module.as_slice(), &[name.to_string()]].concat();
                self.scan(&body.stream().into_iter().collect::<Vec<_>>(), &inner);
                behind
            }
            ("mod", [TokenTree::Ident(name), behind @ ..]) => {
                let name = name.to_string();
                self.scope.insert(name.clone(), [module.as_slice(), &[name]].concat());
                behind
            }
            (
                "pub",
                [TokenTree::Group(_), TokenTree::Ident(word), behind @ ..]
                | [TokenTree::Ident(word), behind @ ..],
            ) if word == "use" => self.read_use(behind, true, module),
            ("use", _) => self.read_use(behind, false, module),
            (
                "struct" | "enum" | "union" | "trait" | "type" | "fn" | "const" | "static",
                [TokenTree::Ident(name), ..],
            ) => {
                self.defined.insert(name.to_string());
                behind
            }
            ("macro_rules", [_, TokenTree::Ident(name), ..]) => {
                self.defined.insert(name.to_string());
                self.macros.insert(name.to_string());
                behind
            }
            _ => self.read_path(word, behind, module),
        }
    }

    /// Reads a path in the code; returns the tokens behind it.
    fn read_path<'a>(
        &mut self,
        first: &str,
        behind: &'a [TokenTree],
        module: &ModulePath,
    ) -> &'a [TokenTree] {
        let (mut path, mut rest) = (vec![first.to_owned()], behind);
        while let [colon, other, TokenTree::Ident(name), behind @ ..] = rest {
            if !is(colon, ':') || !is(other, ':') {
                break;
            }
            path.push(name.to_string());
            rest = behind;
        }
        let from_root = absolute(&path, module).map(|path| [&[String::new()], path.as_slice()].concat());
        self.used.insert(from_root.unwrap_or(path));
        rest
    }

    /// Reads the tokens behind `use`; returns those behind its end.
    fn read_use<'a>(
        &mut self,
        tokens: &'a [TokenTree],
        is_public: bool,
        module: &ModulePath,
    ) -> &'a [TokenTree] {
        let end = tokens.iter().position(|token| is(token, ';')).unwrap_or(tokens.len());
        self.read_use_tree(&tokens[..end], &[], is_public, module);
        &tokens[end..]
    }

    fn read_use_tree(
        &mut self,
        tokens: &[TokenTree],
        parents: &[String],
        is_public: bool,
        module: &ModulePath,
    ) {
        let (mut path, mut name) = (parents.to_vec(), None);
        for (number, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    name = tokens.get(number + 1).map(ToString::to_string);
                }
                TokenTree::Ident(word) if name.is_none() => path.push(word.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let tokens: Vec<_> = group.stream().into_iter().collect();
                    let parts = tokens.split(|token| is(token, ','));
                    parts.for_each(|part| self.read_use_tree(part, &path, is_public, module));
                    return;
                }
                token if is(token, '*') => path.push("*".to_owned()),
                _ => {}
            }
        }
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        // A path without `crate` starts with a child module, or with another crate.
        let target =
            |path: &[String]| absolute(path, module).unwrap_or_else(|| [module.as_slice(), path].concat());
        let Some((last, parents)) = path.split_last() else { return };
        if last == "*" {
            self.globs.push(target(parents));
        }
        let name = name.unwrap_or_else(|| last.clone());
        self.scope.insert(name.clone(), target(&path));
        if !is_public {
            // The code need not name an imported trait. A `pub use` alone is no import.
            self.used.insert(vec![name]);
        }
    }
}

/// A path from the root of the crate, if it starts with `crate`, `self` or `super`.
fn absolute(path: &[String], module: &ModulePath) -> Option<ModulePath> {
    let levels = path.iter().take_while(|name| *name == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" if path.len() > 1 => Some([module.as_slice(), &path[1..]].concat()),
        "super" => Some([&module[..module.len().saturating_sub(levels)], &path[levels..]].concat()),
        _ => None,
    }
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}
