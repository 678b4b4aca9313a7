//! Several runs on one page.

use std::path::Path;

use rstall::fault;
use rstall::record::map::Cell as MapCell;
use rstall::record::{Run, store};
use rstall::report;
use rstall::verdict::Verdict;

use super::markup::{escaped, section, tags, text};
use super::{record, side_by_side, timelines};

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
    assert!(html.split("<main>").next().is_some_and(|head| head.contains(">runs differ</span>")));
    // Two runs of an old format that are alike in all else do not differ: each is to be minded.
    let mut old = base.clone();
    old.schema = 3;
    let again = side_by_side(&[&old, &old]);
    let head = text(again.split("<main>").next().expect("a head"));
    assert!(!head.contains("runs differ") && head.contains("to be minded run 1:"), "{head}");
    // The script's own copy says the same of every pair, in the order of the runs.
    let pairs = Pairs::read(runs);
    let mio = pairs.place("accept_burst/mio/256");
    for (pair, begins, ends) in [("=0-1", "1.3 ", "w"), ("=1-2", ".76", "b")] {
        let cell = &pairs.line(pair)[mio];
        assert!(cell.starts_with(begins) && cell.ends_with(ends), "{pair}: {cell}");
    }
    let same = &pairs.line("=0-2")[mio];
    assert!(!same.ends_with(['b', 'w']) && !same.is_empty(), "{same}");
    // Why there is none, and in either order what is to be minded.
    let poll = pairs.place("accept_burst/poll/256");
    for pair in ["#0-1", "#1-2"] {
        let reason: usize = pairs.line(pair)[poll].parse().expect("the place of a reason");
        assert_eq!(pairs.reasons()[reason], "it is the reference", "{pair}");
    }
    assert!(!pairs.has("#1-0") && !pairs.has("#2-1"), "why is the same, so it is said once");
    let warned = |pair: &str| pairs.line(pair).iter().any(|note| note.contains("kernel differs"));
    assert!(warned("!0-1") && warned("!1-0") && warned("!2-1") && !warned("!0-2"));
}

/// What the script picks from.
struct Pairs {
    benchmarks: Vec<String>,
    lines: Vec<String>,
}

impl Pairs {
    fn read(runs: &str) -> Pairs {
        let pairs = text(runs.split("<pre id=\"pairs\"").nth(1).expect("the pairs"));
        let pairs = pairs.split_once('>').map_or("", |(_, pairs)| pairs);
        let mut lines = pairs.lines();
        let many: usize = lines.next().and_then(|many| many.parse().ok()).expect("how many");
        let benchmarks = lines.by_ref().take(many).map(str::to_owned).collect();
        Pairs { benchmarks, lines: lines.map(str::to_owned).collect() }
    }

    fn place(&self, id: &str) -> usize {
        let is_it = |line: &String| line.split('\t').next() == Some(id);
        self.benchmarks.iter().position(is_it).unwrap_or_else(|| panic!("no {id}"))
    }

    fn line(&self, begins: &str) -> Vec<String> {
        let mut parts = self.lines.iter().map(|line| line.split('\t'));
        let found = parts.find_map(|mut parts| (parts.next() == Some(begins)).then_some(parts));
        found.unwrap_or_else(|| panic!("no {begins}")).map(str::to_owned).collect()
    }

    fn has(&self, begins: &str) -> bool {
        self.lines.iter().any(|line| line.split('\t').next() == Some(begins))
    }

    fn reasons(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix('?')).collect()
    }
}

#[test]
fn where_maps_differ_is_told() {
    let base = recorded();
    let mut other = base.clone();
    let map = other.map.as_mut().and_then(|map| map.as_mut().ok()).expect("a map");
    let changed = map.rows[0].cells.iter_mut().enumerate().find_map(|(at, cell)| match cell {
        MapCell::Tried { verdict, .. } => verdict.replace(Verdict::Starves).map(|was| (at, was)),
        MapCell::Not(_) | MapCell::Missing => None,
    });
    let (at, was) = changed.expect("a verdict");
    let (column, loops) = (map.columns[at].fault_and_arm(), map.rows[0].loops.len());
    let html = side_by_side(&[&base, &other]);
    let (_, told) = section(&html, "runs").split_once("Where maps differ").expect("it is told");
    let rows: Vec<&str> = told.split("<tr><th scope=\"row\">").skip(1).collect();
    assert_eq!(rows.len(), 1, "{told}");
    let expected = format!("{column}{} {was}v starves", was.letter());
    assert!(text(rows[0]).starts_with(&expected), "{expected}: {}", text(rows[0]));
    assert!(loops > 0 && text(rows[0]).contains(&base_loop(&base)), "{}", text(rows[0]));
    assert!(!section(&side_by_side(&[&base, &base]), "runs").contains("Where maps differ"));
}

/// The backend of the first loop of a map.
fn base_loop(run: &Run) -> String {
    let map = run.map.as_ref().and_then(|map| map.as_ref().ok()).expect("a map");
    map.rows[0].loops[0].backend.clone()
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

/// Gives a third of the map's rows other verdicts than they had.
fn worsen(run: &mut Run, turn: usize) {
    let map = run.map.as_mut().and_then(|map| map.as_mut().ok()).expect("a map");
    let rows = map.rows.iter_mut().enumerate().filter(|(at, _)| (at + turn).is_multiple_of(3));
    for cell in rows.flat_map(|(_, row)| &mut row.cells) {
        if let MapCell::Tried { verdict: Some(verdict), .. } = cell {
            let place = Verdict::ALL.iter().position(|one| one == verdict).expect("it is one");
            *verdict = Verdict::ALL[(place + turn) % Verdict::ALL.len()];
        }
    }
}

/// Ten runs of 240 benchmarks, of every group some and all a little different, with the maps and
/// the timelines that a run of this format has.
fn ten_runs() -> Vec<Run> {
    let mut base = recorded();
    let measured = base.cells().filter(|(_, _, cell)| cell.median.is_some()).count();
    let mut seen = 0;
    for collection in base.groups.iter_mut().flat_map(|group| &mut group.collections) {
        collection.cells.retain(|cell| {
            let before = seen * 240 / measured;
            seen += usize::from(cell.median.is_some());
            cell.median.is_some() && seen * 240 / measured > before
        });
    }
    assert_eq!(base.cells().count(), 240, "of {measured}");
    timelines::play_all(&mut base);
    (0..10u32)
        .map(|at| {
            let mut run = base.clone();
            run.began = format!("2026-11-{:02}T00:00:00Z", at + 1);
            worsen(&mut run, at as usize);
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
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    assert_eq!(html.matches("<figure class=\"play\">").count(), 2 * fault::ALL.len());
    let rows = section(&html, "runs").matches("<th scope=\"row\">").count();
    assert!(rows >= 240, "{rows}");
}
