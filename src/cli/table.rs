//! Tables as text: a title, a head, rows, and no borders.

use std::fmt::Write;

use anstyle::Style;
use tabled::builder::Builder;
use tabled::settings::object::Rows;
use tabled::settings::{Modify, Padding, Style as Borders};

/// Rows of cells, the head first.
pub type Table = Vec<Vec<String>>;

/// Adds a table under its title, without borders.
pub fn section(text: &mut String, title: &str, rows: &Table) {
    let bold = Style::new().bold();
    let mut table = Builder::from(rows.clone()).build();
    table
        .with(Borders::empty())
        .with(Padding::new(0, 2, 0, 0))
        .with(Modify::new(Rows::first()).with(Padding::new(0, 2, 0, 0)));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{bold}{title}{bold:#}");
    for line in table.to_string().lines() {
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    text.push('\n');
}

/// A row, or the head.
pub fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
