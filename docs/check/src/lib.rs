//! Checks the book against the code, and the layers of the code.
//!
//! It checks the Markdown pages, before mdBook makes HTML of them: Rust blocks are doc tests of [`examples`]; shell blocks
//! run on a throwaway machine and print the output on the page; JSON blocks are payloads that the protocol accepts; links
//! lead to existing pages and headings. And it reads the [`imports`] of every crate.

pub mod block;
pub mod book;
pub mod imports;
pub mod link;
pub mod server;

/// The pages with Rust blocks, as documentation: `cargo test --doc` compiles and runs them.
pub mod examples {
    macro_rules! pages {
        ($($page:ident: $file:literal,)*) => {
            $(#[doc = include_str!(concat!("../../src/", $file))]
            pub mod $page {})*

            /// The files of these pages.
            pub const PAGES: &[&str] = &[$($file,)*];
        };
    }

    pages! {
        vendor: "vendor.md",
    }
}
