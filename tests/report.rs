//! The page and the closing lines, made from the fixed records in `data/`.

#[path = "report/map.rs"]
mod map;
#[path = "report/markup.rs"]
mod markup;
#[path = "report/modelled.rs"]
mod modelled;
#[path = "report/probe.rs"]
mod probe;
#[path = "report/runs.rs"]
mod runs;
#[path = "report/safety.rs"]
mod safety;
#[path = "report/timelines.rs"]
mod timelines;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rstall::bench::GROUPS;
use rstall::record::{Cell, Run, Status, store};
use rstall::report::{self, Links, Source};

use markup::{escaped, row, section, table, text};

/// All records in `data/`.
const RECORDS: [&str; 5] = ["measured", "hostile", "interrupted", "skipped", "old"];

fn record(name: &str) -> Run {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    store::load(&path.with_extension("json")).expect("a record of the tests")
}

fn page(run: &Run) -> String {
    side_by_side(&[run])
}

/// The page of several runs, called `run 0`, `run 1` and so on.
fn side_by_side(runs: &[&Run]) -> String {
    let source = |(at, run)| {
        let links = Links { run: "runs/1".to_owned(), ..Links::default() };
        Source { name: format!("run {at}"), run, links }
    };
    let sources: Vec<Source<'_>> = runs.iter().copied().enumerate().map(source).collect();
    report::page(&sources).expect("a page")
}

/// Writes the page of a run into a reports folder, and gives its path.
fn write(
    reports: &Path,
    run: &Run,
    folder: &Path,
    criterion: Option<&Path>,
) -> Result<PathBuf, report::ReportError> {
    let links = Links::look(reports, run, folder, criterion);
    let path = reports.join(report::PAGE);
    report::write(&path, &[Source { name: "1".to_owned(), run, links }])?;
    Ok(path)
}

fn closing(run: &Run) -> String {
    report::closing(run, Some(Path::new("reports/index.html")), &[]).join("\n")
}

/// Every record in `data/`, and one of a run that has no groups yet.
fn all_records() -> Vec<(&'static str, Run)> {
    let mut records: Vec<_> = RECORDS.iter().map(|name| (*name, record(name))).collect();
    let mut empty = record("measured");
    empty.groups.clear();
    records.push(("empty", empty));
    records.push(("played", timelines::played(record("hostile"))));
    records
}

fn title(group: &str, parameter: Option<&str>) -> String {
    parameter.map_or_else(|| group.to_owned(), |parameter| format!("{group}/{parameter}"))
}

fn cell<'a>(run: &'a mut Run, id: &str) -> &'a mut Cell {
    let cells = run.groups.iter_mut().flat_map(|g| &mut g.collections).flat_map(|c| &mut c.cells);
    cells.into_iter().find(|cell| cell.id == id).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn every_series_is_on_the_page_with_what_became_of_it() {
    let run = record("measured");
    let html = page(&run);
    for (group, collection, cell) in run.cells() {
        let title = title(&group.name, collection.parameter.as_deref());
        let row = row(&html, &title, &cell.series);
        let (word, reason) = match &cell.status {
            Status::Measured => ("", ""),
            Status::Skipped(reason) => ("skipped", &**reason),
            Status::Failed(reason) => ("failed", &**reason),
            Status::Interrupted => ("interrupted", ""),
            Status::NotSelected => ("not selected", ""),
        };
        assert!(row.contains(word) && row.contains(&escaped(reason)), "{}: {row}", cell.id);
        assert_eq!(word.is_empty(), row.contains("[") && row.contains("\u{a0}"), "{}", cell.id);
    }
    for group in &run.groups {
        assert!(text(&html).contains(&group.about.replace('`', "")), "{}", group.name);
    }
}

#[test]
fn what_was_not_measured_is_listed_with_its_reason() {
    let run = record("measured");
    let html = page(&run);
    let absent = text(section(&html, "absent"));
    for (_, _, cell) in run.cells() {
        if let Status::Skipped(reason) | Status::Failed(reason) = &cell.status {
            assert!(absent.contains(reason), "{reason}");
        }
        for reason in cell.voids.keys() {
            assert!(absent.contains(reason), "{reason}");
        }
    }
    assert!(absent.contains("void ListenOverflows moved: an accept queue was overrun 2 samples: accept_burst/epoll/1"), "{absent}");
    assert!(absent.contains("accept_burst/kqueue (1, 256)"), "{absent}");
    assert!(absent.contains("modelled stall_berkeley/kqueue (2, 32)"), "{absent}");
    let missing = unreached(&run);
    let lacks = "abort_storm_svr4 (on request only), idle_set, storm";
    assert_eq!(missing, lacks, "the record lacks groups");
    assert!(absent.contains(&format!("not in this run {missing}")), "{absent}");
}

/// The groups that a run lacks, as they are told.
fn unreached(run: &Run) -> String {
    let lacks = |name: &str| run.groups.iter().all(|group| group.name != name);
    let missing = GROUPS.iter().filter(|group| lacks(group.name)).map(|group| {
        format!("{}{}", group.name, if group.on_request { " (on request only)" } else { "" })
    });
    missing.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_partial_run_has_a_page_and_closing_lines() {
    for (name, run) in all_records() {
        let lines = report::closing(&run, None, &[]);
        assert!((3..=14).contains(&lines.len()), "{name}: {lines:#?}");
        assert!(lines.last().is_some_and(|line| line == "Report: none was written"), "{name}");
        assert!(page(&run).contains("<section id=\"surroundings\""), "{name}");
    }
    let mut empty = record("measured");
    empty.groups.clear();
    assert!(text(&page(&empty)).contains("The stall was not measured in this run."));
    let every = unreached(&empty);
    assert!(closing(&empty).contains(&format!("not in this run: {every}")), "{}", closing(&empty));

    let interrupted = record("interrupted");
    assert!(page(&interrupted).contains("<span class=\"mark\">interrupted</span>"));
    assert!(closing(&interrupted).contains("ended early"));
    assert!(row(&page(&interrupted), "connect_to_accept", "epoll").contains("interrupted"));

    let skipped = record("skipped");
    let why = skipped.groups[0].collections[0].skipped.clone().expect("a reason");
    assert!(table(&page(&skipped), "stall/2").contains(&escaped(&why)));
    assert!(!page(&skipped).contains("<figure>"), "a chart of nothing");
    assert!(closing(&skipped).contains("skipped for"), "{}", closing(&skipped));
}

#[test]
fn a_tie_is_called_a_tie_and_nothing_else_is() {
    let run = record("measured");
    let html = page(&run);
    let mut seen = BTreeSet::new();
    for (group, collection, cell) in run.cells().filter(|(_, _, c)| c.status == Status::Measured) {
        let expected = match cell.ratio {
            None => "reference",
            Some(ratio) if ratio.is_tie() => "tie",
            Some(ratio) if ratio.raw.point > 1.0 => "slower",
            Some(_) => "faster",
        };
        let title = title(&group.name, collection.parameter.as_deref());
        let row = row(&html, &title, &cell.series);
        for word in ["reference", "tie", "slower", "faster"] {
            let said = row.contains(&format!(">{word}</span>"));
            assert_eq!(said, word == expected, "{}: {word}", cell.id);
        }
        seen.insert(expected);
    }
    assert_eq!(seen.len(), 4, "the record was meant to have all four");
}

#[test]
fn the_series_are_in_the_order_of_the_record() {
    let run = record("measured");
    let html = page(&run);
    for group in &run.groups {
        for collection in &group.collections {
            let table = table(&html, &title(&group.name, collection.parameter.as_deref()));
            let heads = table.split("<th scope=\"row\">").skip(1);
            let shown: Vec<&str> = heads.filter_map(|t| t.split(['<', ' ']).next()).collect();
            let expected: Vec<&str> = collection.cells.iter().map(|c| &*c.series).collect();
            assert_eq!(shown, expected, "{}", group.name);
        }
    }
}

#[test]
fn a_tail_is_shown_only_with_the_samples_behind_it() {
    let mut run = record("measured");
    let head = ">p99.9</th>";
    let is_small = |cell: &Cell| cell.latency.as_ref().is_none_or(|l| l.count < 10_000);
    assert!(run.cells().all(|(_, _, cell)| is_small(cell)), "the record was meant to be small");
    assert!(!page(&run).contains(head));
    let latency = cell(&mut run, "connect_to_accept/epoll").latency.as_mut().expect("latencies");
    latency.count = 9_999;
    assert!(!page(&run).contains(head));
    cell(&mut run, "connect_to_accept/epoll").latency.as_mut().expect("latencies").count = 10_000;
    let html = page(&run);
    assert!(table(&html, "connect_to_accept").contains(head));
    assert!(!table(&html, "stall/2").contains(head));
}

#[test]
fn noise_is_said_where_it_is() {
    let mut run = record("measured");
    for collection in run.groups.iter_mut().flat_map(|group| &mut group.collections) {
        collection.control = collection.control.map(|mut control| {
            control.point = 1.019;
            control
        });
    }
    let mark = "<span class=\"mark\">noisy</span>";
    assert!(!run.is_noisy() && !page(&run).contains(mark) && !closing(&run).contains("NOISY"));
    for collection in run.groups.iter_mut().flat_map(|group| &mut group.collections) {
        collection.control = collection.control.map(|mut control| {
            control.point = 0.97;
            control
        });
    }
    assert!(run.is_noisy() && closing(&run).contains("NOISY"));
    let html = page(&run);
    let (header, main) = html.split_once("<main>").expect("a main part");
    assert!(header.contains(mark) && header.contains("3.0\u{a0}%"), "the run is marked");
    let collections: usize = run.groups.iter().map(|group| group.collections.len()).sum();
    assert_eq!(main.matches(mark).count(), collections, "each collection is marked");
}

#[test]
fn a_caveat_stands_at_the_rows_that_it_concerns() {
    let run = record("measured");
    let html = page(&run);
    let number = |words: &str| {
        let at = html.split("<li id=\"caveat-").skip(1).find(|item| item.contains(words));
        let item = at.unwrap_or_else(|| panic!("no caveat about {words}"));
        item.split('"').next().expect("a number").to_owned()
    };
    let has = |row: &str, caveat: &str| row.contains(&format!("href=\"#caveat-{caveat}\""));
    let bound = number("lower bounds");
    assert!(has(row(&html, "stall_natural/2", "tokio-blocking"), &bound));
    assert!(!has(row(&html, "stall_natural/2", "tokio-nonblocking"), &bound));
    let getpeername = number("getpeername");
    assert!(has(row(&html, "accept_burst/1", "io_uring_multishot"), &getpeername));
    assert!(!has(row(&html, "accept_burst/1", "io_uring"), &getpeername));
    let no_wait = number("before it waits");
    assert!(has(row(&html, "accept_burst/256", "tokio"), &no_wait));
    assert!(!has(row(&html, "connect_to_accept", "tokio"), &no_wait));
    assert!(!html.contains("Fewer than 10 samples"), "a caveat that concerns no row");
    assert!(page(&record("interrupted")).contains("Fewer than 10 samples"));
}

#[test]
fn only_reports_that_exist_are_linked() {
    let reports = tempfile::tempdir().expect("a folder");
    let criterion = reports.path().join("criterion");
    let folder = reports.path().join("runs/a b#c");
    let report = criterion.join("accept_burst/poll/256/report");
    std::fs::create_dir_all(&report).expect("a folder");
    std::fs::create_dir_all(criterion.join("connect_to_accept/epoll/report")).expect("a folder");
    std::fs::write(report.join("index.html"), "").expect("a file");
    let run = record("measured");
    let written = write(reports.path(), &run, &folder, Some(&criterion)).expect("a page");
    assert_eq!(written, reports.path().join("index.html"));
    let html = std::fs::read_to_string(written).expect("the page");
    let link = "<a href=\"criterion/accept_burst/poll/256/report/index.html\">";
    assert!(row(&html, "accept_burst/256", "poll").contains(link));
    assert_eq!(html.matches("href=\"criterion/").count(), 1, "a link that leads nowhere");
    assert!(html.contains("href=\"runs/a%20b%23c/run.json\""));

    // Outside of the reports folder, and absent.
    let outside = tempfile::tempdir().expect("a folder");
    let report = outside.path().join("connect_to_accept/poll/report");
    std::fs::create_dir_all(&report).expect("a folder");
    std::fs::write(report.join("index.html"), "").expect("a file");
    write(reports.path(), &run, &folder, Some(outside.path())).expect("a page");
    let html = std::fs::read_to_string(reports.path().join("index.html")).expect("the page");
    let link = format!("href=\"{}/index.html\"", report.display());
    assert!(row(&html, "connect_to_accept", "poll").contains(&link), "{link}");
    let gone = reports.path().join("gone");
    write(reports.path(), &run, &folder, Some(&gone)).expect("a page");
    write(reports.path(), &run, &folder, None).expect("a page");
}

#[test]
fn a_page_that_cannot_be_written_says_where() {
    let reports = tempfile::tempdir().expect("a folder");
    let blocked = reports.path().join("file");
    std::fs::write(&blocked, "").expect("a file");
    let error = write(&blocked, &record("measured"), &PathBuf::from("runs/1"), None);
    let message = error.expect_err("a file is no folder").to_string();
    assert!(message.contains(&blocked.display().to_string()), "{message}");
}

#[test]
fn the_answer_follows_the_data() {
    let mut run = record("measured");
    let before = text(&page(&run));
    assert!(
        before.contains(
            "On a blocking listener 2 of 2 loops stalled. A non-blocking one cured 2 of 2."
        )
    );
    assert!(before.contains("accept hands over the dead socket (family linux)"));
    for id in ["stall/epoll-nonblocking/2", "stall/poll-blocking/2", "stall/poll-blocking/32"] {
        let stalled = u64::from(id.contains("nonblocking"));
        cell(&mut run, id).counts.insert("stalled".to_owned(), stalled);
    }
    let after = text(&page(&run));
    assert!(
        after.contains(
            "On a blocking listener 1 of 2 loops stalled. A non-blocking one cured 0 of 1."
        )
    );
}

#[test]
fn the_numbers_are_those_of_the_record() {
    let html = page(&record("measured"));
    let cells = |title: &str, series: &str| {
        let row = row(&html, title, series).replace("<small>", " ");
        let cells: Vec<String> = row.split("<td").skip(1).map(|td| format!("<td{td}")).collect();
        cells.iter().map(|cell| text(cell).replace('\u{a0}', " ").trim().to_owned()).collect()
    };
    let tokio: Vec<String> = cells("accept_burst/256", "tokio");
    let expected = [
        "1.22 ms [1.19, 1.37]",
        "4.78 µs",
        "",
        "1.83× [1.43, 2.09]",
        "slower",
        "1",
        "0",
        "6.45 µs",
        "2.00 accept4 1, brk 0.00391, epoll_ctl 1",
        "12",
    ];
    assert_eq!(tokio, expected);
    let natural: Vec<String> = cells("stall_natural/2", "tokio-blocking");
    assert!(natural.contains(&"85.3 % 819 of 960".to_owned()), "{natural:?}");
    let headline = section(&html, "natural");
    assert!(text(headline).contains("85.3\u{a0}%"), "{headline}");
}

#[test]
fn every_trial_is_a_mark_in_the_chart() {
    let run = record("measured");
    let html = page(&run);
    let backends = 2;
    let figures: Vec<&str> = html.split("<figure>").skip(1).collect();
    assert_eq!(figures.len(), 2, "one of each kernel");
    for (figure, group) in figures.iter().zip(["stall", "stall_berkeley"]) {
        let chart = figure.split("</svg>").next().unwrap_or(figure);
        let trials = |mode: &str| {
            let cells =
                run.cells().filter(|(g, _, cell)| g.name == group && cell.series.ends_with(mode));
            cells.map(|(_, _, cell)| cell.stalls.len()).sum::<usize>()
        };
        // Marks that are painted alike are one path: each begins with a move.
        let marks = |begins: &str| {
            let paths = chart.split("<path").filter(|path| path.starts_with(begins));
            let data = paths.filter_map(|path| path.split(" d=\"").nth(1)?.split('"').next());
            data.map(|data| data.matches('M').count()).sum::<usize>()
        };
        let filled = marks(" opacity=\"0.8\" fill=\"var(--series-");
        let hollow = marks(" fill=\"none\" stroke=\"var(--series-");
        assert_eq!(filled, trials("-blocking") + backends, "{group}");
        assert_eq!(hollow, trials("-nonblocking") + backends, "{group}");
        for name in ["epoll", "poll", "y = x", "2\u{a0}ms", "32\u{a0}ms", "bystander latency"] {
            assert!(chart.contains(name), "{name}");
        }
        let colours = chart.split("=\"#").skip(1).map(|rest| &rest[..6]).collect::<Vec<_>>();
        assert!(colours.is_empty(), "colours that dark mode does not know: {colours:?}");
    }
}

#[test]
fn the_closing_lines_are_as_they_were() {
    let run = record("measured");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/closing.txt");
    let trouble = |n: usize| format!("trouble {n}");
    let troubles: Vec<String> = (1..=5).map(trouble).collect();
    let page = Path::new("reports/index.html");
    let lines = report::closing(&run, Some(page), &troubles).join("\n") + "\n";
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(lines, golden, "if that is meant, write it to {}:\n{lines}", path.display());
}
