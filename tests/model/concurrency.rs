//! Calls that wait: several threads, signals, flags that change, listeners that go away.

use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::pthread::{Pthread, pthread_kill, pthread_self};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Pid;
use rstall::evidence::park::{self, Doing, Watch};
use rstall::listener::{Family, Mode};
use socket2::SockRef;

use super::call::Client::{Alive, Reset};
use super::call::{Queue, Symbol, call, kernel, soon};

/// A thread in accept.
struct Caller {
    watch: Watch,
    pthread: Pthread,
    result: Receiver<Result<(OwnedFd, u16), Errno>>,
    thread: JoinHandle<()>,
}

/// Puts this thread, and those that it starts, on one CPU.
fn on_one_cpu() {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).expect("an affinity");
    let first = (0..CpuSet::count()).find(|&cpu| allowed.is_set(cpu) == Ok(true)).expect("a CPU");
    let mut one = CpuSet::new();
    one.set(first).expect("a CPU");
    sched_setaffinity(this, &one).expect("an affinity");
}

/// From now on this thread takes no CPU from the one that wakes it (sched(7), SCHED_BATCH): on
/// the same CPU a client has reset before an accept that it woke can run.
fn yields_to_its_waker() {
    let parameter = libc::sched_param { sched_priority: 0 };
    // SAFETY: the parameter is read during the call only (sched_setscheduler(2)).
    let set = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &parameter) };
    assert_eq!(set, 0, "SCHED_BATCH is for everybody");
}

impl Caller {
    fn start(fd: RawFd) -> Caller {
        let (tell_id, id) = mpsc::channel();
        let (tell, result) = mpsc::channel();
        let thread = thread::spawn(move || {
            yields_to_its_waker();
            tell_id.send((park::this_thread(), pthread_self())).expect("somebody listens");
            let returned = call(Symbol::Accept, fd, 64);
            let port = returned.port();
            tell.send(returned.result.map(|fd| (fd, port))).expect("somebody listens");
        });
        let (thread_id, pthread) = id.recv().expect("it starts");
        Caller { watch: Watch::new(thread_id), pthread, result, thread }
    }

    fn until_parked(&self) {
        let deadline = soon();
        while self.watch.look() != Doing::ParkedInAccept {
            assert!(!deadline.remaining().is_zero(), "{:?}, and not parked", self.watch.look());
            assert!(!self.thread.is_finished(), "it returned: {:?}", self.result.try_recv());
            thread::yield_now();
        }
    }

    /// The client's port, or the errno.
    fn returned(self) -> Result<u16, Errno> {
        let result = self.result.recv_timeout(Duration::from_secs(30)).expect("it returns");
        self.thread.join().expect("no panic");
        result.map(|(_, port)| port)
    }
}

#[test]
fn a_blocking_accept_parks_where_the_only_connection_vanished() {
    let _beside = super::beside_others();
    let mut queue = Queue::v4(kernel("berkeley"), Mode::Blocking, &[Reset]);
    let caller = Caller::start(queue.fd());
    caller.until_parked();
    queue.add_client_of_a_waiting_accept();
    let port = caller.returned().expect("the next client");
    assert_eq!(queue.index(port), Some(1));
}

#[test]
fn several_threads_in_accept_share_what_is_left() {
    let _beside = super::beside_others();
    let clients = [Reset, Reset];
    let mut queue = Queue::v4(kernel("berkeley"), Mode::Blocking, &clients);
    let callers: Vec<Caller> = (0..3).map(|_| Caller::start(queue.fd())).collect();
    callers.iter().for_each(Caller::until_parked);
    for _ in &callers {
        queue.add_client_of_a_waiting_accept();
    }
    let mut taken: Vec<usize> = callers
        .into_iter()
        .map(|caller| queue.index(caller.returned().expect("a connection")).expect("ours"))
        .collect();
    taken.sort_unstable();
    assert_eq!(taken, [2, 3, 4], "each living one once, and no aborted one");
    assert_eq!(queue.in_force.as_ref().expect("a model").vanished().len(), 2);
}

#[test]
fn each_of_several_threads_is_told_of_one_abort() {
    let _beside = super::beside_others();
    let queue = Queue::v4(kernel("posix"), Mode::Blocking, &[Reset, Reset, Reset]);
    let callers: Vec<Caller> = (0..3).map(|_| Caller::start(queue.fd())).collect();
    for caller in callers {
        assert_eq!(caller.returned(), Err(Errno::ECONNABORTED));
    }
    assert_eq!(queue.length(), 0);
}

#[test]
fn o_nonblock_is_that_of_the_open_file_description_at_the_time_of_the_call() {
    let _beside = super::beside_others();
    let mut queue = Queue::v4(kernel("berkeley"), Mode::Blocking, &[Reset]);
    // Another descriptor of the same description: a flag set on one is set on the other.
    let other = queue.listener.duplicate().expect("a descriptor");
    other.socket().set_nonblocking(true).expect("fcntl");
    let returned = call(Symbol::Accept, queue.fd(), 64);
    assert_eq!(returned.result.map(drop), Err(Errno::EWOULDBLOCK));
    queue.add(Reset);
    other.socket().set_nonblocking(false).expect("fcntl");
    let caller = Caller::start(queue.fd());
    caller.until_parked();
    // It is a blocking call by now, whatever is set behind its back.
    other.socket().set_nonblocking(true).expect("fcntl");
    queue.add_client_of_a_waiting_accept();
    assert_eq!(queue.index(caller.returned().expect("the next client")), Some(2));
}

#[test]
fn so_rcvtimeo_bounds_a_call_that_only_meets_aborted_connections() {
    let _beside = super::beside_others();
    on_one_cpu();
    let queue = Queue::v4(kernel("berkeley"), Mode::Blocking, &[]);
    let socket = SockRef::from(queue.listener.socket());
    socket.set_read_timeout(Some(Duration::from_millis(60))).expect("SO_RCVTIMEO");
    // A call that began its time anew with each of them would not return while they come.
    let deadline = soon();
    loop {
        let caller = Caller::start(queue.fd());
        let result = loop {
            assert!(!deadline.remaining().is_zero(), "the call outlives its time");
            super::call::reset_at_once(queue.listener.addr());
            match caller.result.recv_timeout(Duration::from_millis(10)) {
                Ok(result) => break result,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the thread is gone"),
            }
        };
        // Where it was faster once, the next is another call.
        if let Err(errno) = result {
            break assert_eq!(errno, Errno::EWOULDBLOCK);
        }
    }
    let vanished = queue.in_force.as_ref().expect("a model").vanished().len();
    assert!(vanished > 1, "{vanished} were discarded");
}

/// Has a call park, does something behind its back, and lets it meet an aborted connection.
/// Then what is to follow, which says whether it saw what it was made for. All again where it
/// did not, since accept was faster than a reset.
fn behind_the_back_of_a_call(
    act: impl Fn(&Queue, &mut OwnedFd),
    then: impl Fn(&mut Queue, OwnedFd, Caller) -> bool,
) {
    on_one_cpu();
    let deadline = soon();
    loop {
        assert!(!deadline.remaining().is_zero(), "accept was faster each time");
        let mut queue = Queue::v4(kernel("berkeley"), Mode::Blocking, &[]);
        let socket = queue.listener.socket().as_fd();
        let mut number = socket.try_clone_to_owned().expect("a descriptor");
        let caller = Caller::start(number.as_raw_fd());
        caller.until_parked();
        act(&queue, &mut number);
        super::call::reset_at_once(queue.listener.addr());
        let vanished = || queue.in_force.as_ref().expect("a model").vanished().len();
        while vanished() == 0 && !caller.thread.is_finished() {
            thread::yield_now();
        }
        if vanished() == 0 {
            caller.returned().expect("a connection that was taken alive");
        } else if then(&mut queue, number, caller) {
            return;
        }
    }
}

/// Has a parked call discard once more; says whether it did, or was faster and took one alive.
fn another_abort(queue: &Queue, caller: &Caller) -> bool {
    let deadline = soon();
    let vanished = || queue.in_force.as_ref().expect("a model").vanished().len();
    let before = vanished();
    while vanished() == before && !caller.thread.is_finished() {
        assert!(!deadline.remaining().is_zero(), "neither a discard nor a return");
        super::call::reset_at_once(queue.listener.addr());
        thread::yield_now();
    }
    vanished() > before
}

#[test]
fn a_call_that_was_made_blocking_waits_on_when_o_nonblock_is_set() {
    let _beside = super::beside_others();
    let clear = |_: &Queue, _: &mut OwnedFd| {};
    behind_the_back_of_a_call(clear, |queue, _number, caller| {
        caller.until_parked();
        queue.listener.socket().set_nonblocking(true).expect("fcntl");
        // By now the listener itself would say EWOULDBLOCK.
        let seen = another_abort(queue, &caller);
        queue.add_client_of_a_waiting_accept();
        caller.returned().expect("a connection, and not EWOULDBLOCK");
        seen
    });
}

#[test]
fn a_call_keeps_its_listener_over_several_discards() {
    let _alone = super::alone();
    let clear = |_: &Queue, _: &mut OwnedFd| {};
    behind_the_back_of_a_call(clear, |queue, mut number, caller| {
        caller.until_parked();
        let new = Queue::v4(kernel("native"), Mode::NonBlocking, &[Alive]);
        nix::unistd::dup2(new.listener.socket(), &mut number).expect("dup2");
        let seen = another_abort(queue, &caller);
        queue.add_client_of_a_waiting_accept();
        caller.returned().expect("the old listener's client");
        assert_eq!(new.length(), 1, "nobody has taken from the new listener");
        seen
    });
}

#[test]
fn a_number_that_is_another_listener_s_by_the_first_discard_is_left_alone() {
    let _alone = super::alone();
    let new = Queue::v4(kernel("native"), Mode::NonBlocking, &[Alive]);
    let replace = |_: &Queue, number: &mut OwnedFd| {
        nix::unistd::dup2(new.listener.socket(), number).expect("dup2");
    };
    behind_the_back_of_a_call(replace, |_queue, _number, caller| {
        assert_eq!(caller.returned(), Err(Errno::EBADF));
        true
    });
    assert_eq!(new.length(), 1, "nobody has taken from the new listener");
}

#[test]
fn a_signal_interrupts_a_call_that_has_discarded() {
    let _beside = super::beside_others();
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn note(_signal: i32) {
        SEEN.fetch_add(1, Ordering::Release);
    }
    let install = |signal, flags| {
        let action = SigAction::new(SigHandler::Handler(note), flags, SigSet::empty());
        // SAFETY: the handler does nothing but add to an atomic (signal-safety(7)).
        unsafe { sigaction(signal, &action) }.expect("sigaction");
    };
    install(Signal::SIGUSR1, SaFlags::empty());
    install(Signal::SIGUSR2, SaFlags::SA_RESTART);
    for (name, clients) in [("native", &[][..]), ("berkeley", &[Reset]), ("posix", &[])] {
        let mut queue = Queue::v4(kernel(name), Mode::Blocking, clients);
        let caller = Caller::start(queue.fd());
        caller.until_parked();
        pthread_kill(caller.pthread, Signal::SIGUSR1).expect("the thread is there");
        assert_eq!(caller.returned(), Err(Errno::EINTR), "{name}");
        // With SA_RESTART it goes on, in the same accept.
        let caller = Caller::start(queue.fd());
        caller.until_parked();
        let before = SEEN.load(Ordering::Acquire);
        pthread_kill(caller.pthread, Signal::SIGUSR2).expect("the thread is there");
        let deadline = soon();
        while SEEN.load(Ordering::Acquire) == before {
            assert!(!deadline.remaining().is_zero(), "no signal came");
            thread::yield_now();
        }
        caller.until_parked();
        queue.add_client_of_a_waiting_accept();
        caller.returned().unwrap_or_else(|errno| panic!("{name}: {errno}"));
    }
}

#[test]
fn a_shutdown_ends_a_call_that_has_discarded() {
    let _beside = super::beside_others();
    for (name, clients) in [("native", &[][..]), ("berkeley", &[Reset])] {
        let queue = Queue::v4(kernel(name), Mode::Blocking, clients);
        let caller = Caller::start(queue.fd());
        caller.until_parked();
        SockRef::from(queue.listener.socket()).shutdown(Shutdown::Both).expect("shutdown");
        assert_eq!(caller.returned(), Err(Errno::EINVAL), "{name}");
    }
}

#[test]
fn a_call_stays_on_its_listener_when_the_number_is_closed_and_used_again() {
    let _alone = super::alone();
    for (name, clients) in [("native", &[][..]), ("berkeley", &[Reset])] {
        let mut old = Queue::v4(kernel(name), Mode::Blocking, clients);
        let mut new = Queue::v4(kernel("native"), Mode::Blocking, &[]);
        let number: OwnedFd =
            old.listener.socket().as_fd().try_clone_to_owned().expect("a descriptor");
        let caller = Caller::start(number.as_raw_fd());
        caller.until_parked();
        let mut number = number;
        nix::unistd::dup2(new.listener.socket(), &mut number).expect("dup2");
        new.add(Alive);
        assert_eq!(new.length(), 1, "{name}: the new listener's queue is not touched");
        old.add_client_of_a_waiting_accept();
        let port = caller.returned().expect("the old listener's client");
        assert_eq!(old.index(port), Some(clients.len()), "{name}");
        // The next call on the number is the new listener's, which has no model.
        new.add(Reset);
        let taken = call(Symbol::Accept, number.as_raw_fd(), 64);
        assert_eq!(new.index(taken.port()), Some(0), "{name}");
        let dead = call(Symbol::Accept, number.as_raw_fd(), 64);
        assert!(dead.result.is_ok(), "{name}: handed over dead, as this machine does");
    }
}

/// Wakes all that are in accept on a queue, when it is dropped.
struct ShutDown<'a>(&'a Queue);

impl Drop for ShutDown<'_> {
    fn drop(&mut self) {
        // A listener that is shut down already is as good.
        let _ = SockRef::from(self.0.listener.socket()).shutdown(Shutdown::Both);
    }
}

#[test]
fn clients_that_come_and_reset_while_threads_accept_are_all_accounted_for() {
    let _beside = super::beside_others();
    const CLIENTS: usize = 300;
    for name in ["berkeley", "svr4", "posix"] {
        let queue = Queue::open(kernel(name), Mode::Blocking, Family::Ipv4);
        let (alive, failed, over) =
            (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            // Whatever fails here, nobody is left in accept.
            let _end = ShutDown(&queue);
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::Acquire) {
                        match call(Symbol::Accept4(libc::SOCK_CLOEXEC), queue.fd(), 64).result {
                            Ok(_) => drop(alive.fetch_add(1, Ordering::AcqRel)),
                            Err(Errno::ECONNABORTED | Errno::EPROTO) => {
                                failed.fetch_add(1, Ordering::AcqRel);
                            }
                            Err(Errno::EINVAL) => break,
                            Err(errno) => panic!("{name}: {errno}"),
                        }
                    }
                });
            }
            // Whether accept or the reset wins is up to the moment: no model may lose one.
            let vanished = || queue.in_force.as_ref().map_or(0, |model| model.vanished().len());
            for _ in 0..CLIENTS {
                super::call::reset_at_once(queue.listener.addr());
            }
            let deadline = soon();
            let answered =
                || alive.load(Ordering::Acquire) + failed.load(Ordering::Acquire) + vanished();
            while answered() < CLIENTS {
                assert!(!deadline.remaining().is_zero(), "{name}: {} of {CLIENTS}", answered());
                thread::yield_now();
            }
            assert_eq!(answered(), CLIENTS, "{name}");
            over.store(true, Ordering::Release);
        });
    }
}
