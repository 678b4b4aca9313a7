//! An entry for a terminal. Markdown is made to be read as it stands: headings lose their
//! marks, blocks of code their fences.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

pub(super) fn of(title: &str, markdown: &str) -> String {
    let heading = Style::new().bold();
    let code = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
    let mut text = format!("{heading}{title}{heading:#}\n\n");
    let mut in_code = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
            continue;
        }
        let marks = line.bytes().take_while(|&byte| byte == b'#').count();
        // Writing to a String cannot fail.
        let _ = match (in_code, marks) {
            (true, _) if line.is_empty() => writeln!(text),
            (true, _) => writeln!(text, "    {code}{line}{code:#}"),
            (false, 0) => writeln!(text, "{line}"),
            (false, _) => writeln!(text, "{heading}{}{heading:#}", line[marks..].trim_start()),
        };
    }
    text
}
