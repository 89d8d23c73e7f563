//! Packet rules as nft lists them, in an order that does not depend on how they came to be.

/// Sorts the objects of each table, such as chains and sets, by name. The rules in a chain keep their order.
pub(super) fn in_order(listing: &str) -> String {
    let mut tables = blocks(listing, "");
    for table in &mut tables {
        let inside: String = table.inside.join("\n");
        let mut objects = blocks(&inside, "\t");
        objects.sort();
        table.inside = objects.iter().map(Block::text).collect();
    }
    tables.sort();
    tables.iter().map(Block::text).collect::<Vec<_>>().join("\n")
}

/// Lines from one that ends with `{` to the next `}` with the same indentation.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    head: String,
    inside: Vec<String>,
}

impl Block {
    fn text(&self) -> String {
        format!("{}\n{}\n}}", self.head, self.inside.join("\n"))
    }
}

fn blocks(text: &str, indentation: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let is_inner = |line: &str| line.strip_prefix(indentation).is_some_and(|rest| rest.starts_with('\t'));
    for line in text.lines().filter(|line| !line.trim().is_empty() && line.trim() != "}" || is_inner(line)) {
        match blocks.last_mut() {
            Some(block) if is_inner(line) => block.inside.push(line.to_owned()),
            _ => blocks.push(Block { head: line.to_owned(), inside: Vec::new() }),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_an_order_and_rules_keep_theirs() {
        let one =
            "table ip a {\n\tchain x {\n\t\tdrop\n\t\taccept\n\t}\n\n\tset s {\n\t\ttype mark\n\t}\n}\n";
        let other =
            "table ip a {\n\tset s {\n\t\ttype mark\n\t}\n\n\tchain x {\n\t\tdrop\n\t\taccept\n\t}\n}\n";
        let turned =
            "table ip a {\n\tset s {\n\t\ttype mark\n\t}\n\n\tchain x {\n\t\taccept\n\t\tdrop\n\t}\n}\n";
        assert_eq!(in_order(one), in_order(other));
        assert_ne!(in_order(one), in_order(turned));
    }
}
