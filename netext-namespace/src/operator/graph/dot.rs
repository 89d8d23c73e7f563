//! The picture in Graphviz's language.

use std::fmt::Write;

use super::topology::Topology;

pub(super) fn render(topology: &Topology) -> String {
    let mut text = String::from("graph router {\n    rankdir=TB;\n    node [fontname=\"sans-serif\"];\n");
    let mut node = |id: &str, shape: &str, lines: &[String]| {
        let label: Vec<_> = lines.iter().map(|line| escaped(line)).collect();
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

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_ends_a_label() {
        assert_eq!(escaped(r#"a"]; \n"#), r#"a\"]; \\n"#);
    }
}
