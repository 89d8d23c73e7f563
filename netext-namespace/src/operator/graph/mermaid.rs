//! The picture as a Mermaid flowchart.

use std::fmt::Write;

use super::topology::Topology;

pub(super) fn render(topology: &Topology) -> String {
    let mut text = String::from("flowchart TD\n");
    let mut node = |id: &str, shape: (&str, &str), lines: &[String]| {
        let label: Vec<_> = lines.iter().map(|line| escaped(line)).collect();
        let _ = writeln!(text, "    {id}{}\"{}\"{}", shape.0, label.join("<br/>"), shape.1);
    };
    node("router", ("[[", "]]"), &topology.router);
    let mut edges = String::new();
    for (number, lines) in topology.upstream.iter().enumerate() {
        node(&format!("upstream{number}"), ("([", "])"), lines);
        let _ = writeln!(edges, "    upstream{number} --- router");
    }
    for (number, tier) in topology.tiers.iter().enumerate() {
        node(&format!("tier{number}"), ("(", ")"), &tier.label);
        let _ = writeln!(edges, "    router --- tier{number}");
        for (index, lines) in tier.instances.iter().enumerate() {
            node(&format!("tier{number}instance{index}"), ("[", "]"), lines);
            let _ = writeln!(edges, "    tier{number} --- tier{number}instance{index}");
        }
    }
    text + &edges
}

/// Everything but plain characters by its number: neither Mermaid nor the browser sees anything in it but text.
fn escaped(text: &str) -> String {
    let is_plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | ',' | ':' | '/' | '-' | '_' | '(' | ')')
    };
    text.chars().map(|c| if is_plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_ends_a_label_or_begins_markup() {
        assert_eq!(escaped("a\"]; <b>#x"), "a#34;#93;#59; #60;b#62;#35;x");
        assert_eq!(escaped("10.1.1.0/24 (breth1-100)"), "10.1.1.0/24 (breth1-100)");
    }
}
