//! Several runs on one page.

use rstall::record::{Run, store};
use rstall::report;
use std::path::Path;

use super::markup::{escaped, section, tags, text};
use super::{record, side_by_side};

/// The recorded run of the repository.
fn recorded() -> Run {
    let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/recorded/runs");
    let mut folders: Vec<_> =
        std::fs::read_dir(runs).expect("recorded runs").flatten().map(|e| e.path()).collect();
    folders.sort();
    store::load(folders.last().expect("a recorded run")).expect("a run")
}

/// Makes every ratio of a backend in a group larger.
fn slow(run: &mut Run, backend: &str, factor: f64) {
    let cells = run.groups.iter_mut().flat_map(|g| &mut g.collections).flat_map(|c| &mut c.cells);
    for cell in cells.filter(|cell| cell.series == backend) {
        if let Some(ratio) = &mut cell.ratio {
            for of in [&mut ratio.raw, &mut ratio.judged] {
                (of.point, of.low, of.high) =
                    (of.point * factor, of.low * factor, of.high * factor);
            }
        }
        if let Some(median) = &mut cell.median {
            median.point *= factor;
        }
    }
}

#[test]
fn one_run_has_nothing_beside_it_and_none_is_refused() {
    assert!(!side_by_side(&[&record("measured")]).contains("<section id=\"runs\""));
    let error = report::page(&[]).expect_err("nothing to show").to_string();
    assert!(error.contains("no run"), "{error}");
}

#[test]
fn what_got_worse_is_marked_and_what_did_not_is_not() {
    let base = recorded();
    let mut other = base.clone();
    slow(&mut other, "mio", 1.3);
    other.host.kernel = "another <kernel>".to_owned();
    let html = side_by_side(&[&base, &other, &base]);
    let runs = section(&html, "runs");
    let row = |id: &str| {
        let begin = format!("<th scope=\"row\">{id}</th>");
        let (_, after) = runs.split_once(&begin).unwrap_or_else(|| panic!("no {id}"));
        after.split("</tr>").next().unwrap_or(after).to_owned()
    };
    let mio = row("accept_burst/mio/256");
    assert_eq!(mio.matches("class=\"worse\"").count(), 1, "{mio}");
    assert!(mio.contains("1.30\u{d7}") && mio.contains(" worse<small>"), "{mio}");
    assert!(!row("accept_burst/epoll/256").contains("class=\"worse\""));
    assert!(row("accept_burst/poll/256").contains("it is the reference"));
    assert!(row("stall/poll-blocking/2").contains("it stalled"));
    let words = text(runs);
    assert!(words.contains("the kernel differs: "), "a warning");
    assert!(words.contains("another <kernel> in the other run"), "{words}");
    // The script's own copy says the same: the second run, a third slower, in thousandths.
    let pairs = runs.split("<pre id=\"pairs\"").nth(1).expect("the pairs").split('>').nth(1);
    let pairs = pairs.expect("their text").split('<').next().expect("an end");
    let ids: Vec<&str> = pairs.lines().filter(|line| !line.starts_with('=')).collect();
    let at = ids.iter().position(|line| line.starts_with("accept_burst/mio/256\t")).expect("it");
    for (pair, begins, ends) in [("=0,1\t", "1300 ", "w"), ("=1,2\t", "769 ", "b")] {
        let line = pairs.lines().find(|line| line.starts_with(pair)).expect("a pair");
        let cell = line.split('\t').nth(at + 1).expect("its cell");
        assert!(cell.starts_with(begins) && cell.ends_with(ends), "{pair}: {cell}");
    }
}

#[test]
fn where_maps_differ_is_told() {
    let base = recorded();
    let mut other = base.clone();
    let Some(Ok(map)) = &mut other.map else { panic!("a map") };
    let text_of = |map: &rstall::record::map::Map| format!("{:?}", map.rows[0].loops[0]);
    let of = text_of(map);
    for cell in &mut map.rows[0].cells {
        if let rstall::record::map::Cell::Tried { verdict, .. } = cell {
            *verdict = Some(rstall::verdict::Verdict::Starves);
            break;
        }
    }
    let html = side_by_side(&[&base, &other]);
    assert!(text(section(&html, "runs")).contains(", and here starves"), "{of}");
    assert!(!text(section(&side_by_side(&[&base, &base]), "runs")).contains("and here"));
}

#[test]
fn markup_in_several_records_is_text() {
    let hostile = record("hostile");
    let mut named = hostile.clone();
    named.began = "</script><script>alert(1)</script><!-- \u{2028}".to_owned();
    let html = side_by_side(&[&hostile, &named, &record("measured")]);
    let scripts = tags(&html).iter().filter(|tag| tag.name == "script").count();
    assert_eq!(scripts, report::script::ALL.len());
    assert!(html.contains(&escaped(&named.began)), "it is there, as text");
    assert!(!html.contains("<!--"));
}

/// Ten runs of 240 benchmarks, all a little different.
fn ten_runs() -> Vec<Run> {
    let mut base = recorded();
    let mut left = 240;
    for collection in base.groups.iter_mut().flat_map(|group| &mut group.collections) {
        collection.cells.retain(|cell| cell.median.is_some());
        collection.cells.truncate(left);
        left -= collection.cells.len();
    }
    base.groups.retain(|group| group.collections.iter().any(|c| !c.cells.is_empty()));
    assert_eq!(left, 0, "the recorded run has 240 benchmarks");
    (0..10u32)
        .map(|at| {
            let mut run = base.clone();
            run.began = format!("2026-11-{:02}T00:00:00Z", at + 1);
            for (place, backend) in ["mio", "tokio", "epoll", "select"].into_iter().enumerate() {
                let turn = (at + place as u32) % 5;
                slow(&mut run, backend, 1.0 + f64::from(turn) / 50.0);
            }
            run
        })
        .collect()
}

/// Whoever wants to look at it says where it is to be written:
/// `RSTALL_PAGE_OUT=FILE cargo test --test report ten_runs`.
#[test]
fn ten_runs_of_240_benchmarks_are_under_two_megabytes() {
    let runs = ten_runs();
    let html = side_by_side(&runs.iter().collect::<Vec<_>>());
    if let Some(path) = std::env::var_os("RSTALL_PAGE_OUT") {
        std::fs::write(path, &html).expect("the page can be written");
    }
    eprintln!("SIZE {}", html.len());
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    let rows = section(&html, "runs").matches("<th scope=\"row\">").count();
    assert!(rows >= 240, "{rows}");
}
