//! A timeline as text, for a terminal of 80 columns: with box-drawing characters or in ASCII,
//! and with colour, which whoever prints it may strip.

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use super::drawing::{Drawing, Row, Span, Tone};

/// How wide a text is at most, in columns.
pub const WIDTH: usize = 80;

/// Which characters a drawing is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Printable ASCII only.
    Ascii,
    /// Box-drawing characters of Unicode.
    Unicode,
}

/// What is drawn where something begins, lasts and ends; then the same where it is parked; then
/// a gap, what stands for what was cut off, and the first letter of a microsecond.
struct Set {
    span: [&'static str; 3],
    parked: [&'static str; 3],
    gap: &'static str,
    cut: &'static str,
    micro: &'static str,
}

impl Glyphs {
    fn set(self) -> Set {
        match self {
            Glyphs::Ascii => {
                Set { span: [".", "|", "'"], parked: ["#"; 3], gap: ":", cut: "~", micro: "u" }
            }
            Glyphs::Unicode => {
                let (span, parked) = (["┌", "│", "└"], ["┏", "┃", "┗"]);
                Set { span, parked, gap: "⋮", cut: "…", micro: "µ" }
            }
        }
    }
}

/// How wide the number and the time of a step are.
const NUMBER: usize = 2;
const TIME: usize = 8;

/// How wide labels are in the lanes of a single loop, and in those of a herd, where the loops
/// have what is left.
const OF_ONE: [usize; 4] = [15, 18, 16, 9];
const OF_A_HERD: [usize; 2] = [15, 13];

/// How wide the number of queued connections is, with the space behind it.
const QUEUED: usize = 3;

/// Draws lanes and steps, a line a step and one for each gap, between a head and a foot that
/// says what the axis is.
pub fn draw(drawing: &Drawing, glyphs: Glyphs) -> String {
    let pen =
        Pen { drawing, set: glyphs.set(), widths: widths(drawing), decimals: decimals(drawing) };
    let mut lines = vec![pen.head()];
    for (at, row) in drawing.rows.iter().enumerate() {
        lines.extend(row.gap_ns.map(|ns| pen.gap(at, ns)));
        lines.push(pen.row(at, row));
    }
    lines.push(String::new());
    let Set { gap, micro, .. } = pen.set;
    let parked = pen.set.parked[1];
    lines.push(format!(
        "{DIM}Times are measured, in {micro}s since step 1. Rows are steps, not a scale of time:{DIM:#}"
    ));
    lines.push(format!(
        "{DIM}{gap} marks 1 ms or more without an event, {parked} a parked call.{DIM:#}"
    ));
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// The sentence of each step, numbered as in the drawing.
pub fn explain(drawing: &Drawing, glyphs: Glyphs) -> String {
    let micro = glyphs.set().micro;
    let mut text = String::new();
    for (number, row) in (1..).zip(&drawing.rows) {
        let first = format!("{number:>NUMBER$}  ");
        let rest = " ".repeat(NUMBER + 2);
        let options = textwrap::Options::new(WIDTH).initial_indent(&first).subsequent_indent(&rest);
        text.push_str(&textwrap::fill(&plain(&row.sentence).replace('µ', micro), options));
        text.push('\n');
    }
    text
}

const DIM: Style = Style::new().dimmed();

/// What a terminal cannot take for an order.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn widths(drawing: &Drawing) -> Vec<usize> {
    match drawing.lanes.len() {
        4 => OF_ONE.to_vec(),
        _ => {
            let bars: usize = drawing.lanes.iter().map(|lane| 2 * lane.tracks).sum();
            let rest =
                WIDTH - (NUMBER + TIME + 2) - (OF_A_HERD[0] + 1) - (QUEUED + OF_A_HERD[1] + 1);
            vec![OF_A_HERD[0], OF_A_HERD[1], rest.saturating_sub(bars)]
        }
    }
}

fn decimals(drawing: &Drawing) -> usize {
    let longest = drawing.rows.iter().map(|row| row.at_ns).max().unwrap_or_default();
    usize::from(longest < 1_000_000_000)
}

struct Pen<'a> {
    drawing: &'a Drawing,
    set: Set,
    widths: Vec<usize>,
    /// Of times: one, or none where there would be no room.
    decimals: usize,
}

/// A line is put together of parts, each with its style.
#[derive(Default)]
struct Line {
    text: String,
    /// Blanks that are written only if something follows.
    owed: usize,
}

impl Line {
    fn put(&mut self, style: Style, text: &str, width: usize) {
        let blanks = width.saturating_sub(display_width(text));
        if text.is_empty() {
            self.owed += blanks;
            return;
        }
        self.text.push_str(&" ".repeat(self.owed));
        self.text.push_str(&format!("{style}{text}{style:#}"));
        self.owed = blanks;
    }
}

impl Pen<'_> {
    fn head(&self) -> String {
        let mut line = Line::default();
        let bold = Style::new().bold();
        line.put(
            DIM,
            &format!("{:>1$}", format!("{}s", self.set.micro), NUMBER + 1 + TIME),
            NUMBER + TIME + 2,
        );
        for (lane, width) in self.drawing.lanes.iter().zip(&self.widths) {
            let before = self.before(lane.name, lane.tracks);
            line.put(bold, lane.name, before + width + 1);
        }
        line.text
    }

    /// What stands before the labels of a lane: the number of those queued, or bars.
    fn before(&self, name: &str, tracks: usize) -> usize {
        if name == self.drawing.lanes[1].name { QUEUED } else { 2 * tracks }
    }

    fn row(&self, at: usize, row: &Row) -> String {
        let mut line = Line::default();
        line.put(DIM, &format!("{:>NUMBER$}", at + 1), NUMBER + 1);
        let time = row.at_ns as f64 / 1e3;
        let decimals = self.decimals;
        line.put(Style::new(), &format!("{time:>TIME$.decimals$}"), TIME + 1);
        if row.lane.is_none() {
            line.put(DIM, &plain(&row.label), 0);
            return line.text;
        }
        self.lanes(&mut line, at, Some(row), row.queued);
        line.text
    }

    fn gap(&self, at: usize, ns: u64) -> String {
        let mut line = Line::default();
        line.put(Style::new(), "", NUMBER + 1);
        let ms = ns as f64 / 1e6;
        let decimals = usize::from(ms < 10.0);
        let text = format!("{} {ms:.decimals$} ms", self.set.gap);
        let blanks = TIME.saturating_sub(display_width(&text));
        line.put(DIM, &format!("{}{text}", " ".repeat(blanks)), TIME + 1);
        let queued = at.checked_sub(1).and_then(|before| self.drawing.rows.get(before));
        self.lanes(&mut line, at, None, queued.map_or(0, |row| row.queued));
        line.text
    }

    /// The lanes of a row, or of the gap before it.
    fn lanes(&self, line: &mut Line, at: usize, row: Option<&Row>, queued: usize) {
        for (number, (lane, &width)) in self.drawing.lanes.iter().zip(&self.widths).enumerate() {
            let mut width = width;
            if self.before(lane.name, lane.tracks) == QUEUED && lane.tracks == 0 {
                let count = if queued == 0 { String::new() } else { format!("{queued:>2}") };
                line.put(Style::new(), &count, QUEUED.max(count.len() + 1));
                width = (width + QUEUED) - QUEUED.max(count.len() + 1);
            }
            for track in 0..lane.tracks {
                let (style, glyph) = self.bar(number, track, at, row.is_none());
                line.put(style, glyph, 2);
            }
            let mine = row.filter(|row| row.lane == Some(number));
            let label = mine.map_or_else(String::new, |row| self.fit(&row.label, width));
            line.put(mine.map_or(Style::new(), |row| style(row.tone)), &label, width + 1);
        }
    }

    fn bar(&self, lane: usize, track: usize, at: usize, in_gap: bool) -> (Style, &'static str) {
        let here = |span: &&Span| {
            let last = span.to.unwrap_or(usize::MAX);
            let begun = if in_gap { span.from < at } else { span.from <= at };
            (span.lane, span.track) == (lane, track) && begun && at <= last
        };
        let Some(span) = self.drawing.spans.iter().rev().find(here) else {
            return (Style::new(), "");
        };
        let glyphs = if span.parked { self.set.parked } else { self.set.span };
        let style = if span.parked { style(Tone::Ill) } else { DIM };
        let place = match (in_gap, span.from == at, span.to == Some(at)) {
            (true, ..) | (false, false, false) => 1,
            (false, true, _) => 0,
            (false, false, true) => 2,
        };
        (style, glyphs[place])
    }

    /// A label that fits; its sentence has all of it.
    fn fit(&self, label: &str, width: usize) -> String {
        let label = plain(label);
        if display_width(&label) <= width {
            return label;
        }
        let mut cut = String::new();
        for c in label.chars() {
            let mut longer = cut.clone();
            longer.push(c);
            if display_width(&longer) + 1 > width {
                break;
            }
            cut = longer;
        }
        cut + self.set.cut
    }
}

fn style(tone: Tone) -> Style {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match tone {
        Tone::Plain => Style::new(),
        Tone::Fault => colour(AnsiColor::Yellow),
        Tone::Ill => colour(AnsiColor::Red).bold(),
        Tone::Rescue => colour(AnsiColor::Cyan),
        Tone::Served => colour(AnsiColor::Green),
    }
}
