//! Reads a page as a browser would, and more strictly.

use std::collections::BTreeMap;

/// Text as the page spells it.
pub fn escaped(text: &str) -> String {
    let named = [("&#38;", '&'), ("&#60;", '<'), ("&#62;", '>'), ("&#34;", '"'), ("&#39;", '\'')];
    let spelt = |c: char| match named.iter().find(|(_, plain)| *plain == c) {
        Some((name, _)) => (*name).to_owned(),
        None => c.to_string(),
    };
    text.chars().map(spelt).collect()
}

/// What a reader sees: the page without its tags, its entities resolved.
pub fn text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html.split_once("</head>").map_or(html, |(_, body)| body);
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        rest = tag.split_once('>').expect("a tag that ends").1;
    }
    text.push_str(rest);
    let named = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    named.iter().fold(text, |text, (name, plain)| text.replace(name, plain))
}

/// One tag of a page: its name, `/` before that of an end, and its attributes.
pub struct Tag {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub is_empty: bool,
}

/// Reads all tags of a page: every `<` must begin one, every attribute must be quoted.
pub fn tags(html: &str) -> Vec<Tag> {
    let html = html.strip_prefix("<!doctype html>").expect("a doctype");
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, tag)) = rest.split_once('<') {
        let end = tag.find(|c: char| c.is_whitespace() || c == '>').expect("a name that ends");
        let (name, mut body) = tag.split_at(end);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '/';
        assert!(!name.is_empty() && name.chars().all(is_name), "no tag: <{name}");
        let mut attributes = BTreeMap::new();
        loop {
            body = body.trim_start();
            if let Some(after) = body.strip_prefix('>') {
                rest = after;
                break;
            }
            if let Some(after) = body.strip_prefix("/>") {
                rest = after;
                attributes.insert("/".to_owned(), String::new());
                break;
            }
            let (key, value) = body.split_once("=\"").expect("a quoted attribute");
            let (value, after) = value.split_once('"').expect("a quote that ends");
            let is_key = |c: char| c.is_ascii_alphanumeric() || c == '-';
            assert!(key.chars().all(is_key), "<{name} has an attribute {key:?}");
            assert!(attributes.insert(key.to_owned(), value.to_owned()).is_none(), "{key} twice");
            body = after;
        }
        let closed = attributes.remove("/").is_some();
        let is_empty = closed || ["meta"].contains(&name);
        tags.push(Tag { name: name.to_owned(), attributes, is_empty });
    }
    tags
}

/// A section of a page, by its id.
pub fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let begin = format!("<section id=\"{id}\"");
    let (_, after) = html.split_once(&begin).unwrap_or_else(|| panic!("no section {id}"));
    let inside = after.split("</section>").next().unwrap_or(after);
    inside.split_once('>').map_or("", |(_, inside)| inside)
}

/// The rows of the table of a collection: from its heading, which may have the mark of a
/// modelled kernel, to the next.
pub fn table<'a>(html: &'a str, title: &str) -> &'a str {
    let head = format!("<h3 class=\"name\">{title}");
    let heading = [format!("{head}</h3>"), format!("{head} <span class=\"mark modelled\">")]
        .into_iter()
        .find(|heading| html.contains(heading))
        .unwrap_or_else(|| panic!("no table of {title}"));
    let after = html.split_once(&heading).map_or("", |(_, after)| after);
    // The last of a group ends with its section.
    let after = after.split("</section>").next().unwrap_or(after);
    after.split("<h3").next().unwrap_or(after)
}

/// The row of a series in a collection's table.
pub fn row<'a>(html: &'a str, title: &str, series: &str) -> &'a str {
    let head = format!("<th scope=\"row\">{}", escaped(series));
    let mut rows = table(html, title).split("<tr").filter(|row| row.contains(&head));
    let ends =
        |row: &&str| row.split(&head).nth(1).is_some_and(|rest| rest.starts_with(['<', ' ']));
    rows.find(ends).unwrap_or_else(|| panic!("no row of {series} in {title}"))
}
