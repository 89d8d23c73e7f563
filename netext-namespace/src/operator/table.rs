//! Tables: columns of text, aligned, without lines, so that other programs can cut them as well.

use std::fmt;

use anstyle::Style;

use super::screen::{STRONG, styled};

/// A table with a head.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// What stands in a row and a column.
#[derive(Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(super) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::new())
    }
}

impl Table {
    pub(super) fn new(head: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let head = head.into_iter().map(|name| Cell::styled(name.as_ref().to_uppercase(), STRONG));
        Self { rows: vec![head.collect()] }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column| self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max();
        let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                formatter.write_str(&styled(&cell.text, cell.style))?;
                if column + 1 < row.len() {
                    write!(formatter, "{:1$}", "", widths[column] - cell.width() + 2)?;
                }
            }
            formatter.write_str("\n")?;
        }
        Ok(())
    }
}
