//! A chart's SVG, said in fewer bytes: what plotters draws shape by shape becomes one path for
//! all that are painted alike.

/// Puts the polygons and polylines of a drawing together by how they are painted, each in the
/// place of the first of its kind; leaves all else as it is.
pub fn paths(svg: &str) -> String {
    let mut parts: Vec<(String, Option<String>)> = Vec::new();
    for line in svg.lines() {
        match shape(line) {
            Some((paint, path)) => match parts.iter_mut().find(|(known, _)| *known == paint) {
                Some((_, Some(whole))) => whole.push_str(&path),
                _ => parts.push((paint, Some(path))),
            },
            None => parts.push((format!("{}\n", rounded(line)), None)),
        }
    }
    let spelt = |(text, path): (String, Option<String>)| match path {
        Some(path) => format!("<path{text} d=\"{path}\"/>\n"),
        None => text,
    };
    parts.into_iter().map(spelt).collect::<String>().trim_end().to_owned()
}

/// A text's size without what is left of a division.
fn rounded(line: &str) -> String {
    let size = || {
        let rest = line.strip_prefix("<text ")?.split_once(" font-size=\"")?.1;
        let size = rest.split_once('"')?.0;
        let value: f64 = size.parse().ok()?;
        Some((size, format!("{}", (value * 10.0).round() / 10.0)))
    };
    match size() {
        Some((size, spelt)) => {
            line.replacen(&format!("font-size=\"{size}\""), &format!("font-size=\"{spelt}\""), 1)
        }
        None => line.to_owned(),
    }
}

/// How a shape is painted, and its outline as path data; `None` for what is no such shape.
fn shape(line: &str) -> Option<(String, String)> {
    let closed = line.starts_with("<polygon ");
    let rest = line.strip_prefix("<polygon").or_else(|| line.strip_prefix("<polyline"))?;
    let (paint, rest) = rest.split_once(" points=\"")?;
    let (points, end) = rest.split_once('"')?;
    if end != "/>" {
        return None;
    }
    let mut path = String::new();
    let mut before: Option<(i64, i64)> = None;
    for point in points.split_whitespace() {
        let (x, y) = point.split_once(',')?;
        let (x, y): (i64, i64) = (x.parse().ok()?, y.parse().ok()?);
        match before {
            None => path = format!("M{}", pair(x, y)),
            Some(known) if known == (x, y) => {}
            Some((from, down)) => path.push_str(&format!("l{}", pair(x - from, y - down))),
        }
        before = Some((x, y));
    }
    // Each line to, its letter left out where the one before it was the same.
    let mut path = path.replacen('l', "\u{1}", 1).replace("l-", "-").replace('l', " ");
    path = path.replace('\u{1}', "l");
    if closed {
        path.push('z');
    }
    Some((paint.to_owned(), path))
}

/// Two numbers; a minus parts them by itself.
fn pair(x: i64, y: i64) -> String {
    if y < 0 { format!("{x}{y}") } else { format!("{x} {y}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_painted_alike_are_one_path() {
        let svg = "<polygon fill=\"a\" points=\"1,2 3,1 3,4 \"/>\n<text>\n&lt;polygon x\n</text>\n\
                   <polygon fill=\"a\" points=\"9,9 8,8 \"/>\n<polyline fill=\"b\" points=\"1,1 1,1 \
                   2,3\"/>";
        let expected = "<path fill=\"a\" d=\"M1 2l2-1 0 3zM9 9l-1-1z\"/>\n<text>\n&lt;polygon \
                        x\n</text>\n<path fill=\"b\" d=\"M1 1l1 2\"/>";
        assert_eq!(paths(svg), expected);
    }

    #[test]
    fn a_size_is_rounded_and_its_text_is_not() {
        let svg = "<text x=\"1\" font-size=\"52.00000000000001\">\nfont-size=\"52.01\"\n</text>";
        assert_eq!(paths(svg), svg.replace("52.00000000000001", "52"));
    }

    #[test]
    fn what_is_no_plain_shape_is_left_alone() {
        for odd in ["<polygon points=\"1,2 x,3\"/>", "<polygon points=\"1,2\"/><b/>", "<line/>"] {
            assert_eq!(paths(odd), odd);
        }
    }
}
