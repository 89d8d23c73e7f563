//! The picture in the languages of Graphviz and Mermaid.

use std::fmt::Write;

use super::topology::Topology;

/// The picture in Graphviz's language.
pub(super) fn dot(topology: &Topology) -> String {
    let mut text = String::from("graph router {\n    rankdir=TB;\n    node [fontname=\"sans-serif\"];\n");
    let mut node = |id: &str, shape: &str, lines: &[String]| {
        let label: Vec<_> = lines.iter().map(|line| dot_text(line)).collect();
        let _ = writeln!(text, "    {id} [shape={shape}, label=\"{}\"];", label.join("\\n"));
    };
    node("router", "box3d", &topology.router);
    let mut edges = String::new();
    for (number, lines) in topology.upstream.iter().enumerate() {
        node(&format!("upstream{number}"), "ellipse", lines);
        let _ = writeln!(edges, "    upstream{number} -- router;");
    }
    for (number, tier) in topology.tiers.iter().enumerate() {
        node(&format!("tier{number}"), "box", &tier.label);
        let _ = writeln!(edges, "    router -- tier{number};");
        for (index, lines) in tier.instances.iter().enumerate() {
            node(&format!("tier{number}instance{index}"), "component", lines);
            let _ = writeln!(edges, "    tier{number} -- tier{number}instance{index};");
        }
    }
    text + &edges + "}\n"
}

fn dot_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The picture as a Mermaid flowchart.
pub(super) fn mermaid(topology: &Topology) -> String {
    let mut text = String::from("flowchart TD\n");
    let mut node = |id: &str, shape: (&str, &str), lines: &[String]| {
        let label: Vec<_> = lines.iter().map(|line| mermaid_text(line)).collect();
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

/// A text with all but plain characters as numbers, so that neither Mermaid nor the browser finds markup in it.
fn mermaid_text(text: &str) -> String {
    let is_plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | ',' | ':' | '/' | '-' | '_' | '(' | ')')
    };
    text.chars().map(|c| if is_plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
}

#[cfg(test)]
mod tests {
    use super::{dot_text, mermaid_text};

    #[test]
    fn no_text_ends_a_label_or_begins_markup() {
        assert_eq!(dot_text(r#"a"]; \n"#), r#"a\"]; \\n"#);
        assert_eq!(mermaid_text("a\"]; <b>#x"), "a#34;#93;#59; #60;b#62;#35;x");
        assert_eq!(mermaid_text("10.1.1.0/24 (breth1-100)"), "10.1.1.0/24 (breth1-100)");
    }
}
