//! Holds the book to what the code does.
//!
//! Pages are checked as they are written, before mdBook makes HTML of them: Rust blocks are doc tests of
//! [`examples`], shell blocks run on a machine to throw away and print what the page says that they print, JSON
//! blocks are payloads that the protocol accepts, and links lead to pages and headings that exist.

pub mod block;
pub mod book;
pub mod link;
pub mod server;

/// The pages with Rust in them, as documentation: `cargo test --doc` compiles and runs their blocks.
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
