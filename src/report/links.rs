//! Where a page's links lead.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::record::Run;

/// Where things lie, as seen from the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Criterion's folder, relative to the page or absolute; `None` where there is none.
    pub criterion: Option<String>,
    /// The ids of the cells that Criterion has a report of; no other is linked.
    pub reported: BTreeSet<String>,
    /// The run's folder, relative to the page or absolute.
    pub run: String,
}

impl Links {
    /// For a page in `reports`: looks which of Criterion's reports there are.
    pub fn look(reports: &Path, run: &Run, folder: &Path, criterion: Option<&Path>) -> Links {
        let mut reported = BTreeSet::new();
        if let Some(criterion) = criterion {
            for (group, collection, cell) in run.cells() {
                let report = report(&group.name, &cell.series, collection.parameter.as_deref());
                if report.is_some_and(|report| criterion.join(report).is_file()) {
                    reported.insert(cell.id.clone());
                }
            }
        }
        let seen = |path: &Path| from(reports, path).to_string_lossy().into_owned();
        Links {
            criterion: criterion.filter(|folder| folder.is_dir()).map(seen),
            reported,
            run: seen(folder),
        }
    }

    /// The address of Criterion's report of a cell, percent-encoded; `None` where there is none.
    pub fn criterion(
        &self,
        id: &str,
        group: &str,
        series: &str,
        parameter: Option<&str>,
    ) -> Option<String> {
        let folder = self.criterion.as_ref().filter(|_| self.reported.contains(id))?;
        let report = report(group, series, parameter)?;
        Some(href(&Path::new(folder).join(report).to_string_lossy()))
    }

    /// The address of a file in the run's folder, percent-encoded.
    pub fn record(&self, file: &str) -> String {
        href(&Path::new(&self.run).join(file).to_string_lossy())
    }
}

/// A path as seen from a folder that it is in, else absolute.
fn from(folder: &Path, path: &Path) -> PathBuf {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (folder, path) = (absolute(folder), absolute(path));
    path.strip_prefix(&folder).map(Path::to_owned).unwrap_or(path)
}

/// Where Criterion's report of an id lies in its folder; `None` for a name that is no name of
/// a folder.
fn report(group: &str, series: &str, parameter: Option<&str>) -> Option<PathBuf> {
    let parts = [Some(group), Some(series), parameter];
    let mut path = PathBuf::new();
    for part in parts.into_iter().flatten() {
        if part.is_empty() || part == "." || part == ".." || part.contains(['/', '\\', '\0']) {
            return None;
        }
        path.push(part);
    }
    Some(path.join("report").join("index.html"))
}

/// A path as the address of a link: whatever is not plainly part of a name is percent-encoded,
/// so that it is neither a scheme nor a query.
fn href(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_inside_is_seen_from_the_page_and_another_from_the_root() {
        assert_eq!(from(Path::new("reports"), Path::new("reports/runs/1")), Path::new("runs/1"));
        assert_eq!(from(Path::new("/a/reports"), Path::new("/b/c")), Path::new("/b/c"));
    }

    #[test]
    fn a_link_is_a_path_and_nothing_else() {
        assert_eq!(href("runs/2026-11-23T07-04-40Z"), "runs/2026-11-23T07-04-40Z");
        assert_eq!(href("javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(href("a b/ü?#%"), "a%20b/%C3%BC%3F%23%25");
    }

    #[test]
    fn a_name_that_leaves_the_folder_has_no_report() {
        assert_eq!(report("..", "poll", None), None);
        assert_eq!(report("a", "b/../../c", None), None);
        let found = report("accept_burst", "poll", Some("16"));
        assert_eq!(found, Some(PathBuf::from("accept_burst/poll/16/report/index.html")));
    }
}
