//! The rules: what a cell must come to, why, and where that is to be read.
//!
//! One table, read from the top: the first rule that applies to a cell is its rule, since
//! what comes first in a loop's life decides. Each names one verdict, or those that a race
//! leaves open. No rule names a backend, and none was taken from a run.

use super::Verdict::{self, Dies, Loses, Safe, Stalls, Starves, Wastes};
use super::facts::Facts;
use super::judge::FAIR;
use crate::accept_loop::{Habit, Remedy};
use crate::backend::{Rearms, Registration, Takes, Unasked};
use crate::fault::{Queues, Step};
use crate::trial::Cell;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// Whether it applies.
    applies: fn(&Facts<'_>) -> bool,
    /// What the cell must come to: one of these.
    pub verdicts: &'static [Verdict],
    /// Why, in a sentence.
    pub why: &'static str,
    /// What it rests on.
    pub source: &'static str,
}

/// The rule of a cell. There is one for each: the last applies to all that are left.
pub fn of(cell: &Cell) -> &'static Rule {
    let facts = Facts::of(cell);
    RULES.iter().find(|rule| (rule.applies)(&facts)).unwrap_or(&REST)
}

/// Every rule, in the order in which they are asked.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain([&REST])
}

macro_rules! rules {
    ($($name:ident: |$facts:ident| $applies:expr => $verdicts:expr, $why:literal, $source:literal;)*) => {
        static RULES: &[Rule] = &[$(Rule {
            name: stringify!($name),
            applies: |$facts| $applies,
            verdicts: $verdicts,
            why: $why,
            source: $source,
        }),*];
    };
}

rules! {
    // Stopping a loop, and leaving a port.
    close_wakes_nobody: |f| f.step(Step::StopByClose) => &[Stalls],
        "closing a descriptor wakes no thread that waits on it: accept goes on until a client comes",
        "close(2), Multithreaded processes and close()";
    the_stop_is_heard: |f| f.step(Step::StopByShutdown) || f.step(Step::StopByClient) => &[Safe],
        "accept returns, with EINVAL or with the client, and the loop sees that it is to stop",
        "net/ipv4/inet_connection_sock.c inet_csk_accept";
    draining_before_leaving_parks: |f| f.step(Step::Leave) && f.habit() == Habit::Leaves { drained: true } && f.blocks => &[Stalls],
        "there is no EWOULDBLOCK to stop draining at",
        "accept(2)";
    drained_before_leaving: |f| f.step(Step::Leave) && f.habit() == Habit::Leaves { drained: true } => &[Safe],
        "what was queued is taken before the listener is closed",
        "accept(2)";
    the_queue_moves: |f| f.step(Step::LeaveMigrating) => &[Safe],
        "the kernel moves what is queued to another listener of the group",
        "ip-sysctl, tcp_migrate_req";
    the_queue_goes_with_the_listener: |f| f.step(Step::Leave) => &[Loses],
        "each listener of a group has a queue of its own, which is reset as it closes",
        "socket(7), SO_REUSEPORT; net/ipv4/inet_connection_sock.c inet_csk_listen_stop";

    // What ends the loop or its part before anything else can happen.
    no_descriptor_is_fatal: |f| f.step(Step::Exhaust) && f.habit() == Habit::Sound => &[Dies],
        "the loop takes EMFILE for fatal",
        "accept(2), EMFILE";
    nobody_watches_again: |f| f.remedy() == Some(Remedy::PauseForGood) => &[Loses],
        "it has stopped watching its listener and does not begin again",
        "epoll_ctl(2), EPOLL_CTL_DEL";
    an_edge_that_was_missed: |f| f.remedy() == Some(Remedy::Ignore) && f.edge() => &[Loses],
        "the edge was told when there was no descriptor, and is not told again",
        "epoll(7), EPOLLET";
    the_request_has_ended: |f| f.step(Step::Exhaust) && f.habit() == Habit::NeverRearms => &[Loses],
        "a multishot accept ends with its first error, and nobody arms another",
        "io_uring_prep_multishot_accept(3), IORING_CQE_F_MORE";
    a_read_that_blocks: |f| f.has_clients() && f.habit() == (Habit::Reads { sets_nonblocking: false })
            && !f.cell.driver.sets_nonblocking && (f.blocks || !inherits()) => &[Stalls],
        "the accepted connection is blocking, and its client has sent nothing",
        "accept(2): the flags of the new socket are not inherited on Linux, and are on the BSDs";
    an_abort_is_fatal: |f| f.naive && f.accept_fails() => &[Dies],
        "accept fails for the aborted connection, and the loop takes that for fatal",
        "UNIX Network Programming 5.11; POSIX accept(), ECONNABORTED";
    checked_and_renewed: |f| f.habit() == Habit::Checks && f.renews_what_is_gone() => &[Dies],
        "the report is dropped, but its registration is renewed as after every report, and is gone",
        "epoll_ctl(2), ENOENT";
    the_report_was_checked: |f| f.habit() == Habit::Checks => &[Safe],
        "the report is of a registration that is gone, and is dropped",
        "epoll(7), questions and answers 6";

    // A herd.
    one_loop_wakes_accept_waits: |f| f.queues() == Some(Queues::Shared) && f.cell.driver.takes == Takes::InAccept => &[Safe],
        "waiters in accept are woken one at a time, in the order in which they came",
        "net/ipv4/inet_connection_sock.c inet_csk_wait_for_connect";
    a_herd_on_a_listener_that_blocks: |f| f.queues() == Some(Queues::Shared) && f.blocks
            && f.cell.driver.takes == Takes::AfterReport && !f.cell.driver.wakes_one => &[Stalls],
        "all are told of the one connection, and all but one park in accept",
        "accept(2), NOTES; epoll_ctl(2)";
    a_herd_that_is_naive: |f| f.queues() == Some(Queues::Shared) && f.naive && !f.blocks
            && f.cell.driver.takes == Takes::AfterReport && !f.cell.driver.wakes_one => &[Dies],
        "all are told of the one connection, and all but one end on EWOULDBLOCK",
        "accept(2), NOTES";

    // A request that was robbed too often.
    a_worker_parks: |f| f.robs_a_request() && f.blocks => &[Wastes],
        "a request is armed 128 times at most, then a kernel thread does it, and waits in accept",
        "io_uring/poll.c APOLL_MAX_RETRY; io_uring/net.c io_accept";
    a_worker_gives_up: |f| f.robs_a_request() && f.naive => &[Dies],
        "the kernel thread does not wait on a non-blocking listener: the request ends with EWOULDBLOCK",
        "io_uring/poll.c APOLL_MAX_RETRY; io_uring/net.c io_accept";

    // One accept too many.
    parked: |f| f.blocks && f.accepts_once_too_often() => &[Stalls],
        "accept is called where no connection is, on a listener that blocks",
        "accept(2), NOTES; UNIX Network Programming 16.6";
    would_block_is_fatal: |f| f.naive && !f.blocks && f.trusts_a_report_too_far() => &[Dies],
        "accept says EWOULDBLOCK where no connection is, and the loop takes that for fatal",
        "accept(2), EAGAIN";

    renewed_though_gone: |f| f.renews_what_is_gone() => &[Dies],
        "the registration is renewed after the report, but the number is another listener's",
        "epoll_ctl(2), ENOENT";

    // What is left behind.
    swallowed: |f| f.step(Step::Efault) => &[Loses],
        "accept takes the connection off the queue before it finds the pointer bad, and closes it",
        "net/socket.c do_accept";
    shed: |f| f.remedy() == Some(Remedy::Reserve) => &[Loses],
        "the connections are closed as soon as they are accepted",
        "libev, ev.pod, The special problem of accept()ing when you can't";
    told_once: |f| f.habit() == Habit::NeverRearms && f.comes_again() => &[Loses],
        "a one-shot registration reports once, and is not armed again",
        "epoll_ctl(2), EPOLLONESHOT";
    an_edge_is_told_once: |f| f.edge() && f.leaves_some() => &[Loses],
        "what the budget leaves in the queue is not reported again",
        "epoll(7), EPOLLET";
    cancelled_with_a_connection: |f| f.comes_again() && f.habit() == (Habit::Cancels { keeps: false })
            && f.cell.driver.registration == Registration::Request => &[Loses],
        "the kernel had completed the accept, and what it brought is dropped",
        "io_uring_prep_cancel(3)";
    an_orphan_accepts: |f| f.comes_again() && f.habit() == (Habit::Closes { deregisters: false })
            && f.cell.driver.registration == Registration::Request => &[Loses],
        "the request in flight holds the listener, and takes the next connection from whoever has it now",
        "io_uring_prep_cancel(3); io_uring_enter(2)";

    // What is in vain.
    a_number_in_the_set: |f| f.habit() == (Habit::Closes { deregisters: false })
            && f.cell.driver.registration == Registration::Bit => &[Dies],
        "a closed descriptor in the set fails the whole wait",
        "select(2), EBADF";
    a_number_in_the_array: |f| f.habit() == (Habit::Closes { deregisters: false })
            && f.cell.driver.registration == Registration::Number => &[Wastes],
        "a closed descriptor is reported each time",
        "poll(2), POLLNVAL";
    a_registration_without_a_descriptor: |f| f.comes_again() && f.habit() == (Habit::Closes { deregisters: false })
            && f.cell.driver.registration == Registration::File => &[Wastes],
        "the open file description lives on elsewhere, and its registration with it",
        "epoll(7), questions and answers 6";
    spins: |f| f.remedy() == Some(Remedy::Ignore) => &[Wastes],
        "the connection stays queued, so that the listener is ready at once again",
        "accept(2), EMFILE";
    starves: |f| f.storms() && f.budget > FAIR && f.cell.driver.takes == Takes::AfterReport => &[Starves],
        "it takes the whole storm before it turns to the others",
        "epoll(7), EPOLLET and starvation";
    the_library_goes_on: |f| f.storms() && f.cell.driver.accepts_unasked != Unasked::Never => &[Starves],
        "it tries accept before it asks for events, and asks only when accept says EWOULDBLOCK",
        "tokio, runtime::Builder::event_interval; async-io, Async::read_with";
    completions_in_hand: |f| f.storms() && f.budget > FAIR && f.cell.driver.rearms == Rearms::AtItsEnd => &[Safe, Starves],
        "it takes what the wait brought, and how much that is the kernel decides",
        "io_uring_prep_multishot_accept(3)";
    one_reactor_for_all: |f| f.queues().is_some() && f.cell.driver.accepts_unasked == Unasked::First => &[Safe, Wastes],
        "its reactor is the process's, and the thread that drives it wakes for others too",
        "async-io, block_on";
    a_herd_that_wakes_one: |f| f.queues() == Some(Queues::Shared) && f.cell.driver.wakes_one => &[Safe, Wastes],
        "the kernel wakes one or more: it promises no more than that",
        "epoll_ctl(2), EPOLLEXCLUSIVE";
    the_herd: |f| f.queues() == Some(Queues::Shared) => &[Wastes],
        "every loop is woken for the one connection",
        "epoll_ctl(2), EPOLLEXCLUSIVE";
    beyond_the_end: |f| f.looks_beyond_the_end() && !f.edge() => &[Wastes],
        "level-triggered readiness would have said whether there is more: the last accept is in vain",
        "epoll(7), Level-triggered and edge-triggered";
}

static REST: Rule = Rule {
    name: "nothing_goes_wrong",
    applies: |_| true,
    verdicts: &[Safe],
    why: "no rule says otherwise",
    source: "accept(2)",
};

/// Whether an accepted connection has its listener's O_NONBLOCK (accept(2), NOTES).
fn inherits() -> bool {
    !cfg!(target_os = "linux")
}
