//! The picture as SVG: rows of boxes from the outside down to the instances, lines between them.

use std::fmt::Write;

use super::topology::Topology;

/// Lengths are in pixels, unless the viewer scales the picture.
const MARGIN: usize = 24;
const GAP: usize = 20;
/// The height between rows, where the lines are.
const DROP: usize = 48;
const PADDING: usize = 12;
const LINE: usize = 18;
/// A generous width of a character of the font.
const CHARACTER: usize = 8;
const NARROWEST: usize = 150;

/// A box with its lines of text.
struct SvgBox<'a> {
    class: &'static str,
    lines: &'a [String],
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl<'a> SvgBox<'a> {
    fn new(class: &'static str, lines: &'a [String]) -> Self {
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
        let width = (longest * CHARACTER + 2 * PADDING).max(NARROWEST);
        Self { class, lines, x: 0, y: 0, width, height: lines.len() * LINE + 2 * PADDING }
    }

    fn top(&self) -> (usize, usize) {
        (self.x + self.width / 2, self.y)
    }

    fn bottom(&self) -> (usize, usize) {
        (self.x + self.width / 2, self.y + self.height)
    }

    fn draw(&self, text: &mut String) {
        let Self { class, x, y, width, height, .. } = self;
        let _ = writeln!(
            text,
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>"#
        );
        for (index, line) in self.lines.iter().enumerate() {
            let (x, y) = (x + width / 2, y + PADDING + LINE * index + LINE * 3 / 4);
            let weight = if index == 0 { r#" font-weight="bold""# } else { "" };
            let _ = writeln!(text, r#"<text x="{x}" y="{y}"{weight}>{}</text>"#, escaped(line));
        }
    }
}

pub(super) fn render(topology: &Topology) -> String {
    let mut upstream: Vec<_> = topology.upstream.iter().map(|lines| SvgBox::new("upstream", lines)).collect();
    let mut router = SvgBox::new("router", &topology.router);
    let mut tiers: Vec<_> = topology.tiers.iter().map(|tier| SvgBox::new("tier", &tier.label)).collect();
    let mut instances: Vec<Vec<_>> = topology
        .tiers
        .iter()
        .map(|tier| tier.instances.iter().map(|lines| SvgBox::new("instance", lines)).collect())
        .collect();

    // A tier and its instances, one below the other, are a column.
    let columns: Vec<_> = tiers
        .iter()
        .zip(&instances)
        .map(|(tier, below)| below.iter().map(|it| it.width).chain([tier.width]).max().unwrap_or_default())
        .collect();
    let row = |widths: &mut dyn Iterator<Item = usize>| {
        let (count, sum) = widths.fold((0, 0), |(count, sum), width| (count + 1, sum + width));
        sum + GAP * usize::saturating_sub(count, 1)
    };
    let (above, below) = (row(&mut upstream.iter().map(|it| it.width)), row(&mut columns.iter().copied()));
    let width = above.max(below).max(router.width) + 2 * MARGIN;

    let mut y = MARGIN;
    let mut x = (width - above) / 2;
    for block in &mut upstream {
        (block.x, block.y) = (x, y);
        x += block.width + GAP;
    }
    if let Some(tallest) = upstream.iter().map(|it| it.height).max() {
        y += tallest + DROP;
    }
    (router.x, router.y) = ((width - router.width) / 2, y);
    y += router.height + DROP;
    let tallest = tiers.iter().map(|it| it.height).max().unwrap_or_default();
    let mut x = (width - below) / 2;
    let mut bottom = router.y + router.height;
    for ((tier, below), column) in tiers.iter_mut().zip(&mut instances).zip(&columns) {
        (tier.x, tier.y) = (x + (column - tier.width) / 2, y);
        let mut y = y + tallest + DROP / 2;
        bottom = bottom.max(tier.y + tier.height);
        for instance in below {
            (instance.x, instance.y) = (x + (column - instance.width) / 2, y);
            bottom = bottom.max(y + instance.height);
            y += instance.height + GAP / 2;
        }
        x += column + GAP;
    }
    let height = bottom + MARGIN;

    let mut text = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">
<title>{}</title>
<style>
text {{ font-family: monospace; font-size: 13px; text-anchor: middle; fill: #1b1f24; }}
rect {{ stroke: #57606a; stroke-width: 1.5; }}
.upstream {{ fill: #ddf4ff; }} .router {{ fill: #fff1c2; }} .tier {{ fill: #dafbe1; }} .instance {{ fill: #ffffff; }}
path {{ stroke: #57606a; stroke-width: 1.5; fill: none; }}
</style>
<rect x="0" y="0" width="{width}" height="{height}" style="fill: #f6f8fa; stroke: none"/>
"#,
        escaped(&topology.router.join(", "))
    );
    for block in &upstream {
        wire(&mut text, block.bottom(), router.top());
    }
    for (tier, below) in tiers.iter().zip(&instances) {
        wire(&mut text, router.bottom(), tier.top());
        // One wire leads through all instances.
        let mut from = tier.bottom();
        for instance in below {
            wire(&mut text, from, instance.top());
            from = instance.bottom();
        }
    }
    let blocks = upstream.iter().chain([&router]).chain(&tiers).chain(instances.iter().flatten());
    blocks.for_each(|block| block.draw(&mut text));
    text + "</svg>\n"
}

/// A wire that leaves and arrives vertically.
fn wire(text: &mut String, from: (usize, usize), to: (usize, usize)) {
    let middle = usize::midpoint(from.1, to.1);
    let _ = writeln!(text, r#"<path d="M {} {} V {middle} H {} V {}"/>"#, from.0, from.1, to.0, to.1);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(escaped("</text><script>&\""), "&lt;/text&gt;&lt;script&gt;&amp;&quot;");
    }
}
