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
use crate::fault::Step;
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
    ($($name:ident: $verdicts:expr,
        when |$facts:ident| $applies:expr,
        since $why:literal,
        see $source:literal;)*) => {
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
    close_wakes_nobody: &[Stalls],
        when |f| f.step(Step::StopByClose),
        since "closing a descriptor wakes no thread that waits on it: accept goes on until a \
               client comes",
        see "close(2), Multithreaded processes and close()";
    the_stop_is_heard: &[Safe],
        when |f| f.step(Step::StopByShutdown) || f.step(Step::StopByClient),
        since "accept returns, with EINVAL or with the client, and the loop looks whether it is \
               to stop",
        see "net/ipv4/inet_connection_sock.c inet_csk_accept";
    draining_before_leaving_parks: &[Stalls],
        when |f| f.step(Step::Leave) && f.habit() == Habit::Leaves { drained: true } && f.blocks,
        since "there is no EWOULDBLOCK to stop draining at",
        see "accept(2)";
    drained_before_leaving: &[Safe],
        when |f| f.step(Step::Leave) && f.habit() == Habit::Leaves { drained: true },
        since "what was queued is taken before the listener is closed",
        see "accept(2)";
    the_queue_moves: &[Safe],
        when |f| f.step(Step::LeaveMigrating),
        since "the kernel moves what is queued to another listener of the group",
        see "ip-sysctl, tcp_migrate_req";
    the_queue_goes_with_the_listener: &[Loses],
        when |f| f.step(Step::Leave),
        since "each listener of a group has a queue of its own, which is reset as it closes",
        see "socket(7), SO_REUSEPORT; net/ipv4/inet_connection_sock.c inet_csk_listen_stop";

    // What ends the loop or its part before anything else can happen.
    no_descriptor_is_fatal: &[Dies],
        when |f| f.step(Step::Exhaust) && f.habit() == Habit::Sound,
        since "the loop takes EMFILE for fatal",
        see "accept(2), EMFILE";
    nobody_watches_again: &[Loses],
        when |f| f.remedy() == Some(Remedy::PauseForGood),
        since "it has stopped watching its listener and does not begin again",
        see "epoll_ctl(2), EPOLL_CTL_DEL";
    an_edge_that_was_missed: &[Loses],
        when |f| f.remedy() == Some(Remedy::Ignore) && f.edge(),
        since "the edge was told when there was no descriptor, and is not told again",
        see "epoll(7), EPOLLET";
    the_request_has_ended: &[Loses],
        when |f| f.step(Step::Exhaust) && f.habit() == Habit::NeverRearms,
        since "a multishot accept ends with its first error, and nobody arms another",
        see "io_uring_prep_multishot_accept(3), IORING_CQE_F_MORE";
    a_read_that_blocks: &[Stalls],
        when |f| f.has_clients() && f.habit() == (Habit::Reads { sets_nonblocking: false })
            && !f.driver().sets_nonblocking && (f.blocks || !inherits()),
        since "the accepted connection is blocking, and its client has sent nothing",
        see "accept(2): the flags of the new socket are not inherited on Linux, and are on the \
             BSDs";
    an_abort_is_fatal: &[Dies],
        when |f| f.naive && f.accept_fails(),
        since "accept fails for the aborted connection, and the loop takes that for fatal",
        see "UNIX Network Programming 5.11; POSIX accept(), ECONNABORTED";
    checked_and_renewed: &[Dies],
        when |f| f.habit() == Habit::Checks && f.renews_what_is_gone(),
        since "the report is dropped, but its registration is renewed as after every report, and \
               is gone",
        see "epoll_ctl(2), ENOENT";
    the_report_was_checked: &[Safe],
        when |f| f.habit() == Habit::Checks,
        since "the report is of a registration that is gone, and is dropped",
        see "epoll(7), possible pitfalls, if you use an event cache";

    // A herd.
    one_loop_wakes_accept_waits: &[Safe],
        when |f| f.shares_a_listener() && f.driver().takes == Takes::InAccept,
        since "of the waiters in accept the kernel wakes one for each connection",
        see "net/ipv4/inet_connection_sock.c inet_csk_wait_for_connect";
    a_herd_on_a_listener_that_blocks: &[Stalls],
        when |f| f.shares_a_listener() && f.blocks && f.driver().takes == Takes::AfterReport
            && !f.driver().wakes_one,
        since "all are told of the one connection, and all but one park in accept",
        see "accept(2), NOTES; epoll_ctl(2)";
    a_herd_that_is_naive: &[Dies],
        when |f| f.shares_a_listener() && f.naive && !f.blocks
            && f.driver().takes == Takes::AfterReport && !f.driver().wakes_one,
        since "all are told of the one connection, and all but one end on EWOULDBLOCK",
        see "accept(2), NOTES";

    // A request that was robbed too often.
    a_worker_parks: &[Wastes],
        when |f| f.robs_a_request() && f.blocks,
        since "a request is armed 128 times at most, then a kernel thread does it, and waits in \
               accept",
        see "io_uring/poll.c APOLL_MAX_RETRY; io_uring/net.c io_accept";
    a_worker_gives_up: &[Dies],
        when |f| f.robs_a_request() && f.naive,
        since "the kernel thread does not wait on a non-blocking listener: the request ends with \
               EWOULDBLOCK",
        see "io_uring/poll.c APOLL_MAX_RETRY; io_uring/net.c io_accept";

    // One accept too many.
    parked: &[Stalls],
        when |f| f.blocks && f.accepts_once_too_often(),
        since "accept is called where no connection is, on a listener that blocks",
        see "accept(2), NOTES; UNIX Network Programming 16.6";
    would_block_is_fatal: &[Dies],
        when |f| f.naive && !f.blocks && f.trusts_a_report_too_far(),
        since "accept says EWOULDBLOCK where no connection is, and the loop takes that for fatal",
        see "accept(2), EAGAIN";
    renewed_though_gone: &[Dies],
        when |f| f.renews_what_is_gone(),
        since "the registration is renewed after the report, but the number is another listener's",
        see "epoll_ctl(2), ENOENT";

    // What is left behind.
    swallowed: &[Loses],
        when |f| f.step(Step::Efault),
        since "accept takes the connection off the queue before it finds the pointer bad, and \
               closes it",
        see "net/socket.c do_accept";
    shed: &[Loses],
        when |f| f.remedy() == Some(Remedy::Reserve),
        since "the connections are closed as soon as they are accepted",
        see "libev, ev.pod, The special problem of accept()ing when you can't";
    told_once: &[Loses],
        when |f| f.habit() == Habit::NeverRearms && f.comes_again(),
        since "a one-shot registration reports once, and is not armed again",
        see "epoll_ctl(2), EPOLLONESHOT";
    an_edge_is_told_once: &[Loses],
        when |f| f.edge() && f.leaves_some(),
        since "what the budget leaves in the queue is not reported again",
        see "epoll(7), EPOLLET";
    cancelled_with_a_connection: &[Loses],
        when |f| f.comes_again() && f.habit() == (Habit::Cancels { keeps: false })
            && f.is_kept_by(Registration::Request),
        since "the kernel had completed the accept, and what it brought is dropped",
        see "io_uring_prep_cancel(3)";
    an_orphan_accepts: &[Loses],
        when |f| f.comes_again() && f.forgets() && f.is_kept_by(Registration::Request),
        since "the request in flight holds the listener, and takes the next connection from \
               whoever has it now",
        see "io_uring_prep_cancel(3); io_uring_enter(2)";

    // What is in vain.
    a_number_in_the_set: &[Dies],
        when |f| f.forgets() && f.is_kept_by(Registration::Bit),
        since "a closed descriptor in the set fails the whole wait",
        see "select(2), EBADF";
    a_number_in_the_array: &[Wastes],
        when |f| f.forgets() && f.is_kept_by(Registration::Number),
        since "a closed descriptor is reported each time",
        see "poll(2), POLLNVAL";
    a_registration_without_a_descriptor: &[Wastes],
        when |f| f.comes_again() && f.forgets() && f.is_kept_by(Registration::File),
        since "the open file description lives on elsewhere, and its registration with it",
        see "epoll(7), questions and answers 6";
    spins: &[Wastes],
        when |f| f.remedy() == Some(Remedy::Ignore),
        since "the connection stays queued, so that the listener is ready at once again",
        see "accept(2), EMFILE";
    starves: &[Starves],
        when |f| f.storms() && f.budget > FAIR && f.driver().takes == Takes::AfterReport,
        since "it takes the whole storm before it turns to the others",
        see "epoll(7), possible pitfalls, starvation";
    the_library_goes_on: &[Starves],
        when |f| f.storms() && f.driver().accepts_unasked != Unasked::Never,
        since "it tries accept before it asks for events, and asks only when accept says \
               EWOULDBLOCK",
        see "tokio, runtime::Builder::event_interval; async-io, Async::read_with";
    completions_in_hand: &[Safe, Starves],
        when |f| f.storms() && f.budget > FAIR && f.driver().rearms == Rearms::AtItsEnd,
        since "it takes what the wait brought, and how much that is the kernel decides",
        see "io_uring_prep_multishot_accept(3)";
    one_reactor_for_all: &[Safe, Wastes],
        when |f| f.queues().is_some() && f.driver().accepts_unasked == Unasked::First,
        since "its reactor is the process's, and the thread that drives it wakes for others too",
        see "async-io, block_on";
    the_woken_may_be_two_and_park: &[Safe, Stalls],
        when |f| f.shares_a_listener() && f.driver().wakes_one && f.blocks
            && f.driver().takes == Takes::AfterReport,
        since "the kernel wakes one or more, and of two the slower parks in accept",
        see "epoll_ctl(2), EPOLLEXCLUSIVE";
    the_woken_may_be_two_and_end: &[Safe, Dies],
        when |f| f.shares_a_listener() && f.driver().wakes_one && f.naive
            && f.driver().takes == Takes::AfterReport,
        since "the kernel wakes one or more, and of two the slower ends on EWOULDBLOCK",
        see "epoll_ctl(2), EPOLLEXCLUSIVE";
    a_herd_that_wakes_one: &[Safe, Wastes],
        when |f| f.shares_a_listener() && f.driver().wakes_one,
        since "the kernel wakes one or more: it promises no more than that",
        see "epoll_ctl(2), EPOLLEXCLUSIVE; io_uring/opdef.c poll_exclusive";
    the_herd: &[Wastes],
        when |f| f.shares_a_listener(),
        since "every loop is woken for the one connection",
        see "epoll_ctl(2), EPOLLEXCLUSIVE";
    beyond_the_end: &[Wastes],
        when |f| f.looks_beyond_the_end() && !f.edge(),
        since "level-triggered readiness would have said whether there is more: the last accept \
               is in vain",
        see "epoll(7), Level-triggered and edge-triggered";
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
