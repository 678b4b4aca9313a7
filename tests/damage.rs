//! A record that was damaged, in whatever way, gives a message or a result, and never a panic
//! nor a hang.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use rstall::compare::{self, Telling};
use rstall::record::{Run, store};
use rstall::report::{self, Links, Source};
use serde_json::{Map, Value, json};

/// How many damaged records of each kind are tried.
const TRIALS: u64 = 30;

/// How long one may take. A safety net: a hang is told by its seed.
const PATIENCE: Duration = Duration::from_secs(120);

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/measured.json")
}

/// Does with a record all that is done with one.
fn use_up(path: &Path, whole: &Run) -> &'static str {
    let damaged = match store::load(path) {
        Ok(run) => run,
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("run.json"), "it does not say which: {message}");
            return "a message";
        }
    };
    for (base, other) in [(whole, &damaged), (&damaged, whole), (&damaged, &damaged)] {
        let comparison = compare::compare(base, other);
        let _ = compare::text(&comparison, Telling { threshold: 0.05, all: true });
        serde_json::to_string(&comparison).expect("a comparison is JSON");
    }
    let _ = report::closing(&damaged, None, &[]);
    let source = |name: &str, run| Source { name: name.to_owned(), run, links: Links::default() };
    // An error is a message too.
    let _ = report::page(&[source("damaged", &damaged)]);
    let _ = report::page(&[source("whole", whole), source("damaged", &damaged)]);
    "a result"
}

/// Damages records in one way and uses each up; which gave a message, and which a result.
fn try_all(damage: fn(&mut Rng) -> Vec<u8>) -> (u64, u64) {
    let whole = store::load(&recorded()).expect("a record of the tests");
    let (mut messages, mut results) = (0, 0);
    for seed in 0..TRIALS {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.json");
        fs::write(&path, damage(&mut Rng::with_seed(seed))).expect("a file");
        let (whole, kept) = (whole.clone(), path.clone());
        let (done, came) = mpsc::channel();
        thread::spawn(move || {
            let used = catch_unwind(AssertUnwindSafe(|| use_up(&path, &whole)));
            let _ = done.send(used.ok());
        });
        match came.recv_timeout(PATIENCE) {
            Ok(Some("a message")) => messages += 1,
            Ok(Some(_)) => results += 1,
            Ok(None) => panic!("seed {seed}: a panic, its text is above"),
            Err(_) => panic!("seed {seed}: it hangs with {}", kept.display()),
        }
    }
    (messages, results)
}

#[test]
fn bytes_that_are_others_give_a_message_or_a_result() {
    let (messages, results) = try_all(|rng| {
        let mut text = fs::read(recorded()).expect("the record");
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..text.len());
            text[at] = rng.u8(..);
        }
        text
    });
    assert!(messages > 0 && results > 0, "{messages} messages, {results} results");
}

#[test]
fn a_record_that_ends_early_gives_a_message() {
    let (messages, results) = try_all(|rng| {
        let mut text = fs::read(recorded()).expect("the record");
        text.truncate(rng.usize(..text.len() - 2));
        text
    });
    assert_eq!((messages, results), (TRIALS, 0));
}

#[test]
fn values_of_another_type_give_a_message_or_a_result() {
    let (messages, results) = try_all(|rng| mutated(rng, 4, other_or_less));
    assert!(messages > 0 && results > 0, "{messages} messages, {results} results");
}

#[test]
fn values_that_cannot_be_give_a_message_or_a_result() {
    let (_, results) = try_all(|rng| mutated(rng, 60, of_its_type));
    assert!(results > TRIALS / 3, "{results} records were looked at further than their types");
}

/// The record with fewer than `most` of its values replaced.
fn mutated(rng: &mut Rng, most: usize, other: fn(&Value, &mut Rng) -> Value) -> Vec<u8> {
    let text = fs::read(recorded()).expect("the record");
    let mut value: Value = serde_json::from_slice(&text).expect("JSON");
    for _ in 0..rng.usize(1..most) {
        let at = somewhere(&mut value, rng);
        *at = other(at, rng);
    }
    serde_json::to_vec(&value).expect("JSON")
}

/// A value in it, the deeper the more likely.
fn somewhere<'a>(value: &'a mut Value, rng: &mut Rng) -> &'a mut Value {
    let members = match value {
        Value::Array(members) => members.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    if members == 0 || rng.u8(..) < 10 {
        return value;
    }
    let member = rng.usize(..members);
    let inner = match value {
        Value::Array(members) => &mut members[member],
        Value::Object(members) => members.values_mut().nth(member).expect("there are so many"),
        _ => unreachable!("nothing else has members"),
    };
    somewhere(inner, rng)
}

/// Anything at all, or an object with a key less.
fn other_or_less(value: &Value, rng: &mut Rng) -> Value {
    match (rng.u8(..10), value) {
        (0 | 1, Value::Object(old)) if !old.is_empty() => {
            let gone = old.keys().nth(rng.usize(..old.len())).expect("it has so many");
            let mut fewer = old.clone();
            fewer.remove(gone);
            fewer.into()
        }
        (0..=2, _) => Value::Null,
        (3, _) => rng.bool().into(),
        (4, _) => number(rng),
        (5, _) => string(rng),
        (6, _) => json!([]),
        (7, _) => json!([[[[1, "x"]]]]),
        (8, _) => Value::Object(Map::new()),
        _ => json!({"status": "measured", "point": null}),
    }
}

/// Another value of the type: the reader lets it through, but for names that it has to know.
fn of_its_type(value: &Value, rng: &mut Rng) -> Value {
    match value {
        Value::Bool(is) => Value::Bool(!is),
        Value::Number(old) if old.is_u64() => {
            let numbers = [0, 1, 2, 3, 41, u64::from(u32::MAX), u64::MAX / 2, u64::MAX];
            numbers[rng.usize(..numbers.len())].into()
        }
        Value::Number(_) => number(rng),
        Value::String(_) if rng.u8(..4) == 0 => string(rng),
        Value::Array(old) => match (rng.u8(..3), old.first()) {
            (0, Some(first)) => vec![first.clone(); 50].into(),
            (1, _) => old.iter().rev().cloned().collect(),
            _ => json!([]),
        },
        _ => value.clone(),
    }
}

fn number(rng: &mut Rng) -> Value {
    let numbers = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        1e-300,
        -1e-300,
        5e-324,
        1e300,
        -1e300,
        f64::MAX,
        f64::MIN,
        1e15,
        1.797e-9,
    ];
    json!(numbers[rng.usize(..numbers.len())])
}

fn string(rng: &mut Rng) -> Value {
    let strings = [
        "",
        "poll",
        "native",
        "posix",
        "posix-",
        "-blocking",
        "-nonblocking",
        "a/b/c/d",
        "\u{0}\u{1b}[31m",
        "<script>alert(1)</script>",
        "{{ 1 }}",
        "ü\u{301}\u{202e}",
        "-1",
        "18446744073709551616",
    ];
    match rng.usize(..=strings.len()) {
        at if at == strings.len() => "long ".repeat(2_000).into(),
        at => strings[at].into(),
    }
}
