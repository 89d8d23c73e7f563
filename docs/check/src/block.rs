//! Blocks of code in Markdown.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::book::Page;

/// The start of a shell block that needs more than this machine.
pub const NOT_RUN: &str = "# Not run in CI: ";

/// A block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeBlock {
    /// The words after the opening fence: the language, and more about the block.
    pub words: Vec<String>,
    /// The code.
    pub code: String,
    /// Whether only white space separates it from the previous block.
    pub follows: bool,
}

impl CodeBlock {
    /// The language; empty if there is none.
    pub fn language(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

/// The blocks of a page, in order.
pub fn blocks(page: &Page) -> Vec<CodeBlock> {
    let mut blocks: Vec<CodeBlock> = Vec::new();
    let mut end_of_last = None;
    let mut is_inside = false;
    for (event, range) in Parser::new(&page.text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let words = match kind {
                    CodeBlockKind::Fenced(words) => words.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                let between = end_of_last.map(|end| &page.text[end..range.start]);
                blocks.push(CodeBlock {
                    words: words
                        .split([',', ' '])
                        .filter(|word| !word.is_empty())
                        .map(str::to_owned)
                        .collect(),
                    code: String::new(),
                    follows: between.is_some_and(|text| text.trim().is_empty()),
                });
                is_inside = true;
            }
            Event::End(TagEnd::CodeBlock) => {
                is_inside = false;
                end_of_last = Some(range.end);
            }
            Event::Text(text) if is_inside => {
                blocks.last_mut().expect("a block has begun").code.push_str(&text);
            }
            _ => {}
        }
    }
    blocks
}

/// Whether an output matches the text on a page, where a line `...` matches any lines, and `…` any part of a line.
///
/// ```
/// use netext_book::block::shows;
///
/// assert!(shows("a\n...\nrouter … is well\n", "a\nb\nc\nrouter 7 is well\n"));
/// assert!(!shows("a\n", "a\nb\n"));
/// ```
pub fn shows(shown: &str, output: &str) -> bool {
    let shown: Vec<_> = shown.lines().map(str::trim_end).collect();
    let output: Vec<_> = output.lines().map(str::trim_end).collect();
    lines_match(&shown, &output)
}

fn lines_match(shown: &[&str], output: &[&str]) -> bool {
    match shown.split_first() {
        None => output.is_empty(),
        Some((&"...", rest)) => (0..=output.len()).any(|skipped| lines_match(rest, &output[skipped..])),
        Some((line, rest)) => output
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && lines_match(rest, others)),
    }
}

fn line_matches(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    true
}
