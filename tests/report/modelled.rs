//! What a modelled kernel brought about is called so, and stands with nothing that is native.

use rstall::record::{Collection, Group, Run};
use rstall::report;

use super::markup::{row, section, table, text};
use super::{all_records, closing, page, record, title};

/// Words of the caveat of rows that a modelled kernel brought about.
const PRICE: &str = "includes the model&#39;s price";

/// The mark of a modelled kernel.
fn mark(kernel: &str) -> String {
    format!("<span class=\"mark modelled\">modelled: {kernel}</span>")
}

/// Makes all numbers of some groups others.
fn change(run: &mut Run, which: impl Fn(&Group) -> bool) {
    let groups = run.groups.iter_mut().filter(|group| which(group));
    for collection in groups.flat_map(|group| &mut group.collections) {
        for estimate in collection.control.iter_mut() {
            (estimate.point, estimate.low, estimate.high) = (7.0, 5.0, 9.0);
        }
        for cell in &mut collection.cells {
            for estimate in cell.median.iter_mut().chain(&mut cell.mean) {
                (estimate.point, estimate.low, estimate.high) = (7e6, 5e6, 9e6);
            }
            for ratio in cell.ratio.iter_mut() {
                for estimate in [&mut ratio.raw, &mut ratio.judged] {
                    (estimate.point, estimate.low, estimate.high) = (70.0, 50.0, 90.0);
                }
            }
            for count in cell.counts.values_mut() {
                *count = *count / 2 + 3;
            }
            for (rescue, latency) in &mut cell.stalls {
                (*rescue, *latency) = (*rescue * 3, *latency * 5);
            }
        }
    }
}

/// What a report says of one kind of kernels: its lines, the parts of its answer, its charts,
/// its differences and its tables.
fn told(run: &Run, modelled: bool) -> Vec<String> {
    let (html, lines) = (page(run), closing(run));
    let is_told = |text: &str| text.to_lowercase().contains("modelled") == modelled;
    // The probe, the kernels and the map are in both; what is missing is of all cells.
    let lines = lines
        .lines()
        .skip(2)
        .filter(|line| !["Map", "Missing", "Report"].iter().any(|first| line.starts_with(first)));
    let mut told: Vec<String> = lines.filter(|l| is_told(l)).map(str::to_owned).collect();
    let answer = section(&html, "answer");
    told.extend(
        answer
            .split("<dt>")
            .skip(2)
            .filter(|dt| is_told(dt.split("</dl>").next().unwrap_or(dt)))
            .map(str::to_owned),
    );
    let figures =
        html.split("<figure>").skip(1).filter_map(|figure| figure.split("</figure>").next());
    told.extend(figures.filter(|figure| is_told(figure)).map(str::to_owned));
    let differences = section(&html, "differences");
    told.extend(
        differences
            .split("<dt")
            .skip(1)
            .filter(|dt| is_told(dt.split("</dd>").next().unwrap_or(dt)))
            .map(|dt| dt.split("</dd>").next().unwrap_or(dt).to_owned()),
    );
    if !modelled {
        told.extend(
            [html.split("<main>").next().unwrap_or(&html), section(&html, "natural")]
                .map(str::to_owned),
        );
    }
    for (group, collection) in collections(run).filter(|(group, _)| group.is_modelled() == modelled)
    {
        told.push(table(&html, &title(&group.name, collection.parameter.as_deref())).to_owned());
    }
    told
}

fn collections(run: &Run) -> impl Iterator<Item = (&Group, &Collection)> {
    run.groups.iter().flat_map(|group| group.collections.iter().map(move |c| (group, c)))
}

#[test]
fn neither_kind_of_kernel_changes_what_is_said_of_the_other() {
    let before = record("measured");
    assert!(before.groups.iter().filter(|group| group.is_modelled()).count() > 1);
    for modelled in [false, true] {
        let mut after = before.clone();
        change(&mut after, |group| group.is_modelled() == modelled);
        let (left, right) = (told(&before, !modelled), told(&after, !modelled));
        assert_eq!(left.len(), right.len(), "modelled: {modelled}");
        for (left, right) in left.iter().zip(&right) {
            assert_eq!(left, right, "modelled: {modelled}");
        }
        let (own, others) = (told(&before, modelled), told(&after, modelled));
        assert_eq!(own.len(), others.len());
        // All that was said of those that were changed is another thing now.
        let same: Vec<&String> = own.iter().filter(|one| others.contains(one)).collect();
        assert!(same.is_empty(), "modelled: {modelled}: {same:#?}");
    }
}

#[test]
fn a_modelled_group_is_never_taken_for_the_native_one_of_its_name() {
    let mut run = record("measured");
    run.groups.retain(|group| ["stall", "stall_natural"].contains(&&*group.name));
    for group in &mut run.groups {
        group.kernel = "svr4".to_owned();
    }
    let html = page(&run);
    assert!(text(&html).contains("The stall was not measured in this run."));
    assert!(section(&html, "stall-chart").contains("there is no chart"));
    assert!(section(&html, "natural").contains("was not measured in this run"));
    let lines = closing(&run);
    assert!(!lines.contains("took the connection") && !lines.contains("nobody forcing"), "{lines}");
    assert_eq!(lines.matches("stalled on modelled svr4").count(), 2, "{lines}");
    assert!(!lines.contains("Noise floor"), "a modelled control is no noise of the run: {lines}");
}

#[test]
fn the_modelled_stall_has_a_sentence_of_its_own() {
    let run = record("measured");
    let words = "2 of 2 loops on a blocking listener stalled on modelled berkeley (4.4BSD and \
                 kernels of its time) when the client reset (stall_berkeley), in 60 of 60 trials; \
                 on a non-blocking one 0 of 60";
    assert!(closing(&run).lines().any(|line| line == words), "{}", closing(&run));
    let html = page(&run);
    let answer = section(&html, "answer");
    assert!(answer.contains(&words["2 of 2 ".len()..]) && answer.contains(&mark("berkeley")));

    // Told from the data, whatever the group is called and whichever its listeners.
    let mut other = record("measured");
    for group in other.groups.iter_mut().filter(|group| group.name == "stall_berkeley") {
        (group.name, group.kernel) = ("anything".to_owned(), "other".to_owned());
        for collection in &mut group.collections {
            collection.cells.retain(|cell| !cell.series.ends_with("-blocking"));
        }
    }
    let words = "0 of 2 loops on a non-blocking listener stalled on modelled other when the client \
                 reset (anything), in 0 of 60 trials";
    assert!(closing(&other).lines().any(|line| line == words), "{}", closing(&other));
}

#[test]
fn every_modelled_group_is_marked_wherever_it_stands() {
    for (name, run) in all_records() {
        let html = page(&run);
        for group in &run.groups {
            // All headings of a group and its entry in the navigation, each on its line.
            let named = super::escaped(&group.name);
            let begins = [
                format!("-name\">{named}"),
                format!("<h3 class=\"name\">{named}"),
                format!("<span class=\"name\">{named}</span></a>"),
            ];
            let ends = |rest: &str| rest.starts_with(['<', '/', ' ']) || rest.is_empty();
            let is_own = |line: &&str| {
                begins
                    .iter()
                    .any(|begin| line.split_once(begin).is_some_and(|(_, rest)| ends(rest)))
            };
            let own: Vec<&str> = html.lines().filter(is_own).collect();
            // A record may have a name twice, on two kernels.
            let kernels: Vec<&str> = run
                .groups
                .iter()
                .filter(|other| other.name == group.name)
                .map(|group| &*group.kernel)
                .collect();
            assert!(own.len() >= 3 * kernels.len(), "{name}: {}: {own:#?}", group.name);
            let marked = |kernel: &str| {
                own.iter().filter(|head| head.contains(&mark(&super::escaped(kernel)))).count()
            };
            let expected = (2 + group.collections.len()) * usize::from(group.is_modelled());
            assert_eq!(marked(&group.kernel), expected, "{name}: {}: {own:#?}", group.name);
        }
        let captions = html.matches("<caption class=\"unseen\">Modelled, ").count();
        let modelled = collections(&run).filter(|(group, _)| group.is_modelled()).count();
        assert_eq!(captions, modelled, "{name}");
    }
}

#[test]
fn modelled_differences_come_behind_the_native_ones() {
    let mut run = record("measured");
    // Even where the record has them in front.
    run.groups.sort_by_key(|group| !group.is_modelled());
    let html = page(&run);
    let (native, modelled) = section(&html, "differences").split_once("<h3>").expect("two parts");
    assert!(!native.contains("modelled") && native.contains("accept_burst/256 against poll"));
    assert!(modelled.contains("abort_storm_posix/50 against poll"), "{modelled}");
    assert_eq!(modelled.matches("<dt>").count(), modelled.matches(&mark("posix")).count());
    assert!(!html.contains("stall_berkeley/32 against") && !native.contains("stall"));

    let mut lines = report::closing(&run, None, &[]).into_iter();
    let against: Vec<String> = lines.by_ref().filter(|line| line.contains(" against ")).collect();
    let (last, others) = against.split_last().expect("lines");
    assert!(last.starts_with("Modelled posix: abort_storm_posix/50 against poll: "), "{last}");
    assert!(others.iter().all(|line| !line.contains("odelled")), "{others:?}");

    // With nothing native, the others are still there.
    let mut alone = record("measured");
    alone.groups.retain(Group::is_modelled);
    assert!(section(&page(&alone), "differences").contains("abort_storm_posix/50"));
}

#[test]
fn a_modelled_chart_says_so_itself() {
    let run = record("measured");
    let html = page(&run);
    let figures: Vec<&str> = html.split("<figure>").skip(1).collect();
    assert_eq!(figures.len(), 2, "one of each kind");
    for (figure, modelled) in figures.iter().zip([false, true]) {
        let figure = figure.split("</figure>").next().unwrap_or(figure);
        let (drawings, caption) = figure.split_once("<figcaption>").expect("a caption");
        assert_eq!(caption.starts_with("Modelled, berkeley (4.4BSD"), modelled, "{caption}");
        for drawing in drawings.split("<svg").skip(1) {
            let (title, inside) = drawing.split_once("</title>").expect("a title");
            assert_eq!(title.contains("Modelled, berkeley (4.4BSD"), modelled, "{title}");
            assert_eq!(inside.contains("\nmodelled: berkeley\n"), modelled);
        }
    }
    let heading = section(&html, "modelled-0");
    assert!(heading.split("</h2>").next().is_some_and(|head| head.contains(&mark("berkeley"))));
}

#[test]
fn rows_of_a_modelled_group_have_its_caveat() {
    let run = record("measured");
    let html = page(&run);
    let items = html.split("<li id=\"caveat-").skip(1);
    let mut number = items.filter(|item| item.contains(PRICE));
    let number = number.next().and_then(|item| item.split('"').next()).expect("the caveat");
    let has = |title: &str, series: &str| {
        row(&html, title, series).contains(&format!("href=\"#caveat-{number}\""))
    };
    assert!(has("stall_berkeley/2", "poll-blocking") && has("abort_storm_posix/50", "poll"));
    assert!(!has("stall/2", "poll-blocking") && !has("abort_storm/50", "poll"));
    // What was not measured compares with nothing.
    assert!(!has("stall_berkeley/2", "kqueue"));
    assert!(!page(&record("old")).contains(PRICE));
}
