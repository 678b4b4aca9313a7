//! The loops of a map, and what many of them are called together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::accept_loop::Discipline;
use crate::listener::Mode;
use crate::outcome::RetrySet;

/// A loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loop {
    /// Its backend.
    pub backend: String,
    /// Its listener's mode.
    pub mode: Mode,
    /// How often it accepts for a report.
    pub discipline: Discipline,
    /// After which errors it goes on.
    pub retry: RetrySet,
}

impl Loop {
    /// Its mode, discipline and retry set, as they are spelt.
    fn way(&self) -> [String; 3] {
        [self.mode.name().to_owned(), self.discipline.to_string(), self.retry.name().to_owned()]
    }
}

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.backend, self.way().join(" "))
    }
}

/// Backends that have the same combinations of mode, discipline and retry set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// The backends.
    pub backends: Vec<&'a str>,
    /// The combinations, in short: `blocking one|drain stevens`.
    pub ways: String,
    /// How many loops that is.
    pub loops: usize,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.backends.join(" "), self.ways)
    }
}

/// Loops by what they have in common.
pub fn named<'a>(loops: &[&'a Loop]) -> Vec<Named<'a>> {
    let mut backends: Vec<(&str, Vec<[String; 3]>)> = Vec::new();
    for one in loops {
        match backends.iter_mut().find(|(name, _)| *name == one.backend) {
            Some((_, ways)) => ways.push(one.way()),
            None => backends.push((&one.backend, vec![one.way()])),
        }
    }
    let mut groups: Vec<(Vec<&str>, Vec<[String; 3]>)> = Vec::new();
    for (name, ways) in backends {
        match groups.iter_mut().find(|(_, known)| *known == ways) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], ways)),
        }
    }
    let named = |(backends, ways): (Vec<&'a str>, Vec<[String; 3]>)| Named {
        loops: backends.len() * ways.len(),
        ways: together(&ways),
        backends,
    };
    groups.into_iter().map(named).collect()
}

/// Combinations as a product where they are one, else one by one.
fn together(ways: &[[String; 3]]) -> String {
    let axis = |at: usize| {
        let mut values: Vec<&str> = Vec::new();
        for way in ways {
            if !values.contains(&way[at].as_str()) {
                values.push(&way[at]);
            }
        }
        values
    };
    let axes = [axis(0), axis(1), axis(2)];
    if axes.iter().map(Vec::len).product::<usize>() == ways.len() {
        return axes.map(|values| values.join("|")).join(" ");
    }
    // By retry set: within one of them the rest is mostly a product.
    let of = |retry: &str| {
        let those: Vec<[String; 3]> = ways.iter().filter(|way| way[2] == retry).cloned().collect();
        if those.len() == ways.len() {
            those.iter().map(|way| way.join(" ")).collect::<Vec<_>>().join(", ")
        } else {
            together(&those)
        }
    };
    axes[2].iter().map(|retry| of(retry)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(loops: &[Loop]) -> String {
        let loops: Vec<&Loop> = loops.iter().collect();
        named(&loops).iter().map(Named::to_string).collect::<Vec<_>>().join("; ")
    }

    fn one(backend: &str, discipline: Discipline, retry: RetrySet) -> Loop {
        Loop { backend: backend.to_owned(), mode: Mode::Blocking, discipline, retry }
    }

    #[test]
    fn loops_are_named_by_what_they_have_in_common() {
        use Discipline::{Drain, One};
        use RetrySet::{Naive, Stevens};
        let all = |backend| {
            [(One, Stevens), (One, Naive), (Drain, Stevens), (Drain, Naive)]
                .map(|(discipline, retry)| one(backend, discipline, retry))
        };
        let both = [all("poll"), all("epoll")].concat();
        assert_eq!(spelt(&both), "poll epoll [blocking one|drain stevens|naive]");
        assert_eq!(
            spelt(&both[..7]),
            "poll [blocking one|drain stevens|naive]; epoll [blocking one|drain stevens, \
             blocking one naive]"
        );
        assert_eq!(spelt(&[]), "");
        // As a record could have it: the same loop again and again.
        let same = [one("poll", One, Naive), one("poll", One, Naive)];
        assert_eq!(spelt(&same), "poll [blocking one naive, blocking one naive]");
    }
}
