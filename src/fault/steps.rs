//! What is done to an accept queue, step by step, and what that leaves in it.

use std::collections::VecDeque;

use crate::kernel::Kernel;

/// One thing that is done to the accept queue, or to what stands around it; each is known to
/// have taken effect before the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A client connects; done when the connection is in the accept queue.
    Connect,
    /// As many clients connect as the trial's `count` says.
    ConnectAll,
    /// A storm: so many clients connect.
    Storm(usize),
    /// The oldest client resets; done when the kernel has the connection closed.
    Reset,
    /// The oldest client closes with a FIN; done as [`Step::Reset`].
    Close,
    /// Another acceptor takes the connection at the head of the queue.
    Rival,
    /// Another acceptor passes a bad address pointer to accept, which fails with EFAULT after
    /// it has taken the connection at the head of the queue: nobody gets it.
    Efault,
    /// Another holder of the listener shuts it down and has it listen again: the queue is
    /// flushed.
    ListenAgain,
    /// Another holder of the listener's open file description clears O_NONBLOCK.
    ClearNonblock,
    /// Another process clears O_NONBLOCK of a listener of its own, on the same port.
    ClearNonblockOfAnother,
    /// The program closes the listener while its report is still to be dealt with, and opens
    /// another, which is given the same descriptor number.
    Renumber,
    /// Descriptors run out.
    Exhaust,
    /// There are descriptors again.
    Relieve,
    /// The bystander sends its byte.
    Byte,
    /// The loop is told to stop, and its listener is closed by another thread.
    StopByClose,
    /// The loop is told to stop, and its listener is shut down by another thread.
    StopByShutdown,
    /// The loop is told to stop, and a client connects to wake it.
    StopByClient,
    /// The loop is told to stop while connections are queued; another listener of its
    /// SO_REUSEPORT group stays.
    Leave,
    /// As [`Step::Leave`], where the kernel moves what is queued to the listener that stays.
    LeaveMigrating,
    /// Another holder of the listener takes what is queued, if there is anything.
    Collect,
}

/// The steps of a trial, by when they are done.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// Before the loop first waits.
    pub before_wait: &'static [Step],
    /// After the loop's wait has reported the listener and before it accepts.
    pub in_window: &'static [Step],
    /// While the loop is parked in accept, for want of a client.
    pub once_parked: &'static [Step],
    /// Once accept has found no descriptor, and the loop either sleeps or spins.
    pub once_exhausted: &'static [Step],
    /// While the loop turns to the bystander, which is made to happen before anything else.
    pub at_bystander: Turns,
    /// At the end, when the loop has nothing left to do.
    pub at_the_end: &'static [Step],
}

/// The turns to the bystander in which something is done.
#[derive(Clone, Copy, Debug)]
pub enum Turns {
    /// In none.
    None,
    /// In the first.
    First(&'static [Step]),
    /// In each, until the kernel gives up an accept that is in flight and is robbed each time.
    Robbing(&'static [Step]),
}

impl Turns {
    /// Up to so many turns no kernel gives a request up: Linux arms it 128 times
    /// (io_uring/poll.c, `APOLL_MAX_RETRY`). From then on each turn is waited for.
    pub(crate) const PATIENT: usize = 120;

    /// A few more than a kernel is known to take: it has no such limit then.
    const MOST: usize = 136;

    /// What is done in one.
    pub fn steps(&self) -> &'static [Step] {
        match self {
            Turns::None => &[],
            Turns::First(steps) | Turns::Robbing(steps) => steps,
        }
    }

    /// In how many, at most.
    pub fn most(&self) -> usize {
        match self {
            Turns::None => 0,
            Turns::First(_) => 1,
            Turns::Robbing(_) => Turns::MOST,
        }
    }

    /// Whether a request in flight is robbed in them.
    pub fn rob(&self) -> bool {
        matches!(self, Turns::Robbing(_))
    }
}

impl Steps {
    /// Nothing is done.
    pub const NONE: Steps = Steps {
        before_wait: &[],
        in_window: &[],
        once_parked: &[],
        once_exhausted: &[],
        at_bystander: Turns::None,
        at_the_end: &[],
    };

    /// One client connects and stays: what is left of a fault when nothing goes wrong.
    pub const CLEAN: Steps = Steps { before_wait: &[Step::Connect], ..Steps::NONE };

    /// All of them, in order of time.
    pub fn all(&self) -> impl Iterator<Item = Step> + '_ {
        let turns = std::iter::repeat_n(self.at_bystander.steps(), self.at_bystander.most());
        [self.before_wait, self.in_window, self.once_parked, self.once_exhausted]
            .into_iter()
            .chain(turns)
            .chain([self.at_the_end])
            .flatten()
            .copied()
    }

    /// Whether a step is among them.
    pub fn contain(&self, step: Step) -> bool {
        self.all().any(|one| one == step)
    }

    /// What they leave in the queue of a loop that never accepts.
    pub(super) fn leave(&self, count: usize, drops_aborted: bool) -> Queue {
        let mut queue = Queue { drops_aborted, ..Queue::default() };
        self.all().for_each(|step| queue.take_in(step, count));
        queue
    }

    /// Whether there is ever an aborted connection behind one that is alive, before the loop
    /// has accepted any.
    pub(super) fn hide_an_abort(&self, count: usize) -> bool {
        let mut queue = Queue::default();
        [self.before_wait, self.in_window].into_iter().any(|steps| {
            steps.iter().for_each(|&step| queue.take_in(step, count));
            queue.hides_an_abort()
        })
    }

    /// How many connections they leave in the queue of a loop that never accepts.
    pub fn left(&self, count: usize, kernel: &Kernel) -> usize {
        self.leave(count, kernel.drops_aborted()).connections.len()
    }
}

/// The accept queue as the steps leave it, before any accept of the loop.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Its connections, oldest first, by number, and whether each is aborted.
    pub(super) connections: VecDeque<(usize, bool)>,
    /// The clients that have neither closed nor reset, oldest first.
    clients: VecDeque<usize>,
    /// How many have come.
    pub(super) came: usize,
    /// Whether the kernel takes aborted connections off.
    drops_aborted: bool,
}

impl Queue {
    fn take_in(&mut self, step: Step, count: usize) {
        match step {
            Step::Connect => self.connect(1),
            Step::ConnectAll => self.connect(count),
            Step::Storm(n) => self.connect(n),
            Step::Close => drop(self.clients.pop_front()),
            Step::Reset => {
                let gone = self.clients.pop_front();
                let queued = self.connections.iter_mut();
                for (_, aborted) in queued.filter(|(number, _)| Some(*number) == gone) {
                    *aborted = true;
                }
                if self.drops_aborted {
                    self.connections.retain(|(_, aborted)| !aborted);
                }
            }
            Step::Rival | Step::Efault => drop(self.connections.pop_front()),
            Step::ListenAgain | Step::Renumber | Step::Collect => self.connections.clear(),
            Step::ClearNonblock
            | Step::ClearNonblockOfAnother
            | Step::Exhaust
            | Step::Relieve
            | Step::Byte
            | Step::StopByClose
            | Step::StopByShutdown
            | Step::StopByClient
            | Step::Leave
            | Step::LeaveMigrating => {}
        }
    }

    fn connect(&mut self, n: usize) {
        for number in self.came..self.came + n {
            self.connections.push_back((number, false));
            self.clients.push_back(number);
        }
        self.came += n;
    }

    fn hides_an_abort(&self) -> bool {
        self.connections.iter().skip_while(|(_, aborted)| *aborted).any(|(_, aborted)| *aborted)
    }
}
