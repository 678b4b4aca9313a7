//! A page is well formed, safe to open whoever wrote the record, and can be read by all.

use std::collections::BTreeSet;

use rstall::fault;
use rstall::record::loops::Loop;
use rstall::record::map::{Cell, Map};
use rstall::record::{Group, Run, Status};
use rstall::report;

use super::markup::{Tag, escaped, tags, text};
use super::{all_records, page, record};

#[test]
fn a_page_is_well_formed() {
    for (name, run) in all_records() {
        let html = page(&run);
        let (mut open, mut ids, mut targets) = (Vec::new(), BTreeSet::new(), Vec::new());
        for tag in tags(&html) {
            if let Some(id) = tag.attributes.get("id") {
                assert!(ids.insert(id.clone()), "{name}: {id} twice");
            }
            let refers = ["aria-labelledby", "href"].map(|key| tag.attributes.get(key));
            for target in refers.into_iter().flatten().flat_map(|value| value.split(' ')) {
                targets.push(target.to_owned());
            }
            match tag.name.strip_prefix('/') {
                Some(end) => assert_eq!(open.pop().as_deref(), Some(end), "{name}"),
                None if tag.is_empty => {}
                None => open.push(tag.name),
            }
        }
        assert!(open.is_empty(), "{name}: {open:?} left open");
        for target in targets.iter().filter(|target| !target.contains('/')) {
            let id = target.strip_prefix('#').unwrap_or(target);
            assert!(ids.contains(id), "{name}: nothing has the id {id}");
        }
    }
}

#[test]
fn a_page_loads_nothing_and_runs_its_own_scripts_only() {
    for (name, run) in all_records() {
        let html = page(&run);
        let tags = tags(&html);
        for tag in tags.iter().filter(|tag| !tag.name.starts_with('/')) {
            if tag.name == "script" {
                assert!(tag.attributes.is_empty(), "{name}: {:?}", tag.attributes);
            }
            let banned = [
                "link", "img", "image", "use", "iframe", "object", "embed", "form", "base",
                "audio", "video",
            ];
            assert!(!banned.contains(&&*tag.name), "{name}: <{}>", tag.name);
            for (key, value) in &tag.attributes {
                let loads = ["src", "srcset", "data", "style", "action", "background"];
                assert!(!loads.contains(&&**key) && !key.starts_with("on"), "{name}: {key}");
                if let Some(issue) = value.strip_prefix("https://github.com/") {
                    // An anchor, which loads nothing; its address is rstall's, not the record's.
                    let known = fault::ALL.iter().flat_map(|fault| fault.seen_in);
                    let is_known = |seen: &&str| seen.replace('#', "/issues/") == issue;
                    assert!(tag.name == "a" && key == "href", "{name}: {value}");
                    assert!(known.copied().any(|seen| is_known(&seen)), "{name}: {value}");
                    continue;
                }
                assert!(!value.contains("://") && !value.contains("url("), "{name}: {value}");
                if key == "href" {
                    assert!(tag.name == "a" && !value.contains(':'), "{name}: {value}");
                }
            }
        }
        let style = html.split("<style>").nth(1).and_then(|s| s.split("</style>").next());
        let style = style.expect("a style sheet");
        assert!(!style.contains("url(") && !style.contains("@import"), "{name}");
        let policy = tags.iter().find(|tag| {
            tag.attributes.get("http-equiv").is_some_and(|key| key == "Content-Security-Policy")
        });
        let policy = &policy.expect("a policy").attributes["content"];
        // The scripts are rstall's own, each is let run by its hash, and no other is.
        let scripts = html.split("<script>").skip(1).map(|rest| rest.split("</script>").next());
        let scripts: Vec<&str> = scripts.map(|script| script.expect("an end")).collect();
        assert_eq!(scripts, report::script::ALL, "{name}");
        let own = report::script::policy();
        assert_eq!(*policy, escaped(&own), "{name}");
        assert!(own.starts_with("default-src 'none'; "), "{own}");
        assert!(!policy.contains('*') && !policy.contains("unsafe"), "{policy}");
        // The style sheet is let style by its hash, too.
        assert_eq!(style, report::script::STYLE, "{name}");
        assert_eq!(policy.matches("sha256-").count(), scripts.len() + 1, "{policy}");
    }
}

#[test]
fn markup_in_a_record_is_shown_as_text() {
    let run = record("hostile");
    let html = page(&run);
    let expected: BTreeSet<&str> = [
        "a",
        "b",
        "body",
        "caption",
        "circle",
        "code",
        "dd",
        "desc",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "g",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "head",
        "header",
        "html",
        "li",
        "line",
        "main",
        "meta",
        "nav",
        "ol",
        "p",
        "path",
        "polygon",
        "polyline",
        "pre",
        "rect",
        "script",
        "section",
        "small",
        "span",
        "style",
        "sub",
        "summary",
        "sup",
        "svg",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "time",
        "title",
        "tr",
        "ul",
    ]
    .into();
    for tag in tags(&html) {
        let name = tag.name.trim_start_matches('/');
        assert!(expected.contains(name), "<{name}> came from the record");
    }
    let text = text(&html);
    let host = [&run.host.kernel, &run.host.architecture, &run.rstall, &run.began];
    let mut shown: Vec<&str> = host.into_iter().map(String::as_str).collect();
    shown.extend(run.host.limits.iter().chain(&run.host.versions).flat_map(|(k, v)| [&**k, &**v]));
    shown.extend(run.options.arguments.iter().map(String::as_str));
    shown.extend(probe_texts(&run));
    shown.extend(map_texts(&run));
    for kernel in &run.kernels {
        shown.extend([&*kernel.name, &*kernel.systems, &*kernel.source]);
        shown.extend(kernel.about.split('`'));
        match &kernel.seen {
            Ok(seen) => {
                shown.extend([&*seen.queued, &*seen.in_window_blocking]);
                shown.push(&seen.in_window_nonblocking);
            }
            Err(why) => shown.push(why),
        }
    }
    shown.extend(run.price.as_ref().and_then(|price| price.as_ref().err()).map(String::as_str));
    for (group, collection, cell) in run.cells() {
        shown.extend([&*group.kernel, &*group.name, &*cell.series]);
        shown.extend(collection.parameter.as_deref());
        shown.extend(collection.skipped.as_deref());
        shown.extend(cell.voids.keys().map(String::as_str));
        match &cell.status {
            Status::Skipped(reason) | Status::Failed(reason) => shown.push(reason),
            _ => {}
        }
    }
    for one in shown.into_iter().filter(|one| *one != "native") {
        assert!(text.contains(one), "{one:?} is not on the page");
    }
    // plotters writes the names in the chart.
    assert!(html.contains("&lt;/svg&gt;&lt;script&gt;"), "the chart's legend");
}

/// Every text of a run's probe.
fn probe_texts(run: &Run) -> Vec<&str> {
    let probe = run.probe.as_ref().expect("a probe");
    let mut texts = vec![&*probe.system, &*probe.release, &*probe.kernel, &*probe.verdict.family];
    for experiment in &probe.experiments {
        texts.extend([&*experiment.transport, &*experiment.ending]);
        texts.extend(experiment.differs.iter().map(String::as_str));
        texts.extend(experiment.observed.fields().into_iter().filter_map(|(_, field)| field));
        // What is documented stands beside what differs from it.
        let documented = experiment.documented.fields().into_iter();
        let differ = documented.filter(|(name, _)| experiment.differs.iter().any(|d| d == name));
        texts.extend(differ.filter_map(|(_, field)| field));
    }
    texts.extend(probe.absent.iter().flat_map(|absent| [&*absent.what, &*absent.why]));
    texts.extend(probe.backends.iter().flat_map(|one| [&*one.backend, &*one.outcome]));
    texts
}

/// Every text of a run's map that has a place on the page.
fn map_texts(run: &Run) -> Vec<&str> {
    let map: &Map = run.map.as_ref().and_then(|map| map.as_ref().ok()).expect("a map");
    let mut texts: Vec<&str> = Vec::new();
    for column in &map.columns {
        texts.extend([&*column.kernel, &*column.fault, &*column.arm]);
    }
    assert!(map.rows.iter().any(|row| row.cells.len() < map.columns.len()), "a short row");
    assert!(map.rows.iter().any(|row| row.cells.len() > map.columns.len()), "a long row");
    for row in &map.rows {
        texts.extend(row.loops.iter().map(|one: &Loop| &*one.backend));
        for cell in row.cells.iter().take(map.columns.len()) {
            match cell {
                Cell::Tried { rule, .. } => texts.push(rule),
                Cell::Not(reason) => texts.push(reason),
                Cell::Missing => {}
            }
        }
    }
    texts.extend(map.rules.iter().flat_map(|rule| [&*rule.why, &*rule.source]));
    for one in &map.unexpected {
        texts.extend([&*one.of.backend, &*one.column.fault, &*one.seen, &*one.rule]);
    }
    texts.extend(map.absent.iter().flat_map(|(name, why)| [&**name, &**why]));
    let native = map.figures.iter().filter(|one| !one.column.is_modelled());
    texts.extend(native.flat_map(|one| [&*one.of.backend, &*one.column.arm]));
    // A rule that explains itself is told by what it says.
    texts.retain(|text| !text.is_empty() && *text != "known");
    texts
}

#[test]
fn a_record_cannot_move_the_cursor_of_a_terminal() {
    let run = record("hostile");
    assert!(run.host.system.contains('\u{1b}'), "the record was meant to hold an escape");
    let modelled = |group: &Group| group.kernel.contains('\u{1b}');
    assert!(run.groups.iter().any(modelled), "a kernel's name too");
    assert!(probe_texts(&run).iter().any(|text| text.contains('\u{1b}')), "and the probe");
    assert!(map_texts(&run).iter().any(|text| text.contains('\u{1b}')), "and the map");
    let troubles = ["\u{1b}[2Jgone".to_owned()];
    for line in report::closing(&run, None, &troubles) {
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
}

#[test]
fn a_page_can_be_read_without_seeing_it() {
    for (name, run) in all_records() {
        let html = page(&run);
        let tags = tags(&html);
        let has = |tag: &Tag, key: &str| tag.attributes.get(key).is_some_and(|v| !v.is_empty());
        for (at, tag) in tags.iter().enumerate() {
            let told = match &*tag.name {
                "svg" if has(tag, "aria-hidden") => true,
                "svg" => {
                    let inside = [&tags[at + 1].name, &tags[at + 3].name];
                    let named = has(tag, "aria-labelledby") && inside == ["title", "desc"];
                    has(tag, "role") && (named || has(tag, "aria-label"))
                }
                "table" => tags[at + 1].name == "caption",
                "th" => has(tag, "scope"),
                "html" => has(tag, "lang"),
                // What scrolls by itself must be reached by keyboard, and have a name.
                "div" if tag.attributes.get("class").is_some_and(|class| class == "scroll") => {
                    has(tag, "tabindex") && has(tag, "role") && has(tag, "aria-label")
                }
                _ => true,
            };
            assert!(told, "{name}: <{}> {:?}", tag.name, tag.attributes);
        }
    }
}
