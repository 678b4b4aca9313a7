//! The probe and the four kernels are told on every page and in every run's last lines.

use rstall::kernel;
use rstall::probe::verdict::{Answer, Verdict};
use rstall::record::Run;

use super::markup::{escaped, section, text};
use super::{all_records, closing, page, record};

/// What a run without a probe says.
const NONE: &str = "No probe says what this kernel does with a TCP connection that is reset \
                    before accept: this run was not probed";

#[test]
fn every_report_has_the_verdict_or_says_that_there_is_none() {
    for (name, run) in all_records() {
        let (html, lines) = (page(&run), closing(&run));
        let probe = section(&html, "probe");
        match &run.probe {
            None => {
                assert_eq!(name, "old");
                assert!(lines.contains(NONE), "{name}: {lines}");
                assert!(text(section(&html, "answer")).contains("this run was not probed"));
                assert!(probe.contains("This run was not probed"), "{name}: {probe}");
            }
            Some(found) => {
                let verdict = found.verdict.words();
                assert!(text(probe).contains(&verdict[1..]), "{name}: {probe}");
                assert!(!lines.contains("not probed"), "{name}: {lines}");
                let answer = match found.verdict.answer {
                    Some(answer) => answer.words(),
                    None => "reset before accept: none could be made",
                };
                assert!(lines.contains(answer), "{name}: {lines}");
            }
        }
    }
}

#[test]
fn an_older_record_is_native_and_was_not_probed() {
    let old = record("old");
    assert_eq!(old.schema, 1);
    assert!(old.probe.is_none() && old.kernels.is_empty() && old.price.is_none());
    assert!(old.map.is_none());
    assert!(old.groups.iter().all(|group| !group.is_modelled()));
    let html = page(&old);
    let kernels = text(section(&html, "kernels"));
    assert_eq!(kernels.matches("not looked at in this run").count(), kernel::ALL.len());
    assert!(kernels.contains("was not measured in this run"), "{kernels}");
    assert!(!html.contains("<span class=\"mark modelled\">modelled: "), "nothing is modelled");
    // Apart from that, it says what a run of today says of its native groups.
    let mut today = record("measured");
    today.groups.retain(|group| !group.is_modelled());
    today.map = None;
    let findings = |run: &Run| closing(run).lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(findings(&old), findings(&today));
}

#[test]
fn the_experiments_are_in_a_table_with_what_differs() {
    let run = record("interrupted");
    let probe = run.probe.as_ref().expect("a probe");
    assert_eq!(probe.differing().count(), 1, "the record was meant to have one that differs");
    let html = page(&run);
    let section = section(&html, "probe");
    let rows: Vec<&str> = section.split("<tr>").skip(2).collect();
    for (experiment, row) in probe.experiments.iter().zip(&rows) {
        let head = format!("<th scope=\"row\">{}</th>", escaped(&experiment.transport));
        assert!(row.starts_with(&head), "{row}");
        for (name, seen) in experiment.observed.fields() {
            assert!(text(row).contains(seen.unwrap_or("\u{2013}")), "{name}: {row}");
        }
        let differs = !experiment.differs.is_empty();
        assert_eq!(row.contains("class=\"word failed\">differs: accept<"), differs, "{row}");
        assert_eq!(row.contains("<small>documented: a descriptor</small>"), differs, "{row}");
    }
    let clause = "1 of all 4 experiments differs from what is documented (mptcp, reset: accept)";
    assert!(text(section).contains(clause), "{section}");
    assert!(closing(&run).contains(&format!("(family linux); {clause}")), "{}", closing(&run));
    assert!(text(section).contains("differs: It is inherited by the sockets that accept(2) gives"));
    for absent in &probe.absent {
        assert!(text(section).contains(&format!("{}: {}", absent.what, absent.why)), "{section}");
    }
    let html = page(&record("measured"));
    assert!(!html.contains("differs:") && !closing(&record("measured")).contains("differ from"));
}

#[test]
fn what_was_counted_is_told() {
    let run = record("measured");
    let html = page(&run);
    let section = text(section(&html, "probe"));
    let probe = run.probe.as_ref().expect("a probe");
    let names: Vec<&str> = probe.backends.iter().map(|one| &*one.backend).collect();
    let told = format!("accepted dead (ECONNRESET): {}", names.join(", "));
    assert!(section.contains(&told), "{section}");
    assert!(
        section.contains("It is not inherited by the sockets that accept(2) gives, as documented")
    );
    for wakeups in &probe.wakeups {
        assert!(section.contains(wakeups.trigger.name()), "{section}");
        assert!(section.contains(&format!("{:.2}", wakeups.mean())), "{section}");
        for (woken, connections) in &wakeups.connections {
            assert!(section.contains(&format!("{connections} woke {woken}")), "{section}");
        }
    }
}

#[test]
fn experiments_that_do_not_agree_have_no_verdict() {
    let mut run = record("measured");
    let probe = run.probe.as_mut().expect("a probe");
    probe.experiments[0].observed.accept = Some("ECONNABORTED".to_owned());
    probe.verdict = Verdict::of(&probe.experiments);
    assert_eq!(probe.verdict.family, "mixed");
    let lines = closing(&run);
    assert!(lines.contains("\n6 experiments of the probe with a TCP connection"), "{lines}");
    assert!(lines.contains("they do not come to the same") && !lines.contains("of 6 experiments"));
    assert!(text(&page(&run)).contains("the experiments differ."));

    // A figure counts the experiments that gave the answer, whatever the record calls it.
    let probe = run.probe.as_mut().expect("a probe");
    probe.verdict.answer = Some(Answer::HandsOver);
    assert!(closing(&run).contains("\n5 of 6 experiments"), "{}", closing(&run));
}

#[test]
fn the_four_kernels_have_a_row_each_with_what_was_seen() {
    for (name, run) in all_records() {
        let html = page(&run);
        let section = section(&html, "kernels");
        let row = |kernel: &str| {
            let head = format!("<th scope=\"row\">{}<", escaped(kernel));
            let row = section.split("<tr>").find(|row| row.starts_with(&head));
            row.unwrap_or_else(|| panic!("{name}: no row of {kernel}"))
        };
        for kernel in kernel::ALL {
            let row = row(kernel.name);
            let seen = run.kernels.iter().find(|seen| seen.name == kernel.name);
            for told in [kernel.systems, kernel.source, &kernel.about.replace('`', "")] {
                assert!(text(row).contains(told), "{name}: {row}");
            }
            assert_eq!(row.contains(">modelled</span>"), !kernel.is_native(), "{name}: {row}");
            let observed = kernel.is_native() && seen.is_some_and(|seen| seen.seen.is_ok());
            assert_eq!(row.contains(">observed</span>"), observed, "{name}: {row}");
        }
        for kernel in &run.kernels {
            let row = text(row(&kernel.name));
            match &kernel.seen {
                Ok(seen) => {
                    let seen =
                        [&seen.queued, &seen.in_window_blocking, &seen.in_window_nonblocking];
                    assert!(seen.iter().all(|one| row.contains(&***one)), "{name}: {row}");
                }
                Err(why) => assert!(row.contains(why), "{name}: {row}"),
            }
        }
    }
    let kernels = text(section(&page(&record("measured")), "kernels"));
    assert!(kernels.contains("1.12\u{a0}µs [1.07, 1.16]"), "{kernels}");
    let refused = text(section(&page(&record("interrupted")), "kernels"));
    assert!(refused.contains("was not measured: this program's accepts do not come"), "{refused}");
}

#[test]
fn a_record_does_not_make_another_kernel_this_machine_s_own() {
    let mut run = record("measured");
    for kernel in &mut run.kernels {
        kernel.modelled = false;
    }
    let html = page(&run);
    let modelled = section(&html, "kernels").matches(">modelled</span>").count();
    assert_eq!(modelled, kernel::ALL.len() - 1);
    run.probe.as_mut().expect("a probe").kernel = "berkeley".to_owned();
    assert!(closing(&run).contains("on modelled berkeley: accept hands over"));
    let html = page(&run);
    assert!(section(&html, "probe").contains("<span class=\"mark modelled\">modelled: berkeley<"));
}
