//! The pitfalls, explained: one entry a fault, written once in `docs/pitfalls/` and read by
//! the command line, the page and the documents alike.
//!
//! An entry is Markdown with fixed headings. What its blocks of code say is what the programs
//! in `examples/` are made of and print; a test holds the two together.

mod html;
mod text;

use crate::fault::{self, Fault};

/// The entry of one fault.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The fault.
    pub fault: &'static Fault,
    /// What the pitfall is, in a sentence.
    pub title: &'static str,
    /// All below the title: Markdown, with headings of the second and third level.
    markdown: &'static str,
}

/// The sections of every entry, in order.
pub const SECTIONS: [&str; 7] = [
    "What people believe",
    "What happens",
    "On which kernels",
    "The shortest program",
    "The cure",
    "In production",
    "Seen in",
];

/// The entry of a fault; `None` for what is not in the registry.
pub fn of(name: &str) -> Option<Entry> {
    all().find(|entry| entry.fault.name == name)
}

/// All entries, in the order of the faults.
pub fn all() -> impl Iterator<Item = Entry> {
    fault::ALL.iter().zip(fault::ENTRIES).map(|(fault, text)| {
        let (title, markdown) = text.split_once('\n').unwrap_or((text, ""));
        Entry { fault, title: title.trim_start_matches("# "), markdown: markdown.trim_start() }
    })
}

impl Entry {
    /// The entry for a terminal: headings and code are told apart by `anstyle`'s escape
    /// sequences, which the output takes out where they are not wanted. Lines are at most 100
    /// columns wide.
    pub fn text(&self) -> String {
        text::of(self.title, self.markdown)
    }

    /// All but the title, as HTML: headings from `<h4>` on, every issue a link, no raw HTML, no
    /// script, no attribute `style`.
    pub fn html(&self) -> String {
        html::of(self.markdown)
    }
}

/// The address of `owner/repository#number`; `None` for what is no issue.
pub fn issue(seen: &str) -> Option<String> {
    let (repository, number) = seen.split_once('#')?;
    let (owner, name) = repository.split_once('/')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = |part: &str| !part.is_empty() && part.chars().all(is_plain);
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    (is_name(owner) && is_name(name) && is_number)
        .then(|| format!("https://github.com/{owner}/{name}/issues/{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_its_sections_in_their_order() {
        assert_eq!(fault::ALL.len(), fault::ENTRIES.len());
        for entry in all() {
            let headings: Vec<&str> =
                entry.markdown.lines().filter_map(|line| line.strip_prefix("## ")).collect();
            assert_eq!(headings, SECTIONS, "{}", entry.fault.name);
            assert!(fault::ENTRIES.iter().all(|text| text.starts_with("# ")));
        }
    }

    #[test]
    fn a_terminal_gets_every_line_and_none_too_wide() {
        for entry in all() {
            let text = anstream::adapter::strip_str(&entry.text()).to_string();
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{}: {line}", entry.fault.name);
            }
            for section in SECTIONS {
                assert!(text.contains(&format!("\n{section}\n")), "{}", entry.fault.name);
            }
        }
    }

    #[test]
    fn an_issue_is_linked_and_nothing_else() {
        let linked = Some("https://github.com/nodejs/node-v0.x-archive/issues/1056".to_owned());
        assert_eq!(issue("nodejs/node-v0.x-archive#1056"), linked);
        for other in ["epoll(7)", "redis/redis src/networking.c", "a/b#c", "a b/c#1", "a/b/c#1"] {
            assert_eq!(issue(other), None, "{other}");
        }
    }
}
