//! The map of pitfalls: every cell has its letter, its word and its reason, and a modelled one
//! stands apart.

use std::collections::BTreeSet;

use rstall::record::Run;
use rstall::record::loops::Loop;
use rstall::record::map::{Cell, Column, Map, Unexpected};
use rstall::verdict::Verdict;
use rstall::{fault, pitfall};

use super::markup::{escaped, section, tags, text};
use super::{all_records, closing, page, record};

fn map(run: &mut Run) -> &mut Map {
    run.map.as_mut().and_then(|map| map.as_mut().ok()).expect("the record has a map")
}

/// The table of one kernel on a page.
fn matrix<'a>(html: &'a str, kernel: &str) -> &'a str {
    let part = section(html, "map");
    let head = format!("On <span class=\"name\">{}</span>", escaped(kernel));
    let (_, after) = part.split_once(&head).unwrap_or_else(|| panic!("no table of {kernel}"));
    after.split("</table>").next().unwrap_or(after)
}

/// The cells of a table: the letter, and the entry that the cell leads to.
fn cells(html: &str, table: &str) -> Vec<(String, String)> {
    let cell = |td: &str| {
        let (_, link) = td.split_once("<a href=\"#").expect("a link to what explains it");
        let (id, letter) = link.split_once("\">").expect("a letter");
        let (_, entry) = html.split_once(&format!("<dd id=\"{id}\">")).expect("its entry");
        (letter[..1].to_owned(), entry.split("</dd>").next().unwrap_or(entry).to_owned())
    };
    let body = table.split("<tbody>").nth(1).expect("a body");
    body.split("<td ").skip(1).map(cell).collect()
}

/// What is listed under the id that an entry leads to.
fn listed<'a>(html: &'a str, entry: &str, kind: &str) -> &'a str {
    let begin = format!("<a href=\"#{kind}-");
    let (_, link) = entry.split_once(&begin).unwrap_or_else(|| panic!("no {kind}: {entry}"));
    let id = link.split('"').next().unwrap_or(link);
    let (_, listed) = html.split_once(&format!("<dt id=\"{kind}-{id}\">")).expect("a place");
    listed.split("</dd>").next().unwrap_or(listed)
}

#[test]
fn a_run_without_a_map_says_so() {
    for (name, run) in all_records() {
        let html = page(&run);
        let part = text(section(&html, "map"));
        let line = closing(&run).lines().find(|line| line.starts_with("Map")).map(str::to_owned);
        match &run.map {
            None => {
                assert!(part.contains("This run has no map"), "{name}: {part}");
                assert_eq!(line, None, "{name}");
            }
            Some(Err(why)) => {
                assert!(part.contains(why), "{name}: {part}");
                assert!(line.is_some_and(|line| line.contains(why)), "{name}");
            }
            Some(Ok(_)) => assert!(line.is_some(), "{name}"),
        }
        let has_map = matches!(run.map, Some(Ok(_)));
        assert_eq!(html.contains("<section id=\"pitfalls\""), has_map, "{name}");
    }
    let schemas = |name: &str| (record(name).schema, record(name).map.is_some());
    assert_eq!(schemas("old"), (1, false));
    assert_eq!(schemas("skipped"), (2, false));
    assert_eq!(schemas("measured"), (3, true));
}

#[test]
fn every_cell_has_its_letter_its_word_and_its_reason() {
    let mut run = record("measured");
    let html = page(&run);
    let rules = run.map.clone().and_then(Result::ok).expect("a map").rules;
    let mut seen = BTreeSet::new();
    for kernel in ["native", "berkeley", "svr4", "posix"] {
        for (letter, entry) in cells(&html, matrix(&html, kernel)) {
            let (_, word) = entry.split_once(&format!("\">{letter} ")).expect("the same letter");
            let word = word.split('<').next().unwrap_or(word).to_owned();
            let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.name() == word);
            assert_eq!(entry.contains("<code>rstall show "), verdict.is_some(), "{entry}");
            assert!(text(&entry).contains(" loop"), "{entry}");
            match (verdict, &*word) {
                (Some(verdict), _) => {
                    assert_eq!(letter, verdict.letter().to_string(), "{entry}");
                    assert!(entry.contains(&format!(" --kernel {kernel} ")), "{entry}");
                    let told = listed(&html, &entry, "rule");
                    let is_it = |rule: &&rstall::record::map::RuleText| {
                        let named = format!("<span class=\"name\">{}</span>", rule.name);
                        told.contains(&named) && told.contains(&escaped(&rule.why))
                    };
                    let rule = rules.iter().find(is_it).unwrap_or_else(|| panic!("{told}"));
                    assert!(rule.verdicts.contains(&verdict), "{entry}");
                    assert!(entry.contains(&format!(" {}</a>", rule.name)), "{entry}");
                    assert!(text(told).contains(&rule.source), "{told}");
                }
                (None, "not applicable") => {
                    assert!(letter == "-" && listed(&html, &entry, "reason").len() > 30)
                }
                (None, "not modelled") => {
                    assert!(letter == "~" && listed(&html, &entry, "reason").len() > 30)
                }
                (None, _) => panic!("{letter} {entry}"),
            }
            seen.insert(word);
        }
    }
    assert_eq!(seen.len(), 8, "the record was meant to have all: {seen:?}");
    // Each verdict is explained, and no two share a letter or a colour.
    let legend = section(&html, "map").split("</dl>").next().unwrap_or_default();
    let mut classes = BTreeSet::new();
    for verdict in Verdict::ALL {
        assert!(text(legend).contains(&format!("{} {}", verdict.letter(), verdict.name())));
        assert!(text(legend).contains(verdict.about()));
        let letter = format!("\" aria-hidden=\"true\">{}<", verdict.letter());
        let class = legend.split(&letter).next().and_then(|before| before.rsplit('"').next());
        classes.insert(class.expect("a class").to_owned());
    }
    assert_eq!(classes.len(), 6);
    // The reasons are listed in full.
    let part = text(section(&html, "map"));
    for row in &map(&mut run).rows {
        for cell in &row.cells {
            if let Cell::Not(reason) = cell {
                assert!(part.contains(reason), "{reason}");
            }
        }
    }
}

#[test]
fn a_modelled_kernel_has_a_table_of_its_own_behind_the_native_one() {
    let mut run = record("measured");
    // Whatever the order in the record is.
    map(&mut run).columns.reverse();
    map(&mut run).rows.iter_mut().for_each(|row| row.cells.reverse());
    let html = page(&run);
    let part = section(&html, "map");
    let tables: Vec<&str> = part.split("<h3 id=\"map-").skip(1).collect();
    assert_eq!(tables.len(), 4);
    for (at, table) in tables.iter().enumerate() {
        let heading = table.split("</h3>").next().unwrap_or(table);
        let marked = heading.contains("<span class=\"mark modelled\">modelled: ");
        assert_eq!(marked, at > 0, "{heading}");
        assert_eq!(heading.contains("this machine's own kernel"), at == 0, "{heading}");
        assert_eq!(table.contains("aria-label=\"Modelled: "), at > 0);
    }
    // Nor are they counted together.
    let native = map(&mut run).columns_of(|kernel| kernel == "native");
    let n = map(&mut run).tried(&native);
    let before = closing(&run);
    assert!(before.contains(&format!("Map of pitfalls: {n} cells on this machine's own kernel: ")));
    map(&mut run).columns.iter_mut().for_each(|column| column.kernel = "svr4".to_owned());
    assert!(!closing(&run).contains("this machine's own kernel"), "{}", closing(&run));
}

#[test]
fn what_is_unexpected_comes_first_and_has_a_name() {
    let mut run = record("measured");
    assert!(!page(&run).contains("unexpected</span>"));
    assert!(closing(&run).contains("every one came to what it had to"));
    let row = map(&mut run).rows[0].clone();
    let of: Loop = row.loops[0].clone();
    let Cell::Tried { rule, .. } = &row.cells[0] else { panic!("it was meant to be tried") };
    let one = |kernel: &str| Unexpected {
        of: of.clone(),
        column: Column { kernel: kernel.to_owned(), ..map(&mut run.clone()).columns[0].clone() },
        rule: rule.clone(),
        counts: vec![(Verdict::Stalls, 1)],
        seen: "parked in accept for 0.1 ms, until the next client".to_owned(),
    };
    let both = vec![one("native"), one("berkeley")];
    let fault = both[0].column.fault.clone();
    map(&mut run).unexpected = both;
    map(&mut run).rows[0].cells[0] =
        Cell::Tried { verdict: Some(Verdict::Stalls), rule: rule.clone() };
    let html = page(&run);
    let part = section(&html, "map");
    let (first, rest) = part.split_once("<dl class=\"legend\">").expect("a legend");
    let named = format!("{of} under {fault} on native: STALLS 1x (parked in accept");
    assert!(text(first).contains(&named), "{first}");
    assert!(text(first).contains("expected safe, since"), "{first}");
    assert_eq!(first.matches("<span class=\"mark modelled\">modelled</span>").count(), 1);
    assert!(rest.contains("S STALLS</b> <b class=\"failed\">unexpected</b>"), "its entry says so");
    assert!(rest.contains("<td class=\"vx odd"), "the cell itself is marked");
    assert!(html.split("<main>").next().is_some_and(|head| head.contains("unexpected</span>")));
    let line = closing(&run);
    assert!(line.contains(&format!("UNEXPECTED 2: {of} under {fault} on native: STALLS 1x")));
    assert!(line.contains("on modelled berkeley: STALLS 1x"), "{line}");
}

#[test]
fn each_fault_has_an_entry_with_its_cure_its_links_and_its_commands() {
    let html = page(&record("measured"));
    let part = section(&html, "pitfalls");
    for fault in fault::ALL {
        let head = format!("<h3 id=\"fault-{}\">", fault.name);
        let (_, entry) = part.split_once(&head).unwrap_or_else(|| panic!("no {}", fault.name));
        let entry = entry.split("<h3").next().unwrap_or(entry);
        for told in [fault.about, fault.symptom, fault.cure] {
            assert!(text(entry).contains(told), "{}: {entry}", fault.name);
        }
        for seen in fault.seen_in {
            assert!(text(entry).contains(seen), "{seen}");
            if let Some((repository, number)) = seen.split_once('#') {
                let link =
                    format!("<a href=\"https://github.com/{repository}/issues/{number}\">{seen}<");
                assert!(entry.contains(&link), "{link}");
            }
        }
        // What explains it is there too, as the entry in docs/pitfalls has it.
        let explained = pitfall::of(fault.name).expect("an entry").html();
        assert!(entry.contains(&explained), "{}", fault.name);
        let entry = entry.replace(&explained, "");
        let commands = entry.matches("<code>").count();
        let shown = fault.cases.is_some() && !entry.contains("no loop of this map fell ill");
        // The record has no loop with a budget, which is the cure of a storm.
        let expected = if fault.name == "storm" { 1 } else { 2 };
        assert_eq!(commands, if shown { expected } else { 0 }, "{}", fault.name);
    }
    let command = "rstall trial --fault reset_in_window --backend poll --listener blocking \
                   --discipline one --retry stevens --kernel berkeley";
    assert!(text(part).contains(&format!("modelled: berkeley S STALLS {command}")), "{part}");
    // The heads of the tables lead there.
    assert!(matrix(&html, "native").contains("<a href=\"#fault-herd\">herd</a>"));
}

#[test]
fn remedies_stand_side_by_side_with_their_figures() {
    let mut run = record("measured");
    let html = page(&run);
    let part = section(&html, "remedies");
    for id in ["exhausted", "herd", "storm", "drain"] {
        assert!(part.contains(&format!("<h3 id=\"remedies-{id}\">")), "{id}");
    }
    let told = text(part);
    for words in
        ["ignore: waits again at once", "own_4: four have a listener each", "Accepts in a row"]
    {
        assert!(told.contains(words), "{words}");
    }
    // A modelled kernel's figures are not among them.
    let before = told.clone();
    let figures = &mut map(&mut run).figures;
    let mut other = figures[0].clone();
    other.column.kernel = "berkeley".to_owned();
    other.of.backend = "elsewhere".to_owned();
    figures.push(other);
    assert_eq!(text(section(&page(&run), "remedies")), before);
    map(&mut run).figures.clear();
    assert!(!page(&run).contains("<section id=\"remedies\""));
}

#[test]
fn a_map_in_pieces_is_drawn_all_the_same() {
    let whole = record("measured");
    type Damage = fn(&mut Map);
    let damages: [Damage; 8] = [
        |map| map.columns.truncate(5),
        |map| map.columns.clear(),
        |map| map.rows.clear(),
        |map| map.rules.clear(),
        |map| map.rows.iter_mut().for_each(|row| row.cells.truncate(3)),
        |map| map.rows.iter_mut().for_each(|row| row.loops.clear()),
        |map| map.columns.iter_mut().for_each(|column| column.fault = "no_such".to_owned()),
        |map| map.rows[0].loops.iter_mut().for_each(|one| one.backend.clear()),
    ];
    for (at, damage) in damages.iter().enumerate() {
        let mut run = whole.clone();
        damage(map(&mut run));
        let html = page(&run);
        // Every row of every table has a cell for every column.
        for table in html.split("<table class=\"map\">").skip(1) {
            let table = table.split("</table>").next().unwrap_or(table);
            let columns = table.split("</thead>").next().map_or(0, |head| {
                let arms = head.rsplit("<tr>").next().unwrap_or(head);
                arms.matches("data-show=").count()
            });
            for row in table.split("<tbody>").nth(1).unwrap_or_default().split("<tr>").skip(1) {
                assert_eq!(row.matches("<td ").count(), columns, "damage {at}: {row}");
            }
        }
        assert!(!tags(&html).is_empty());
        assert!(closing(&run).contains("Map of pitfalls"), "damage {at}");
    }
}
