//! `rstall show`: one trial, drawn for a terminal, for a file, for a program.

use std::fs;
use std::process::{Command, Output, Stdio};

use rstall::fault;
use rstall::trial::Record;

/// Runs the program in a surrounding with no locale and no wish for colour but these.
fn show(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rstall"));
    for name in ["LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.arg("show").args(arguments).envs(variables.iter().copied()).stdin(Stdio::null());
    command.output().expect("the program starts")
}

fn out(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn a_fault_is_shown_ill_and_cured_without_any_option() {
    let ill = out(&show(&["rival_in_window"], &[]));
    let title = "rival_in_window on poll, blocking listener, discipline one, retry set stevens\n";
    assert!(ill.starts_with(title), "{ill}");
    assert!(ill.contains("\nSTALLS: ") && ill.contains("PARKED in accept"), "{ill}");
    let cured = out(&show(&["rival_in_window", "--cured"], &[]));
    assert!(cured.starts_with("rival_in_window on poll, nonblocking listener"), "{cured}");
    assert!(cured.contains("\nsafe: ") && !cured.contains("PARKED"), "{cured}");
    // A control has one loop.
    assert!(out(&show(&["clean"], &[])).contains("\nsafe: "));
}

#[test]
fn every_line_fits_and_every_step_has_its_sentence() {
    for fault in ["rival_in_window", "herd", "stop_parked", "burst", "reset_in_window"] {
        let text = out(&show(&[fault], &[]));
        let long = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(long, None, "{text}");
        let number = |line: &str| {
            let spaced = line.get(2..3) == Some(" ");
            line.get(..2)?.trim().parse::<usize>().ok().filter(|_| spaced)
        };
        let numbers: Vec<usize> = text.lines().filter_map(number).collect();
        let steps = numbers.len() / 2;
        let twice: Vec<usize> = (1..=steps).chain(1..=steps).collect();
        assert_eq!(numbers, twice, "drawn, then told:\n{text}");
    }
}

#[test]
fn the_locale_decides_of_what_it_is_drawn_unless_told_otherwise() {
    let utf8 = ("LC_ALL", "C.UTF-8");
    let drawn = |arguments: &[&str], variables: &[(&str, &str)]| {
        let text = out(&show(&[&["clean"], arguments].concat(), variables));
        (text.contains('│') || text.contains('┌'), text.is_ascii())
    };
    let (unicode, ascii) = ((true, false), (false, true));
    assert_eq!(drawn(&[], &[]), ascii);
    assert_eq!(drawn(&[], &[("LANG", "de_AT.UTF-8")]), unicode);
    assert_eq!(drawn(&[], &[("LANG", "de_AT.UTF-8"), ("LC_ALL", "C")]), ascii);
    assert_eq!(drawn(&["--ascii"], &[utf8]), ascii);
    assert_eq!(drawn(&["--unicode"], &[]), unicode);
}

#[test]
fn colour_is_for_who_asks_and_never_for_a_file() {
    let escapes = |variables: &[(&str, &str)]| out(&show(&["clean"], variables)).contains('\u{1b}');
    assert!(!escapes(&[]), "piped");
    assert!(escapes(&[("CLICOLOR_FORCE", "1")]));
    assert!(!escapes(&[("NO_COLOR", "1")]));
}

#[test]
fn json_is_a_timeline_and_the_record_that_it_was_read_off() {
    let text = out(&show(&["rival_in_window", "--json"], &[]));
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(keys(&json), ["record", "timeline"]);
    let timeline = &json["timeline"];
    assert_eq!(keys(timeline), ["lanes", "modelled", "rows", "spans", "title"]);
    let names: Vec<&str> = timeline["lanes"]
        .as_array()
        .expect("lanes")
        .iter()
        .filter_map(|l| l["name"].as_str())
        .collect();
    assert_eq!(names, ["client", "accept queue", "loop", "bystander"]);
    let record: Record = serde_json::from_value(json["record"].clone()).expect("a record");
    let rows = timeline["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), record.events.len(), "nothing repeats itself here");
    for (row, event) in rows.iter().zip(&record.events) {
        let of =
            ["at_ns", "gap_ns", "label", "lane", "of", "queued", "sentence", "tone", "took_ns"];
        assert_eq!(keys(row), of);
        let since = event.at - record.events[0].at;
        assert_eq!(row["at_ns"].as_u64(), Some(rstall::clock::nanos(since)), "{row}");
        assert!(row["lane"].as_u64().is_some_and(|lane| lane < 4), "{row}");
        assert!(row["sentence"].as_str().is_some_and(|told| told.ends_with('.')), "{row}");
    }
    let spans = timeline["spans"].as_array().expect("spans");
    for span in spans {
        assert_eq!(keys(span), ["doing", "from", "lane", "parked", "to", "track"]);
    }
    let parked: Vec<&str> =
        spans.iter().filter(|s| s["parked"] == true).filter_map(|s| s["doing"].as_str()).collect();
    assert_eq!(parked, ["in accept", "waits for its byte"]);
}

#[test]
fn an_svg_file_stands_alone_for_light_and_for_dark() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("herd.svg");
    let told = out(&show(&["herd", "--svg", &path.display().to_string()], &[]));
    assert_eq!(told, "");
    let svg = fs::read_to_string(&path).expect("the file");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    for part in ["xmlns=", "prefers-color-scheme: dark", "<title id=", "<desc id="] {
        assert!(svg.contains(part), "no {part}");
    }
    let addresses = svg.matches("://").count();
    assert_eq!(addresses, 1, "the name of SVG itself, and nothing that is loaded");
    let nowhere = folder.path().join("herd.svg/herd.svg").display().to_string();
    let output = show(&["clean", "--svg", &nowhere], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("herd.svg"));
}

#[test]
fn what_cannot_be_shown_says_why() {
    let code = |arguments: &[&str]| {
        let output = show(arguments, &[]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (exit, told) = code(&["rival_in_window", "--backend", "blocking"]);
    assert!(exit == Some(2) && told.contains("there is no window"), "{told}");
    let (exit, told) = code(&["herd", "--arm", "shared_3"]);
    assert!(exit == Some(2) && told.contains("shared_2, shared_4"), "{told}");
    let (exit, told) = code(&["nonblock_cleared", "--listener", "blocking"]);
    assert!(exit == Some(2) && told.contains("no backend"), "{told}");
    let (exit, told) = code(&["rival"]);
    assert!(exit == Some(2) && told.contains(fault::ALL[4].name), "{told}");
}
