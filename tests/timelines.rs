//! Timelines: from fixed records, as they are to look; from real trials, that nothing lacks its
//! sentence.
//!
//! The expected drawings lie beside their records in `data/timelines`. After a change that is
//! meant, `RSTALL_EXPECT=write cargo test --test timelines` writes them anew; read them then.

#[path = "report/markup.rs"]
#[allow(dead_code, reason = "the page's tests need more of it")]
mod markup;

rstall::interpose_accept!();

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rstall::accept_loop::End;
use rstall::fault::{self, Case};
use rstall::outcome::Outcome;
use rstall::timeline::text::{self, Glyphs, WIDTH};
use rstall::timeline::{Drawing, Timeline, svg};
use rstall::trial::{self, Cell, Ending, Event, Record, Timing, What};
use rstall::verdict::cases::fitting;
use rstall::{backend, limits};

use markup::tags;

/// All records in `data/timelines`.
const RECORDS: [&str; 11] = [
    "rival_in_window-ill",
    "rival_in_window-cured",
    "reset_queued",
    "reset_in_window-berkeley",
    "herd-shared_4",
    "herd-own_8",
    "accepted_blocking",
    "member_leaves",
    "descriptors_exhausted-pause",
    "burst-epoll_et",
    "accept_cancelled",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/timelines")
}

fn record(name: &str) -> Record {
    let text = fs::read(folder().join(name).with_extension("json")).expect("a record");
    serde_json::from_slice(&text).expect("a record of a trial")
}

fn drawing(record: &Record) -> Drawing {
    Drawing::of(&Timeline::of(record))
}

/// Holds a text against the file that it is to be like.
fn assert_as_expected(file: &str, text: &str) {
    let path = folder().join(file);
    if std::env::var_os("RSTALL_EXPECT").is_some_and(|value| value == "write") {
        fs::write(&path, text).expect("written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{file} is not as expected; it is now:\n{text}");
}

#[test]
fn text_is_as_expected_in_unicode_and_in_ascii() {
    // What a backend is like is known where it is built.
    let known =
        |name: &&&str| backend::find(&record(name).backend).is_some_and(|e| e.built().is_some());
    for name in RECORDS.iter().filter(known) {
        let drawing = drawing(&record(name));
        for (glyphs, end) in [(Glyphs::Unicode, "unicode"), (Glyphs::Ascii, "ascii")] {
            let told = text::explain(&drawing, glyphs);
            let coloured = format!("{}\n{told}", text::draw(&drawing, glyphs));
            let plain = anstream::adapter::strip_str(&coloured).to_string();
            assert_as_expected(&format!("{name}.{end}.txt"), &plain);
            if *name == "rival_in_window-ill" {
                assert_as_expected(&format!("{name}.{end}.ansi"), &coloured);
            }
            assert!(glyphs == Glyphs::Unicode || plain.is_ascii(), "{name}: not ASCII\n{plain}");
        }
    }
}

#[test]
fn svg_is_as_expected() {
    for name in ["rival_in_window-ill", "rival_in_window-cured", "herd-own_8", "member_leaves"] {
        let drawing = drawing(&record(name));
        assert_as_expected(&format!("{name}.svg"), &svg::file(&drawing).expect("drawn"));
        let inline = svg::inline(&drawing, "x-").expect("drawn");
        assert_as_expected(&format!("{name}.inline.svg"), &format!("{inline}\n"));
    }
}

/// A trial's log in which the loop spins so often.
fn spinning(times: usize) -> Record {
    let mut record = record("descriptors_exhausted-pause");
    let mut events = vec![What::ConnectBegan, What::Queued { port: 40_000 }, What::RanOut];
    for _ in 0..times {
        events.extend([
            What::WaitEntered,
            What::Reported { accepts: 1, others: 0 },
            What::AcceptEntered,
            What::AcceptReturned { outcome: Outcome::Exhausted("EMFILE".to_owned()), port: None },
        ]);
    }
    events.extend([What::Relieved, What::Stopping]);
    let event = |(at, what)| Event::new(rstall::clock::Moment(at), what);
    record.events = (0..).step_by(700).zip(events).map(event).collect();
    record
}

#[test]
fn what_repeats_itself_is_drawn_once_and_counted() {
    let timeline = Timeline::of(&spinning(5_000));
    let drawing = Drawing::of(&timeline);
    assert_eq!(drawing.rows.len(), 3 + 4 + 1 + 2, "{drawing:#?}");
    let many = &drawing.rows[7];
    assert_eq!((many.lane, &*many.label), (None, "the last 4 steps, 4999 times more"));
    // It ends when its last event was, and the next step follows on that.
    assert_eq!(many.at_ns, 700 * (3 + 4 * 5_000 - 1));
    assert_eq!(drawing.rows[8].at_ns - many.at_ns, 700);
    // What stands after it is as after the whole log.
    assert!(drawing.rows.iter().skip(1).all(|row| row.queued == 1), "{drawing:#?}");
    // It can be kept: what is read back is drawn alike.
    let kept = serde_json::to_string(&timeline).expect("JSON");
    let read: Timeline = serde_json::from_str(&kept).expect("a timeline");
    assert_eq!(Drawing::of(&read), drawing);
    assert!(kept.len() < 3_000, "{} bytes for a loop that spins", kept.len());
}

#[test]
fn a_log_of_all_kinds_is_cut_in_its_middle_and_says_so() {
    let mut record = record("rival_in_window-ill");
    let kinds = [What::WaitEntered, What::ByteServed, What::Flushed, What::Relieved, What::RanOut];
    // No cycle: each kind by the digits of the squares.
    let of = |n: usize| kinds[(n * n / 7 + n.isqrt()) % kinds.len()].clone();
    let event = |n: usize| Event::new(rstall::clock::Moment(n as u64), of(n));
    record.events = (0..2_000).map(event).collect();
    let drawing = drawing(&record);
    assert!(drawing.rows.len() < 100, "{} rows", drawing.rows.len());
    assert!(drawing.rows.iter().any(|row| row.label.ends_with("left out here")), "{drawing:#?}");
    assert_eq!(drawing.rows.last().map(|row| row.at_ns), Some(1_999), "the end is there");
}

#[test]
fn every_time_is_one_of_the_log_and_rows_are_in_order() {
    for name in RECORDS {
        let record = record(name);
        let origin = record.events[0].at;
        let times: BTreeSet<u64> =
            record.events.iter().map(|event| rstall::clock::nanos(event.at - origin)).collect();
        let drawing = drawing(&record);
        for row in &drawing.rows {
            assert!(times.contains(&row.at_ns), "{name}: {row:?}");
        }
        assert!(drawing.rows.is_sorted_by_key(|row| row.at_ns), "{name}");
        for span in &drawing.spans {
            assert!(span.to.is_none_or(|to| span.from < to), "{name}: {span:?}");
            assert!(span.track < drawing.lanes[span.lane].tracks, "{name}: {span:?}");
        }
    }
}

#[test]
fn a_stall_is_a_parked_accept_and_a_bystander_kept_waiting() {
    let parked = |name: &str| {
        let drawing = drawing(&record(name));
        let spans = drawing.spans.iter().filter(|span| span.parked);
        spans.map(|span| (drawing.lanes[span.lane].name, span.doing)).collect::<Vec<_>>()
    };
    let both = [("loop", "in accept"), ("bystander", "waits for its byte")];
    assert_eq!(parked("rival_in_window-ill"), both);
    assert_eq!(parked("reset_in_window-berkeley"), both);
    assert_eq!(parked("rival_in_window-cured"), []);
    let read = [("loop", "in read"), ("bystander", "waits for its byte")];
    assert_eq!(parked("accepted_blocking"), read);
    // Three of four.
    assert_eq!(parked("herd-shared_4"), [("loops", "in accept"); 3]);
}

/// A record with markup wherever it has a text.
fn hostile() -> Record {
    let mut record = record("rival_in_window-ill");
    let markup = |name: &str| format!("</svg><script>alert('{name}')</script>\u{1b}[2J&\"");
    record.backend = markup("backend");
    record.fault = markup("fault");
    record.arm = markup("arm");
    record.kernel = markup("kernel");
    record.void = Some(markup("void"));
    record.ending = Ending::Died(Outcome::Failed(markup("ending")));
    let at = record.events[0].at;
    for outcome in [Outcome::Failed, Outcome::AcceptedDead, Outcome::Aborted, Outcome::Exhausted] {
        let outcome = outcome(markup("outcome"));
        record.events.push(Event::new(at, What::AcceptReturned { outcome, port: None }));
    }
    for end in [End::Died(Outcome::Failed(markup("end"))), End::WaitFailed(markup("end"))] {
        record.events.push(Event::new(at, What::Ended { end }));
    }
    record
}

#[test]
fn markup_in_a_record_is_text_in_a_drawing() {
    let drawing = drawing(&hostile());
    for svg in [svg::file(&drawing), svg::inline(&drawing, "x-")] {
        let svg = svg.expect("drawn");
        let names: BTreeSet<String> = tags(&format!("<!doctype html>{svg}"))
            .into_iter()
            .map(|tag| tag.name.trim_start_matches('/').to_owned())
            .collect();
        let known = ["svg", "title", "desc", "style", "rect", "path", "text", "g"];
        assert!(names.iter().all(|name| known.contains(&&**name)), "{names:?}");
        for name in ["backend", "fault", "arm", "kernel"] {
            let told = format!("&#60;script&#62;alert(&#39;{name}&#39;)");
            assert!(svg.contains(&told), "{name}: {svg}");
        }
    }
    let alone = svg::file(&drawing).expect("drawn");
    for name in ["outcome", "end"] {
        let told = format!("&#60;script&#62;alert(&#39;{name}&#39;)");
        assert!(alone.contains(&told), "{name}: {alone}");
    }
    for glyphs in [Glyphs::Ascii, Glyphs::Unicode] {
        let coloured = text::draw(&drawing, glyphs) + &text::explain(&drawing, glyphs);
        let plain = anstream::adapter::strip_str(&coloured).to_string();
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!plain.contains(control) && !plain.contains("\u{1b}"), "{plain:?}");
        assert!(coloured.matches("[2J").count() > 0, "the order is shown as text: {coloured}");
        assert!(!coloured.contains("\u{1b}[2J"), "and is none");
    }
}

#[test]
fn an_inline_drawing_has_no_style_and_loads_nothing() {
    for name in RECORDS {
        let svg = svg::inline(&drawing(&record(name)), "x-").expect("drawn");
        for tag in tags(&format!("<!doctype html>{svg}")) {
            assert!(tag.name != "style", "{name}");
            for (key, value) in &tag.attributes {
                let bad = key == "style" || key.starts_with("on") || key == "href";
                assert!(!bad && !value.contains("://"), "{name}: {key}={value}");
            }
        }
    }
}

/// Every arm of every fault, on the first backend that it can be tried on, on a listener that
/// the fault's own loops have.
fn every_arm() -> Vec<Cell> {
    let mut cells = Vec::new();
    for fault in fault::ALL {
        let case = fault.cases.as_ref().map_or(Case::SOUND, |cases| cases.ill);
        for arm in fault.arms {
            let case = Case { arm: arm.name, ..case };
            let Some(backend) = fitting(fault, None, &case) else {
                eprintln!("skipped: {}/{} fits no backend here", fault.name, arm.name);
                continue;
            };
            let entry = backend::find(backend).expect("in the registry");
            cells.push(Cell::of(entry, fault, &case).expect("it fits"));
        }
    }
    cells
}

#[test]
fn every_step_of_every_arm_has_a_sentence_and_fits_a_terminal() {
    limits::raise_open_files();
    let program = Some(Path::new(env!("CARGO_BIN_EXE_rstall")));
    let timing = Timing { program, ..Timing::sweep() };
    let cells = every_arm();
    assert!(cells.len() > fault::ALL.len(), "{} cells", cells.len());
    for cell in &cells {
        let name = format!("{}/{} on {}", cell.fault.name, cell.arm.name, cell.backend);
        let record = match trial::run(cell, timing) {
            Ok(record) => record,
            Err(reason) if reason.starts_with(trial::REFUSED) => continue,
            Err(reason) => panic!("{name}: {reason}"),
        };
        let drawing = drawing(&record);
        assert!(drawing.rows.len() >= 3, "{name}: {drawing:#?}");
        for row in &drawing.rows {
            let ends = row.sentence.ends_with('.') && row.sentence.len() > 10;
            // The name of a kind of event in the code is no sentence.
            assert!(ends && !row.sentence.contains(" { "), "{name}: {row:?}");
            assert!(row.sentence.starts_with(|c: char| c.is_alphabetic()), "{name}: {row:?}");
        }
        for glyphs in [Glyphs::Ascii, Glyphs::Unicode] {
            let drawn = text::draw(&drawing, glyphs) + &text::explain(&drawing, glyphs);
            let plain = anstream::adapter::strip_str(&drawn).to_string();
            let long = plain.lines().find(|line| line.chars().count() > WIDTH);
            assert_eq!(long, None, "{name} is wider than {WIDTH} columns:\n{plain}");
            assert!(!plain.contains(['~', '…']), "{name}: a label was cut\n{plain}");
        }
    }
}
