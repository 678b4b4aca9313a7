//! The `rstall` program as a user meets it: its words, its exit codes, bad surroundings.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rstall::trial::Record;
use rstall::{backend, bench, fault, kernel};

fn rstall(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rstall"))
        .args(arguments)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

/// Runs the program from a shell that has set limits first.
fn limited(limits: &str, arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_rstall");
    Command::new("sh")
        .args(["-c", &format!("{limits}; exec '{program}' {arguments}")])
        .stdin(Stdio::null())
        .output()
        .expect("a shell starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

#[test]
fn list_names_everything_the_absent_too() {
    let output = rstall(&["list"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    let names = backend::ALL.iter().map(|entry| entry.name);
    let names = names.chain(fault::ALL.iter().map(|fault| fault.name));
    let names = names.chain(kernel::ALL.iter().map(|kernel| kernel.name));
    for name in names.chain(bench::GROUPS.iter().map(|group| group.name)) {
        let listed = text.lines().any(|line| line.split_whitespace().next() == Some(name));
        assert!(listed, "{name} is not in:\n{text}");
    }
    for entry in backend::ALL {
        if let Err(reason) = entry.driver() {
            assert!(text.contains(&reason), "{}'s reason is not told", entry.name);
        }
    }
}

#[test]
fn piped_output_is_plain() {
    for arguments in [&["list"][..], &["trial", "--fault", "clean"]] {
        let output = rstall(arguments);
        assert!(!output.stdout.contains(&0x1b), "an escape in {arguments:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rstall"))
        .arg("list")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Closed before the program has written: its write fails with EPIPE.
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((code(&output), err(&output)), (0, String::new()));
}

#[test]
fn a_stall_is_drawn_in_lanes_and_proved_in_words() {
    let output = rstall(&[
        "trial",
        "--backend",
        "poll",
        "--listener",
        "blocking",
        "--fault",
        "rival_in_window",
    ]);
    let text = out(&output);
    assert_eq!(code(&output), 0, "{text}{}", err(&output));
    // In order: what a stall consists of.
    let story = [
        "connect",
        "queued",
        "report: listener",
        "rival takes",
        "accept",
        "byte sent",
        "rescue: connect",
        "accepted",
        "echo byte",
        "STALLS: accept was entered",
    ];
    let mut rest = text.as_str();
    for step in story {
        let at = rest.find(step).unwrap_or_else(|| panic!("no `{step}` in its place:\n{text}"));
        rest = &rest[at + step.len()..];
    }
    for lane in ["client", "accept queue", "loop", "bystander"] {
        assert!(text.lines().next().is_some_and(|heads| heads.contains(lane)), "no lane {lane}");
    }
}

#[test]
fn the_cure_does_not_stall() {
    let output = rstall(&["trial", "--listener", "nonblocking", "--fault", "rival_in_window"]);
    assert_eq!(code(&output), 0);
    assert!(out(&output).contains("safe: nothing in vain"), "{}", out(&output));
    let returned = |line: &str| line.trim_end().ends_with("EWOULDBLOCK");
    assert!(out(&output).lines().any(returned), "{}", out(&output));
}

#[test]
fn a_modelled_kernel_is_called_modelled_and_vanishing_is_drawn() {
    if rstall::interpose::offered().is_err() {
        return; // tests/conformance.rs tells of it
    }
    let output = rstall(&["trial", "--kernel", "berkeley", "--fault", "reset_in_window"]);
    let text = out(&output);
    assert_eq!(code(&output), 0, "{text}{}", err(&output));
    let story =
        ["modelled: berkeley", "report: listener", "RST", "accept", "vanished", "STALLS: accept"];
    let mut rest = text.as_str();
    for step in story {
        let at = rest.find(step).unwrap_or_else(|| panic!("no `{step}` in its place:\n{text}"));
        rest = &rest[at + step.len()..];
    }
    let arguments = ["trial", "--kernel", "svr4", "--fault", "reset_queued", "--retry", "naive"];
    let many = rstall(&[&arguments[..], &["--trials", "3"]].concat());
    assert!(out(&many).starts_with("modelled: svr4"), "{}", out(&many));
    assert!(out(&many).contains("3  dies: aborted (EPROTO)"), "{}", out(&many));
    let json = rstall(&[&arguments[..], &["--json"]].concat());
    let record: Record = serde_json::from_str(out(&json).trim()).expect("a record");
    assert_eq!(record.kernel, "svr4");
    let native = rstall(&["trial", "--fault", "clean"]);
    assert!(!out(&native).contains("modelled"), "{}", out(&native));
}

#[test]
fn what_is_not_modelled_says_why_and_is_not_run() {
    if !cfg!(target_os = "linux") {
        let output = rstall(&["trial", "--kernel", "posix", "--fault", "clean"]);
        assert_eq!(code(&output), 2);
        assert!(err(&output).contains("Linux only"), "{}", err(&output));
        return;
    }
    let io_uring = backend::find("io_uring").expect("in the registry");
    if let Err(reason) = io_uring.driver() {
        eprintln!("skipped: {reason}");
        return;
    }
    let arguments = ["trial", "--backend", "io_uring", "--kernel", "posix", "--fault", "clean"];
    let output = rstall(&arguments);
    assert_eq!((code(&output), out(&output)), (2, String::new()));
    assert!(err(&output).contains("not modelled"), "{}", err(&output));
}

#[test]
fn the_probe_says_which_family_this_kernel_is_of() {
    let output = rstall(&["probe"]);
    let text = out(&output);
    assert_eq!(code(&output), 0, "{text}{}", err(&output));
    let first = text.lines().next().unwrap_or_default();
    assert!(first.contains("(family "), "{first}");
    for transport in ["tcp4", "unix"] {
        assert!(text.contains(transport), "{text}");
    }
    let json = rstall(&["probe", "--json"]);
    let probe: rstall::probe::Probe = serde_json::from_slice(&json.stdout).expect("a probe");
    assert!(first.contains(&probe.verdict.family), "{first}");
    assert_eq!(probe.kernel, "native");
}

#[test]
fn json_is_a_record_a_line() {
    let arguments = ["trial", "--fault", "drain_to_empty", "--trials", "4", "--json"];
    let output = rstall(&arguments);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    let records: Vec<Record> =
        text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    assert_eq!(records.len(), 4);
    for record in records {
        let stall = record.stall.expect("a draining loop on a blocking listener parks");
        assert!(stall.accept_entered < stall.rescue_began, "{record:?}");
        assert!(stall.rescue_began < stall.accept_returned, "{record:?}");
        assert_eq!(record.bystander_ns, None, "it drains on, and never answers");
    }
}

#[test]
fn verify_draws_a_letter_a_cell_and_says_what_letters_mean() {
    let arguments = ["verify", "--backend", "poll", "--fault", "clean", "--kernel", "native"];
    let output = rstall(&arguments);
    let text = out(&output);
    assert_eq!(code(&output), 0, "{text}{}", err(&output));
    assert!(text.starts_with("native\n  1\n  .  poll [blocking|nonblocking one"), "{text}");
    assert!(text.contains("\n  S STALLS   parked while it owed somebody"), "{text}");
    assert!(text.contains("12 cells on native: "), "{text}");
    assert!(text.contains("every one as the rules say"), "{text}");
    let json = rstall(&[&arguments[..], &["--json", "--trials", "1"]].concat());
    let lines: Vec<serde_json::Value> =
        out(&json).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 12);
    for line in lines {
        assert_eq!((&line["expected"], &line["modelled"]), (&true.into(), &false.into()), "{line}");
        assert!(line["why"].is_string() && line["rule"].is_string(), "{line}");
    }
    assert_eq!(code(&rstall(&["verify", "--fault", "cleen"])), 2);
}

#[test]
fn many_trials_are_counted() {
    let output = rstall(&["trial", "--backend", "mio", "--fault", "burst", "--trials", "7"]);
    let text = out(&output);
    assert!(text.contains("7 trials"), "{text}");
    // Edge-triggered, one accept a report: one of five is taken.
    assert!(text.contains("28    connections never taken"), "{text}");
}

#[test]
fn unknown_names_get_the_nearest() {
    for (arguments, nearest) in [
        (["trial", "--fault", "rival_in_windo"], "rival_in_window"),
        (["trial", "--backend", "epol"], "epoll"),
        (["trial", "--retry", "steven"], "stevens"),
        (["trial", "--kernel", "berkely"], "berkeley"),
        (["probe", "--kernel", "posic"], "posix"),
    ] {
        let output = rstall(&arguments);
        assert_eq!(code(&output), 2, "{}", err(&output));
        assert!(err(&output).contains(nearest), "{}", err(&output));
    }
    assert_eq!(code(&rstall(&["trial"])), 2, "a fault is wanted");
    assert_eq!(code(&rstall(&["trial", "--fault", "clean", "--discipline", "often"])), 2);
}

#[test]
fn what_is_not_applicable_says_why() {
    let output = rstall(&["trial", "--backend", "blocking", "--fault", "rival_in_window"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("there is no window"), "{}", err(&output));
}

#[test]
fn an_absent_backend_says_why() {
    let absent = if cfg!(target_os = "linux") { "kqueue" } else { "epoll" };
    let output = rstall(&["trial", "--backend", absent, "--fault", "clean"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("exists on"), "{}", err(&output));
}

#[test]
fn too_few_descriptors_name_the_limit_and_the_remedy() {
    let output = limited("ulimit -n 6", "trial --fault clean");
    assert_eq!(code(&output), 1, "{}", out(&output));
    assert!(err(&output).contains("ulimit -n"), "{}", err(&output));
    assert!(!err(&output).contains("panicked"), "{}", err(&output));
}

#[test]
fn an_overrun_backlog_is_void_and_not_a_hang() {
    // Six connections do not fit in a queue of one: Linux takes two, and drops the SYNs.
    let output = rstall(&["trial", "--fault", "burst", "--count", "6", "--backlog", "1"]);
    assert_eq!(code(&output), 1, "{}", out(&output));
    assert!(out(&output).contains("void"), "{}", out(&output));
}

#[test]
fn a_report_without_a_run_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = rstall(&["report", "--reports", &folder.path().display().to_string()]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("cargo bench"), "{}", err(&output));
}

/// A reports folder with one run that is whole.
fn reports_with_a_run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("runs/2026-01-01T00-00-00Z");
    fs::create_dir_all(&run).expect("a folder");
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/measured.json");
    fs::copy(recorded, run.join("run.json")).expect("a copy");
    folder
}

#[test]
fn a_damaged_run_is_named_and_an_older_one_is_used() {
    let folder = reports_with_a_run();
    for (name, damage) in [
        ("2026-02-01T00-00-00Z", &b"{\"schema\": 1, \"rstall\""[..]),
        ("2026-02-02T00-00-00Z", b"{\"schema\": 99}"),
        ("2026-02-03T00-00-00Z", b"\xff\xfe\x00"),
        ("2026-02-04T00-00-00Z", b""),
        ("2026-02-05T00-00-00Z", b"{\"schema\": 1}"),
    ] {
        let run = folder.path().join("runs").join(name);
        fs::create_dir_all(&run).expect("a folder");
        fs::write(run.join("run.json"), damage).expect("a file");
    }
    let output = rstall(&["report", "--reports", &folder.path().display().to_string()]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let warnings = err(&output);
    for day in 1..=5 {
        assert!(warnings.contains(&format!("2026-02-0{day}")), "{warnings}");
    }
    assert!(warnings.contains("update rstall"), "{warnings}");
    let page = fs::read_to_string(folder.path().join("index.html")).expect("the page");
    assert!(page.contains("</html>"), "the page is whole");
}

#[test]
fn a_folder_that_cannot_be_written_says_so_and_keeps_the_old_page() {
    if nix::unistd::geteuid().is_root() {
        // Root writes everywhere; a file in the place of the folder stops it all the same.
        let folder = tempfile::tempdir().expect("a folder");
        let blocked = folder.path().join("reports");
        fs::write(&blocked, "a file").expect("a file");
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/measured.json");
        let output = rstall(&[
            "report",
            &recorded.display().to_string(),
            "--reports",
            &blocked.display().to_string(),
        ]);
        assert_eq!(code(&output), 1);
        assert!(err(&output).contains("reports"), "{}", err(&output));
        assert_eq!(fs::read_to_string(&blocked).expect("still there"), "a file");
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let folder = reports_with_a_run();
    fs::write(folder.path().join("index.html"), "the old page").expect("a file");
    let set = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode));
    set(0o555).expect("our own folder");
    let output = rstall(&["report", "--reports", &folder.path().display().to_string()]);
    set(0o755).expect("our own folder");
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("permission denied"), "{}", err(&output));
    let page = fs::read_to_string(folder.path().join("index.html")).expect("still there");
    assert_eq!(page, "the old page");
}
