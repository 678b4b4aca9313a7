//! A timeline as SVG: inline in the page, which has the style sheet, or as a file that stands
//! alone. Strings are escaped by the template; coordinates are whole numbers.

use std::fmt::Write;

use askama::Template;

use super::drawing::{Drawing, Row, Span, Tone};

/// Where things stand, in pixels.
const HEAD: usize = 26;
const ROW: usize = 19;
const GAP: usize = 17;
const FOOT: usize = 24;
const FIRST: usize = 96;
/// Behind the number of queued connections.
const DEPTH: usize = 222;
const QUEUE: usize = 234;
/// How wide the labels of the queue are, of one loop and of a herd's.
const QUEUE_WIDTH: [usize; 2] = [132, 112];
const LOOP_WIDTH: usize = 128;
/// How far apart bars stand, and labels behind them.
const BAR: usize = 14;
const LAST_WIDTH: usize = 84;

/// How long labels are at most, in characters.
const LONGEST: usize = 36;

/// The colours of a drawing that stands alone: those of the page, for light and for dark.
const COLOURS: &str = "\
.tl { color-scheme: light dark; --paper: #fcfcfb; --ink: #1b1f23; --muted: #59626b; --line: #dde1e5; \
--accent: #0a5a9c; --slower: #9a3c00; --faster: #00644d; --bad: #a3123a; }
@media (prefers-color-scheme: dark) { .tl { --paper: #14171a; --ink: #e6e9ec; --muted: #9fa9b3; \
--line: #2d343a; --accent: #7fc1fb; --slower: #ffab6b; --faster: #5bd6ad; --bad: #ff93a8; } }
.tl .o { fill: var(--paper); }";

#[derive(Template)]
#[template(path = "timeline.svg", config = "src/report/askama.toml")]
struct Svg<'a> {
    alone: bool,
    style: &'static str,
    id: &'a str,
    title: &'a str,
    description: String,
    width: usize,
    height: usize,
    depth: usize,
    heads: Vec<(usize, &'static str)>,
    /// Paths by class.
    bars: [(&'static str, String); 3],
    gaps: String,
    breaks: Vec<(usize, String)>,
    rows: Vec<Drawn<'a>>,
}

/// A row, put in its place.
struct Drawn<'a> {
    number: usize,
    time: String,
    /// How many are queued, where that has changed.
    queued: Option<usize>,
    y: usize,
    x: usize,
    class: &'static str,
    tone: &'static str,
    label: String,
    sentence: &'a str,
}

/// A drawing for a page that has `timeline.css`; `id` is what its ids begin with.
///
/// # Errors
///
/// Those of the template; no drawing is known that would bring one about.
pub fn inline(drawing: &Drawing, id: &str) -> Result<String, askama::Error> {
    svg(drawing, id, false).render()
}

/// A drawing that stands alone, with its own style sheet, for light and for dark.
///
/// # Errors
///
/// As [`inline`].
pub fn file(drawing: &Drawing) -> Result<String, askama::Error> {
    let mut text = svg(drawing, "", true).render()?;
    text.push('\n');
    Ok(text)
}

fn svg<'a>(drawing: &'a Drawing, id: &'a str, alone: bool) -> Svg<'a> {
    let places = Places::of(drawing);
    let mut rows = Vec::new();
    let (mut gaps, mut breaks) = (String::new(), Vec::new());
    let mut queued = 0;
    for (at, row) in drawing.rows.iter().enumerate() {
        let y = places.rows[at];
        if let Some(ns) = row.gap_ns {
            let middle = y - ROW / 2 - GAP / 2;
            // Writing to a String cannot fail.
            let _ = write!(gaps, "M92 {middle}H{}", places.width);
            breaks.push((middle + 4, format!("⋮ {:.1} ms", ns as f64 / 1e6)));
        }
        let changed = row.queued != queued;
        queued = row.queued;
        rows.push(Drawn {
            number: at + 1,
            time: format!("{:.1}", row.at_ns as f64 / 1e3),
            queued: changed.then_some(queued),
            y: y + 4,
            x: row.lane.map_or(FIRST, |lane| places.labels[lane]),
            class: if row.lane.is_none() { "z" } else { "l" },
            tone: tone(row.tone),
            label: cut(&row.label),
            sentence: &row.sentence,
        });
    }
    Svg {
        alone,
        style: COLOURS,
        id,
        title: &drawing.title,
        description: description(drawing, alone),
        width: places.width,
        height: places.height,
        depth: DEPTH - 8,
        heads: places.heads(drawing),
        bars: places.bars(drawing),
        gaps,
        breaks,
        rows,
    }
}

/// A label that stays in its lane, or nearly; its sentence has all of it.
fn cut(label: &str) -> String {
    let mut chars = label.chars();
    let short: String = chars.by_ref().take(LONGEST).collect();
    if chars.next().is_some() { short + "…" } else { short }
}

/// What the drawing shows, for who cannot see it: on a page, the list below tells each step.
fn description(drawing: &Drawing, alone: bool) -> String {
    let names: Vec<&str> = drawing.lanes.iter().map(|lane| lane.name).collect();
    let mut text = format!("{} steps in the lanes {}.", drawing.rows.len(), names.join(", "));
    if alone {
        for (number, row) in (1..).zip(&drawing.rows) {
            let us = row.at_ns as f64 / 1e3;
            let _ = write!(text, " {number}, at {us:.1} µs: {}", row.sentence);
        }
    }
    text
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Fault => " f",
        Tone::Ill => " i",
        Tone::Rescue => " r",
        Tone::Served => " d",
    }
}

/// Where everything stands.
struct Places {
    /// The middle of each row.
    rows: Vec<usize>,
    /// Where each lane's labels begin.
    labels: Vec<usize>,
    width: usize,
    height: usize,
}

impl Places {
    fn of(drawing: &Drawing) -> Places {
        let mut y = HEAD;
        let mut rows = Vec::new();
        for row in &drawing.rows {
            y += if row.gap_ns.is_some() { GAP } else { 0 };
            rows.push(y + ROW / 2);
            y += ROW;
        }
        let herd = usize::from(drawing.lanes.len() < 4);
        let mut labels = vec![FIRST, QUEUE];
        let mut x = QUEUE + QUEUE_WIDTH[herd];
        for lane in drawing.lanes.iter().skip(2) {
            x += BAR * lane.tracks;
            labels.push(x);
            x += LOOP_WIDTH;
        }
        let width = x - LOOP_WIDTH + if herd == 1 { LOOP_WIDTH + BAR } else { LAST_WIDTH };
        Places { rows, labels, width, height: y + FOOT }
    }

    fn heads(&self, drawing: &Drawing) -> Vec<(usize, &'static str)> {
        let head = |(lane, &x): (&super::Lane, &usize)| (x - BAR * lane.tracks, lane.name);
        drawing.lanes.iter().zip(&self.labels).map(head).collect()
    }

    /// What lasts, and how long anybody is queued.
    fn bars(&self, drawing: &Drawing) -> [(&'static str, String); 3] {
        let mut bars = [("u", String::new()), ("w", String::new()), ("p", String::new())];
        let bottom = self.height - FOOT;
        let below = |row: Option<usize>| row.and_then(|row| self.rows.get(row)).copied();
        let mut queued_since = None;
        let last = Row::last(drawing);
        for (at, row) in drawing.rows.iter().enumerate() {
            match (row.queued > 0, queued_since) {
                (true, None) => queued_since = Some(self.rows[at]),
                (false, Some(since)) => {
                    let _ = write!(bars[0].1, "M{DEPTH} {since}V{}", self.rows[at]);
                    queued_since = None;
                }
                _ => {}
            }
            if let (Some(since), true) = (queued_since, at == last) {
                let _ = write!(bars[0].1, "M{DEPTH} {since}V{bottom}");
            }
        }
        for span in &drawing.spans {
            let x = self.bar(drawing, span);
            let from = self.rows.get(span.from).copied().unwrap_or(bottom);
            let to = below(span.to).unwrap_or(bottom);
            let bar = &mut bars[1 + usize::from(span.parked)].1;
            let _ = write!(bar, "M{x} {}V{}", from - 6, to + 6);
        }
        bars
    }

    fn bar(&self, drawing: &Drawing, span: &Span) -> usize {
        let tracks = drawing.lanes[span.lane].tracks;
        self.labels[span.lane] - BAR * (tracks - span.track.min(tracks - 1)) + 4
    }
}

impl Row {
    /// The last row's number, from 0.
    fn last(drawing: &Drawing) -> usize {
        drawing.rows.len().saturating_sub(1)
    }
}
