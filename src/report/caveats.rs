//! What a reader must know of some rows before comparing them, numbered.

use super::findings::Verdict;
use super::series::{backend, counted};
use crate::record::{Cell, Collection, Group, Run, Status};

struct Caveat {
    text: &'static str,
    /// Whether it concerns a cell that was measured.
    concerns: fn(&Group, &Collection, &Cell) -> bool,
}

/// How many samples an interval needs before it is taken at its word.
const FEW: usize = 10;

const CAVEATS: &[Caveat] = &[
    Caveat {
        text: "Modelled: another kernel's answers, given in the place of this machine's. Each accept \
               of this row includes the model's price, which the section on the four kernels has. \
               Compare the rows of this group with each other only.",
        concerns: |group, _, _| group.is_modelled(),
    },
    Caveat {
        text: "Some bytes were never answered. They count until the end of their sample, so the \
               latencies of this row, and all that is made from them, are lower bounds.",
        concerns: |_, _, cell| counted(cell, "unanswered") > 0,
    },
    Caveat {
        text: "This is not a backend: accept(2) alone, on a queue that is known to be full. Nothing \
               waits and nothing ends a drain.",
        concerns: |_, _, cell| cell.series == "floor",
    },
    Caveat {
        text: "No EWOULDBLOCK ends its drain: it stops once it has taken what was offered, and so \
               makes one accept less in a burst than a loop that drains its listener. With one \
               connection in a burst that is half of all accepts.",
        concerns: |_, _, cell| {
            let drains = counted(cell, "offered") > 0 && cell.series != "floor";
            drains && counted(cell, "would_blocks") == 0
        },
    },
    Caveat {
        text: "A multishot completion carries no address of the peer: this backend asks \
               getpeername(2) for it, one more system call a connection. The others have it from \
               accept.",
        concerns: |_, _, cell| backend(&cell.series) == "io_uring_multishot",
    },
    Caveat {
        text: "It tries accept before it waits (tokio: where it remembers readiness). With the \
               queue full beforehand, as in this group, it hardly ever enters its wait, and what \
               a wait costs it does not show.",
        concerns: |group, _, cell| {
            let full = ["accept_burst", "abort_storm", "idle_set"];
            // The same group on a modelled kernel has its name in front.
            let full = full.iter().any(|name| group.name.starts_with(name));
            full && ["tokio", "async_io"].contains(&backend(&cell.series))
        },
    },
    Caveat {
        text: "Its library keeps a thread of its own beside the loop's. CPU time and system calls \
               are those of the loop's thread alone.",
        concerns: |_, _, cell| cell.cost.is_some() && backend(&cell.series) == "async_io",
    },
    Caveat {
        text: "Fewer than 10 samples. The interval of so few rests on hardly more than two blocks of \
               rounds: a difference is a hint at most.",
        concerns: |_, _, cell| cell.samples < FEW,
    },
    Caveat {
        text: "The reference ran only once a round here. What it differs from itself is not known, \
               and the interval of the ratio is not widened by it.",
        concerns: |group, collection, cell| {
            collection.control.is_none()
                && Verdict::of(group, cell).is_some_and(|v| v != Verdict::Reference)
        },
    },
];

/// The caveats that occur in a run, numbered in the order of the table above.
#[derive(Debug)]
pub struct Caveats {
    /// Places in the table; the number is the place here, from 1.
    present: Vec<usize>,
}

impl Caveats {
    /// Of a run.
    pub fn of(run: &Run) -> Caveats {
        let occurs = |place: &usize| run.cells().any(|(g, c, cell)| concerns(*place, g, c, cell));
        Caveats { present: (0..CAVEATS.len()).filter(occurs).collect() }
    }

    /// The numbers of those that concern a cell.
    pub fn numbers(&self, group: &Group, collection: &Collection, cell: &Cell) -> Vec<usize> {
        let numbered = self.present.iter().zip(1..);
        numbered
            .filter(|(place, _)| concerns(**place, group, collection, cell))
            .map(|(_, number)| number)
            .collect()
    }

    /// All that occur: number and text.
    pub fn list(&self) -> Vec<(usize, &'static str)> {
        self.present.iter().zip(1..).map(|(place, n)| (n, CAVEATS[*place].text)).collect()
    }
}

fn concerns(place: usize, group: &Group, collection: &Collection, cell: &Cell) -> bool {
    cell.status == Status::Measured && (CAVEATS[place].concerns)(group, collection, cell)
}
