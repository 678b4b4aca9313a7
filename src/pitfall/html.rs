//! An entry for the page.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::issue;

pub(super) fn of(markdown: &str) -> String {
    let mut text = String::with_capacity(2 * markdown.len());
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).flat_map(event);
    html::push_html(&mut text, events);
    text
}

/// What stands for an event: mostly itself.
fn event(event: Event<'_>) -> Vec<Event<'_>> {
    let html = |text: String| Event::InlineHtml(text.into());
    match event {
        // The page's own headings are above these.
        Event::Start(Tag::Heading { level, .. }) => vec![html(format!("<{}>", below(level)))],
        Event::End(TagEnd::Heading(level)) => vec![html(format!("</{}>\n", below(level)))],
        // What may scroll must be reached by keyboard.
        Event::Start(Tag::CodeBlock(kind)) => {
            let what = match kind {
                CodeBlockKind::Fenced(language) if &*language == "c" => "C",
                CodeBlockKind::Fenced(language) if &*language == "rust" => "Rust",
                _ => "Commands and what they print",
            };
            vec![html(format!("<pre role=\"group\" tabindex=\"0\" aria-label=\"{what}\"><code>"))]
        }
        Event::End(TagEnd::CodeBlock) => vec![html("</code></pre>\n".to_owned())],
        Event::Code(code) => match issue(&code) {
            Some(address) => vec![html(format!("<a href=\"{address}\">{code}</a>"))],
            None => vec![Event::Code(code)],
        },
        // An entry has none; if one had, it would be shown as the text that it is.
        Event::Html(raw) | Event::InlineHtml(raw) => vec![Event::Text(raw)],
        other => vec![other],
    }
}

/// A heading of the entry, as one of the page.
fn below(level: HeadingLevel) -> &'static str {
    if level <= HeadingLevel::H2 { "h4" } else { "h5" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_issues_and_code_are_the_pages_own_and_markup_is_text() {
        assert_eq!(of("## A\n\n### B\n"), "<h4>A</h4>\n<h5>B</h5>\n");
        assert_eq!(
            of("- `a/b#1`: `x(2)`\n"),
            "<ul>\n<li><a href=\"https://github.com/a/b/issues/1\">a/b#1</a>: \
             <code>x(2)</code></li>\n</ul>\n"
        );
        assert_eq!(
            of("```c\na < b;\n```\n"),
            "<pre role=\"group\" tabindex=\"0\" aria-label=\"C\"><code>a &lt; b;\n</code></pre>\n"
        );
        let hostile = of("<script>alert(1)</script>\n\nx <img src=y> `</code><b>`\n");
        assert!(!hostile.contains("<script") && !hostile.contains("<img"), "{hostile}");
        assert!(!hostile.contains("<b>"), "{hostile}");
    }
}
