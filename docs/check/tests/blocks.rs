//! Blocks of code match the text of their page.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "blocks/machine.rs"]
mod machine;

use netext_book::block::{CodeBlock, blocks, shows};
use netext_book::book::{Page, pages};
use netext_book::examples;
use netext_core::protocol::Envelope;
use serde_json::Value;

use machine::Machine;

/// The languages that a test in this file checks.
const CHECKED: &[&str] = &["rust", "sh", "text", "json"];

fn all() -> Vec<(Page, Vec<CodeBlock>)> {
    pages().into_iter().map(|page| (page.clone(), blocks(&page))).collect()
}

#[test]
fn every_block_is_in_a_language_that_is_checked() {
    // Indented blocks are pictures and patterns, which cannot run.
    let unchecked = |block: &&CodeBlock| !block.words.is_empty() && !CHECKED.contains(&block.language());
    for (page, blocks) in all() {
        let unchecked: Vec<_> = blocks.iter().filter(unchecked).collect();
        assert!(unchecked.is_empty(), "{}: {unchecked:#?}", page.name());
    }
}

#[test]
fn every_page_with_rust_in_it_is_among_the_doc_tests() {
    let with_rust = |(_, blocks): &(Page, Vec<CodeBlock>)| blocks.iter().any(|it| it.language() == "rust");
    let names: Vec<_> = all().into_iter().filter(with_rust).map(|(page, _)| page.name()).collect();
    let listed: Vec<_> = examples::PAGES.iter().map(|file| format!("docs/src/{file}")).collect();
    assert_eq!(names, listed);
}

#[test]
fn json_blocks_are_valid_payloads() {
    for (page, blocks) in all() {
        for block in blocks.iter().filter(|it| it.language() == "json") {
            let value: Value = serde_json::from_str(&block.code)
                .unwrap_or_else(|error| panic!("{}: {error} in\n{}", page.name(), block.code));
            // The second word names the command of the payload.
            if let Some(command) = block.words.get(1) {
                let command = command.parse().unwrap();
                let read = Envelope::parse(command, value.to_string().as_bytes());
                read.unwrap_or_else(|error| panic!("{}: {error} in\n{}", page.name(), block.code));
            }
        }
    }
}

macro_rules! pages_with_commands {
    ($($page:ident)*) => {
        mod commands_run_and_print_what_is_shown {
            $(#[test]
            fn $page() {
                super::run_commands(concat!("docs/src/", stringify!($page), ".md"));
            })*
        }

        #[test]
        fn every_page_with_commands_is_run() {
            let with_commands = |(_, blocks): &(Page, Vec<CodeBlock>)| blocks.iter().any(|it| it.language() == "sh");
            let names: Vec<_> = all().into_iter().filter(with_commands).map(|(page, _)| page.name()).collect();
            assert_eq!(names, [$(concat!("docs/src/", stringify!($page), ".md")),*]);
        }
    };
}

pages_with_commands!(contract operator setup vendor versioning);

fn run_commands(name: &str) {
    let (page, blocks) = all().into_iter().find(|(page, _)| page.name() == name).unwrap();
    let commands: Vec<_> = blocks.iter().filter(|it| it.language() == "sh").collect();
    let code: Vec<_> = commands.iter().map(|block| block.code.as_str()).collect();
    let outputs = Machine::build().run(&page.name(), &code);
    let mut outputs = outputs.iter();
    let mut last = None;
    for block in &blocks {
        match block.language() {
            "sh" => last = outputs.next(),
            "text" if block.follows => {
                let output = last.expect("a text block after commands is their output");
                assert!(
                    shows(&block.code, output),
                    "{name} shows\n{}\nbut this was printed:\n{output}",
                    block.code
                );
            }
            _ => {}
        }
    }
}
