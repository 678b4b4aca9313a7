//! Comparisons of fixed records, as `rstall compare` tells them; Criterion's baselines too.
//!
//! The records in `data/compare/` are of three runs of one program on one machine: `before`,
//! `again`, and `slowed` with `--handicap tokio=10%`, less what a comparison does not read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rstall::compare::{self, Comparison, Finding, Telling};
use rstall::record::{Run, Status, store};
use serde_json::Value;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compare").join(name)
}

fn record(name: &str) -> Run {
    store::load(&data(name).with_extension("json")).expect("a record of the tests")
}

fn told(comparison: &Comparison) -> String {
    let text = compare::text(comparison, Telling { threshold: 0.05, all: false });
    anstream::adapter::strip_str(&text).to_string()
}

/// Holds a text against the one in `data/compare/`, which `RSTALL_BLESS=1` writes anew.
fn assert_as_before(name: &str, text: &str) {
    if std::env::var_os("RSTALL_BLESS").is_some() {
        fs::write(data(name), text).expect("the folder can be written");
    }
    assert_eq!(text, fs::read_to_string(data(name)).expect("the text is there"), "{name}");
}

#[test]
fn of_two_runs_of_the_same_code_hardly_a_cell_is_flagged_and_no_backend() {
    let (before, again) = (record("before"), record("again"));
    for (base, other) in [(&before, &again), (&again, &before)] {
        let comparison = compare::compare(base, other);
        let compared = comparison.cells.iter().filter(|cell| cell.change.is_ok()).count();
        let flagged = comparison.cells.iter().filter(|cell| cell.changed().is_some()).count();
        assert!(compared > 50, "{compared}");
        assert!(flagged * 20 <= compared, "{flagged} of {compared}");
        for backend in &comparison.backends {
            assert_eq!(backend.change.finding, Finding::Indistinguishable, "{backend:?}");
        }
    }
}

#[test]
fn a_backend_that_was_slowed_down_is_found_and_no_other() {
    for base in ["before", "again"] {
        let comparison = compare::compare(&record(base), &record("slowed"));
        for backend in &comparison.backends {
            let finding = backend.change.finding;
            match (&*backend.name, &*backend.kernel) {
                ("tokio", "native") => assert_eq!(finding, Finding::Worse, "{backend:?}"),
                _ => assert_eq!(finding, Finding::Indistinguishable, "{backend:?}"),
            }
        }
        let worse = comparison.worse(0.05);
        assert!(worse.iter().all(|name| name.contains("tokio")), "{worse:?}");
    }
}

#[test]
fn a_cell_alone_is_as_noisy_as_it_is_among_all() {
    let (before, again) = (record("before"), record("again"));
    let all = compare::compare(&before, &again);
    let id = "accept_burst/async_io/256";
    let alone = compare::compare_those(&before, &again, |one| one == id);
    let of = |comparison: &Comparison| {
        let cell = comparison.cells.iter().find(|cell| cell.id == id).expect("it is there");
        cell.change.clone().expect("compared").ratio
    };
    assert_eq!(alone.cells.len(), 1);
    assert_eq!(of(&alone), of(&all));
}

#[test]
fn a_comparison_is_told_as_it_was() {
    let same = compare::compare(&record("before"), &record("again"));
    assert_as_before("same.txt", &told(&same));
    let slowed = compare::compare(&record("before"), &record("slowed"));
    assert_as_before("slowed.txt", &told(&slowed));
}

#[test]
fn as_json_it_is_what_it_was() {
    let bursts = |name: &str| {
        let mut run = record(name);
        run.groups.retain(|group| group.name == "accept_burst");
        run
    };
    let comparison = compare::compare(&bursts("before"), &bursts("slowed"));
    let found = serde_json::to_string(&comparison).expect("JSON");
    if std::env::var_os("RSTALL_BLESS").is_some() {
        fs::write(data("compared.json"), format!("{found}\n")).expect("it can be written");
    }
    let expected = fs::read(data("compared.json")).expect("it is there");
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("JSON");
    assert_near(&value(found.as_bytes()), &value(&expected), "");
}

/// That two values are the same, but for the last digits, which a system's logarithm decides.
fn assert_near(found: &Value, expected: &Value, at: &str) {
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{at}: {found} {expected}");
            for (key, value) in a {
                assert_near(value, &b[key], &format!("{at}/{key}"));
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{at}");
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                assert_near(a, b, &format!("{at}/{place}"));
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().expect("a number"), b.as_f64().expect("a number"));
            assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{at}: {a} {b}");
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

#[test]
fn what_the_two_differ_in_is_said_first() {
    type Differ = fn(&mut Run);
    let differences: [(&str, Differ); 14] = [
        ("the system differs", |run| run.host.system = "NetBSD".to_owned()),
        ("the kernel differs", |run| run.host.kernel = "7.0".to_owned()),
        ("the CPU differs", |run| run.host.cpu = None),
        ("the number of CPUs differs", |run| run.host.cpus = 64),
        ("the version of rstall differs", |run| run.rstall = "9.9".to_owned()),
        ("the version of mio differs", |run| {
            run.host.versions.insert("mio".to_owned(), "9.9".to_owned());
        }),
        ("the limit net.core.somaxconn differs", |run| {
            run.host.limits.remove("net.core.somaxconn");
        }),
        ("the pinning differs", |run| run.options.pin = Some((0, 1))),
        ("the build differs", |run| run.options.optimised = false),
        ("slowed down on purpose", |run| {
            run.options.handicap = record("slowed").options.handicap;
        }),
        ("was interrupted", |run| run.interrupted = true),
        ("is of format 3", |run| run.schema = 3),
        ("is noisy", |run| {
            for collection in run.groups.iter_mut().flat_map(|group| &mut group.collections) {
                collection.control = collection.control.map(|mut control| {
                    control.point = 1.5;
                    control
                });
            }
        }),
        ("accept_burst/poll/16 2.00x", |run| {
            for cell in
                run.groups.iter_mut().flat_map(|g| &mut g.collections).flat_map(|c| &mut c.cells)
            {
                if let (Some(median), "accept_burst/poll/16") = (&mut cell.median, &*cell.id) {
                    median.point *= 2.0;
                }
            }
        }),
    ];
    let base = record("before");
    let none = compare::compare(&base, &base).warnings;
    assert!(none.is_empty(), "{none:?}");
    for (warning, differ) in differences {
        let mut other = base.clone();
        differ(&mut other);
        let comparison = compare::compare(&base, &other);
        let found: Vec<&String> =
            comparison.warnings.iter().filter(|said| said.contains(warning)).collect();
        assert_eq!(found.len(), 1, "{warning}: {:?}", comparison.warnings);
        assert!(told(&comparison).starts_with("warning: "), "{warning}");
    }
}

#[test]
fn what_is_not_compared_says_why() {
    let base = record("before");
    let mut other = base.clone();
    let burst = &mut other.groups[0].collections[1];
    let gone = burst.cells.remove(1);
    burst.cells[1].status = Status::Failed("5 offered, 4 answered".to_owned());
    let failed = burst.cells[1].id.clone();
    let comparison = compare::compare(&base, &other);
    let why = |id: &str| {
        let cell = comparison.cells.iter().find(|cell| cell.id == id).expect("it is there");
        cell.change.clone().expect_err("not compared")
    };
    assert_eq!(why(&gone.id), "not in the other run");
    assert_eq!(why(&failed), "in the other run failed: 5 offered, 4 answered");
    assert_eq!(why("accept_burst/poll/16"), "it is the reference");
    assert!(why("accept_burst/kqueue/16").starts_with("in the base skipped: "));
    assert!(why("stall/poll-blocking/2").contains("stalled"), "a stall lasts as long as it lasts");
    let turned = compare::compare(&other, &base);
    let added = turned.cells.iter().find(|cell| cell.id == gone.id).expect("it is there");
    assert_eq!(added.change.clone().expect_err("not compared"), "not in the base");
}

#[test]
fn what_a_record_says_does_not_reach_the_terminal_as_a_command() {
    let mut run = record("before");
    run.host.kernel = "\u{1b}[2Jgone".to_owned();
    for cell in &mut run.groups[0].collections[0].cells {
        cell.id.push_str("\u{1b}[2J");
    }
    let comparison = compare::compare(&record("before"), &run);
    let text = compare::text(&comparison, Telling { threshold: 0.05, all: true });
    assert!(text.contains("gone") && !text.contains("[2J\u{1b}") && !text.contains("\u{1b}[2J"));
}

fn rstall(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rstall"))
        .args(arguments)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_exit_status_says_whether_something_got_worse() {
    let path = |name: &str| data(name).display().to_string();
    let (before, again, slowed) = (path("before.json"), path("again.json"), path("slowed.json"));
    let run = |arguments: &[&str]| {
        let output = rstall(&[&["compare"], arguments].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let same = run(&[&before, &again]);
    assert_eq!((same.0, same.2), (Some(0), String::new()));
    assert!(same.1.contains("Nothing got worse by more than 5 % and the noise."), "{}", same.1);
    let worse = run(&[&before, &slowed]);
    assert_eq!(worse.0, Some(1));
    assert!(worse.1.starts_with("warning: "), "{}", worse.1);
    // By a tenth is not by more than a half, nor is it better that is worse.
    assert_eq!(run(&[&before, &slowed, "--threshold", "50%"]).0, Some(0));
    assert_eq!(run(&[&slowed, &before]).0, Some(0));
    let json = run(&[&before, &slowed, "--json", "--filter", "^accept_burst/"]);
    assert_eq!(json.0, Some(1));
    let value: Value = serde_json::from_str(&json.1).expect("JSON");
    let cells = value["cells"].as_array().expect("cells");
    assert!(!cells.is_empty() && cells.iter().all(|cell| cell["group"] == "accept_burst"));
    for (arguments, why) in [
        (vec![&*before, "nowhere"], "nowhere"),
        (vec![&*before, &*again, "--filter", "^nothing$"], "in common that ^nothing$ matches"),
        (vec![&*before, "reports/criterion@nobody"], "criterion"),
        (vec![&*before, &*again, "--threshold", "much"], "0% to 1000%"),
    ] {
        let (code, _, said) = run(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}

/// One benchmark's baseline, as Criterion leaves it.
fn benchmark(folder: &Path, function: &str, baseline: &str, times: &[f64]) {
    let folder = folder.join("accept_burst").join(function).join("16").join(baseline);
    fs::create_dir_all(&folder).expect("a folder");
    let id = format!("accept_burst/{function}/16");
    let benchmark = serde_json::json!({
        "group_id": "accept_burst", "function_id": function, "value_str": "16",
        "throughput": {"Elements": 16}, "full_id": id, "directory_name": id, "title": id,
    });
    // Two nominal iterations a sample.
    let doubled: Vec<f64> = times.iter().map(|time| 2.0 * time).collect();
    let iters = vec![2.0; times.len()];
    let samples = serde_json::json!({"sampling_mode": "Flat", "iters": iters, "times": doubled});
    fs::write(folder.join("benchmark.json"), benchmark.to_string()).expect("a file");
    fs::write(folder.join("sample.json"), samples.to_string()).expect("a file");
}

#[test]
fn a_baseline_of_criterion_is_paired_by_round() {
    let folder = tempfile::tempdir().expect("a folder");
    // The weather of a round doubles all of its times; a series' ratio does not see it.
    let weather: Vec<f64> = (0..40).map(|round| 1000.0 * f64::from(1 + round * 7 % 5)).collect();
    let times = |factor: f64| -> Vec<f64> {
        let wobble = |(at, w): (usize, &f64)| w * factor * (1.0 + 0.002 * (at % 3) as f64);
        weather.iter().enumerate().map(wobble).collect()
    };
    for baseline in ["before", "after"] {
        let slower = if baseline == "after" { 1.2 } else { 1.0 };
        benchmark(folder.path(), "poll", baseline, &weather);
        for (series, factor) in [("mio", slower), ("epoll", 1.0), ("tokio", 1.3), ("select", 0.9)] {
            benchmark(folder.path(), series, baseline, &times(factor));
        }
    }
    let of = |baseline: &str| format!("{}@{baseline}", folder.path().display());
    let before = store::named(&of("before")).expect("a baseline");
    let cells: Vec<_> = before.cells().collect();
    assert_eq!(cells.len(), 5);
    let (group, collection, mio) = cells.iter().find(|(_, _, c)| c.series == "mio").expect("mio");
    assert_eq!((&*group.reference, collection.parameter.as_deref()), ("poll", Some("16")));
    assert_eq!(mio.samples, 40);
    let ratio = mio.ratio.expect("a ratio").raw;
    assert!(ratio.holds(1.002) && ratio.high - ratio.low < 0.01, "{ratio:?}");

    let comparison = compare::compare(&before, &store::named(&of("after")).expect("a baseline"));
    assert!(comparison.warnings.iter().any(|said| said.contains("nothing is known")));
    assert_eq!(comparison.worse(0.05), ["accept_burst/mio/16"]);

    let broken = folder.path().join("accept_burst/mio/16/after/sample.json");
    for damage in
        ["", "{", "[]", r#"{"iters": [1.0], "times": []}"#, r#"{"iters": [0], "times": [1]}"#]
    {
        fs::write(&broken, damage).expect("a file");
        let error = store::named(&of("after")).expect_err("damaged").to_string();
        assert!(error.contains("sample.json") && error.contains("leave"), "{damage}: {error}");
    }
    let error = store::named(&of("nobody")).expect_err("no such baseline").to_string();
    assert!(error.contains("nobody"), "{error}");
}
