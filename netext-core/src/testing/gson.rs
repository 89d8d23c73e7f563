//! JSON as the server's library writes it.

use std::fmt::Write as _;

use serde_json::Value;

/// The document as Gson writes it into payload files: one line, with what HTML might trip over escaped.
///
/// ```
/// use netext_core::testing::as_gson_writes;
/// use serde_json::json;
///
/// assert_eq!(as_gson_writes(&json!({"password": "a=b&c<d>'"})), r#"{"password":"a\u003db\u0026c\u003cd\u003e\u0027"}"#);
/// ```
pub fn as_gson_writes(document: &Value) -> String {
    let mut written = String::new();
    // These five stand in strings only, so that escaping the text escapes the values.
    for character in document.to_string().chars() {
        match character {
            '<' | '>' | '&' | '=' | '\'' => {
                // Writing to a string cannot fail.
                let _ = write!(written, "\\u{:04x}", u32::from(character));
            }
            // Gson escapes the two line separators of JavaScript as well.
            '\u{2028}' => written.push_str("\\u2028"),
            '\u{2029}' => written.push_str("\\u2029"),
            character => written.push(character),
        }
    }
    written
}
