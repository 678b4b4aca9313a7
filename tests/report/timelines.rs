//! The timelines of a run, on its page.

use std::fs;
use std::path::Path;

use rstall::fault;
use rstall::outcome::Outcome;
use rstall::record::Run;
use rstall::record::timelines::{Came, Part, Played, Shown};
use rstall::timeline::{Drawing, Timeline};
use rstall::trial::{Record, What};
use rstall::verdict::Verdict;

use super::markup::{escaped, section, tags, text};
use super::{page, record};

const MARKUP: &str = "</ol></svg><script>alert(1)</script><b onclick=\"x\">";

fn came(name: &str, verdict: Verdict, change: impl Fn(&mut Record)) -> Played {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/timelines").join(name);
    let text = fs::read(path.with_extension("json")).expect("a record");
    let mut record: Record = serde_json::from_slice(&text).expect("a record of a trial");
    change(&mut record);
    let timeline = Timeline::of(&record);
    let seen = format!("seen {MARKUP}");
    let part = if verdict == Verdict::Safe { Part::Cured } else { Part::Ill };
    Played { part, came: Ok(Came { verdict, seen, trial: 1, timeline }) }
}

/// A run with timelines: of one fault both, with markup in the names of the second; of another
/// the reason why there is none.
pub fn played(mut run: Run) -> Run {
    let ill = came("rival_in_window-ill", Verdict::Stalls, |_| {});
    let cured = came("rival_in_window-cured", Verdict::Safe, |record| {
        for name in [&mut record.backend, &mut record.fault, &mut record.arm, &mut record.kernel] {
            *name = format!("{name} {MARKUP}");
        }
        for event in &mut record.events {
            if let What::AcceptReturned { outcome, .. } = &mut event.what {
                *outcome = Outcome::Failed(MARKUP.to_owned());
            }
        }
    });
    let absent = Played { part: Part::Ill, came: Err(format!("void {MARKUP}")) };
    let shown = |fault: &str, trials| Shown { fault: fault.to_owned(), trials };
    run.timelines = vec![
        shown("rival_in_window", vec![ill, cured]),
        shown("burst", vec![absent]),
        // One that this rstall does not know has no place on its page.
        shown(MARKUP, Vec::new()),
    ];
    run
}

/// Gives a run two timelines of every fault, those of the recorded trials one after the other.
pub fn play_all(run: &mut Run) {
    let names = [
        ("rival_in_window-ill", Verdict::Stalls),
        ("rival_in_window-cured", Verdict::Safe),
        ("descriptors_exhausted-pause", Verdict::Wastes),
        ("herd-shared_4", Verdict::Wastes),
        ("herd-own_8", Verdict::Safe),
    ];
    let mut next = names.iter().cycle().map(|(name, verdict)| came(name, *verdict, |_| {}));
    let shown = |fault: &fault::Fault| Shown {
        fault: fault.name.to_owned(),
        trials: next.by_ref().take(2).collect(),
    };
    run.timelines = fault::ALL.iter().map(shown).collect();
}

/// The entry of a fault.
fn entry<'a>(html: &'a str, fault: &str) -> &'a str {
    let (_, after) = html.split_once(&format!("<h3 id=\"fault-{fault}\">")).expect("an entry");
    after.split("<h3 ").next().unwrap_or(after)
}

#[test]
fn each_timeline_is_drawn_and_listed_ill_above_cured() {
    let run = played(record("hostile"));
    let html = page(&run);
    let pitfalls = section(&html, "pitfalls");
    let entry = entry(pitfalls, "rival_in_window");
    let figures: Vec<&str> = entry.split("<figure class=\"play\">").skip(1).collect();
    assert_eq!(figures.len(), 2);
    for (figure, (played, what)) in
        figures.iter().zip(run.timelines[0].trials.iter().zip(["Ill", "Cured"]))
    {
        assert!(figure.starts_with(&format!("<figcaption><b>{what}</b>: ")), "{figure}");
        let came = played.came.as_ref().expect("a trial");
        let drawing = Drawing::of(&came.timeline);
        let list = figure.split("<ol>").nth(1).expect("a list");
        assert_eq!(list.matches("<li>").count(), drawing.rows.len());
        // What the script steps through.
        assert_eq!(figure.matches("<g class=\"s").count(), drawing.rows.len());
        let (list, drawn) = (text(list), text(figure));
        for row in &drawing.rows {
            assert!(list.contains(&row.sentence), "{row:?}");
            assert!(drawn.contains(&format!("{:.1}", row.at_ns as f64 / 1e3)), "{row:?}");
        }
        for shown in [&drawing.title, &came.seen] {
            assert!(figure.contains(&escaped(shown)), "{shown}");
        }
    }
    assert!(html.contains(&escaped(&format!("no timeline: void {MARKUP}"))));
    assert!(!html.contains(MARKUP) && !html.contains("<b onclick"));
    let scripts = tags(&html).iter().filter(|tag| tag.name == "script").count();
    assert_eq!(scripts, rstall::report::script::ALL.len());
}

#[test]
fn a_run_without_timelines_has_the_pitfalls_all_the_same() {
    let run = record("hostile");
    assert_eq!(run.timelines, []);
    let html = page(&run);
    assert!(!html.contains("<figure class=\"play\">") && html.contains("id=\"fault-burst\""));
}

#[test]
fn a_timeline_s_markup_is_small() {
    let run = played(record("hostile"));
    let html = page(&run);
    let drawings: Vec<&str> = html
        .split("<svg class=\"tl\"")
        .skip(1)
        .filter_map(|rest| rest.split("</svg>").next())
        .collect();
    assert_eq!(drawings.len(), 2);
    // Two for each of 22 faults come to less than 350 KB, with their lists to little more.
    for drawing in drawings {
        assert!(drawing.len() < 8_000, "{} bytes", drawing.len());
        assert!(!drawing.contains("style="), "{drawing}");
    }
}
