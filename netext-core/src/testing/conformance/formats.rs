//! A conformance report for machines: as JSON, in the Test Anything Protocol, and as `JUnit` XML.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::suite::{CheckStatus, ConformanceReport};

impl ConformanceReport {
    /// The report as JSON: `conforms`, and an object for each of the `checks`. `result` is `passed`, `failed` or
    /// `skipped`, and `told` explains it.
    pub fn to_json(&self) -> Value {
        let checks = self.results.iter().map(|result| {
            json!({
                "id": result.check.id,
                "sentence": result.check.requirement,
                "reason": result.check.reason,
                "remedy": result.check.remedy,
                "result": match result.status() {
                    CheckStatus::Passed | CheckStatus::UnexpectedPass => "passed",
                    CheckStatus::ExpectedFailure | CheckStatus::UnexpectedFailure => "failed",
                    CheckStatus::Skipped => "skipped",
                },
                "expected_to_fail": result.expected_to_fail,
                "told": result.explanation(),
                "milliseconds": result.took.as_secs_f64() * 1000.0,
            })
        });
        json!({"conforms": self.conforms(), "checks": checks.collect::<Vec<_>>()})
    }

    /// The report in the Test Anything Protocol, version 14.
    pub fn to_tap(&self) -> String {
        let mut tap = format!("TAP version 14\n1..{}\n", self.results.len());
        for (result, number) in self.results.iter().zip(1..) {
            let status = result.status();
            let explanation = result.explanation().map(one_line);
            let (ok, directive) = match status {
                CheckStatus::Passed => ("ok", String::new()),
                CheckStatus::Skipped => {
                    ("ok", format!(" # SKIP {}", explanation.as_deref().unwrap_or_default()))
                }
                CheckStatus::ExpectedFailure => ("not ok", " # TODO expected to fail".to_owned()),
                CheckStatus::UnexpectedFailure | CheckStatus::UnexpectedPass => ("not ok", String::new()),
            };
            let check = result.check;
            let description = format!("{}: {}", check.id, check.requirement).replace('#', "\\#");
            // Writing to a string cannot fail.
            let _ = writeln!(tap, "{ok} {number} - {description}{directive}");
            if let (Some(explanation), true) = (explanation, status != CheckStatus::Skipped) {
                let (message, reason, remedy) =
                    (json!(explanation), json!(check.reason), json!(check.remedy));
                let _ = writeln!(
                    tap,
                    "  ---\n  message: {message}\n  reason: {reason}\n  remedy: {remedy}\n  ..."
                );
            }
        }
        tap
    }

    /// The report as XML, in the format of `JUnit`.
    pub fn to_junit(&self) -> String {
        let count = |wanted: fn(CheckStatus) -> bool| {
            self.results.iter().filter(|result| wanted(result.status())).count()
        };
        let seconds: f64 = self.results.iter().map(|result| result.took.as_secs_f64()).sum();
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"netext conformance\" tests=\"{}\" \
             failures=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\">\n",
            self.results.len(),
            count(CheckStatus::is_bad),
            count(|it| matches!(it, CheckStatus::Skipped | CheckStatus::ExpectedFailure)),
        );
        for result in &self.results {
            let (id, seconds) = (result.check.id, result.took.as_secs_f64());
            let _ = write!(xml, "  <testcase classname=\"netext\" name=\"{id}\" time=\"{seconds:.3}\"");
            let explanation = escaped(result.explanation().unwrap_or_default());
            let _ = match result.status() {
                CheckStatus::Passed => writeln!(xml, "/>"),
                CheckStatus::Skipped | CheckStatus::ExpectedFailure => {
                    writeln!(xml, "><skipped message=\"{explanation}\"/></testcase>")
                }
                CheckStatus::UnexpectedFailure | CheckStatus::UnexpectedPass => {
                    let text = escaped(&result.to_string());
                    writeln!(xml, "><failure message=\"{explanation}\">{text}</failure></testcase>")
                }
            };
        }
        xml.push_str("</testsuite>\n");
        xml
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Escapes text for XML, and drops the characters that XML does not allow.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}
