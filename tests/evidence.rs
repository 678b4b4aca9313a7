//! The evidence itself: it must be found where it is, and not be found where it is not.
#![cfg(target_os = "linux")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rstall::clock::{self, Moment};
use rstall::evidence::park::{self, Doing, Watch};
use rstall::evidence::reset::{Ended, await_ended};
use rstall::evidence::{Proof, queue};
use rstall::listener::{Family, Listener, ListenerSpec, Mode};
use rstall::peer::Peer;

fn listener() -> Listener {
    let spec = ListenerSpec { mode: Mode::Blocking, family: Family::Ipv4, backlog: 8 };
    Listener::bind(spec).expect("a listener")
}

/// A safety net for what must come.
fn soon() -> Moment {
    clock::now().after(Duration::from_secs(10))
}

#[test]
fn the_queue_holds_what_was_connected_and_no_more() {
    let listener = listener();
    let length = || queue::look(listener.socket()).expect("Linux tells").length;
    assert_eq!(length(), 0);
    let _clients: Vec<Peer> = (1..=3)
        .map(|n| {
            let client = Peer::connect(listener.addr()).expect("a client");
            let proof = queue::await_length(listener.socket(), n, soon());
            assert_eq!(proof.expect("it is queued"), Proof::TcpInfo);
            client
        })
        .collect();
    assert_eq!(length(), 3);
    assert_eq!(queue::look(listener.socket()).expect("Linux tells").limit, 8);
    queue::await_length(listener.socket(), 4, clock::now()).expect_err("there is no fourth");
    listener.socket().accept().expect("the first");
    assert_eq!(length(), 2);
}

#[test]
fn a_live_connection_is_neither_closed_nor_reset() {
    let listener = listener();
    let client = Peer::connect(listener.addr()).expect("a client");
    let (local, remote) = (client.local(), client.remote());
    queue::await_length(listener.socket(), 1, soon()).expect("it is queued");
    for how in [Ended::Closed, Ended::Reset] {
        await_ended(how, local, remote, clock::now()).expect_err("it is alive");
    }
}

#[test]
fn a_fin_is_not_taken_for_a_reset_nor_a_reset_for_a_fin() {
    let listener = listener();
    let closing = Peer::connect(listener.addr()).expect("a client");
    let resetting = Peer::connect(listener.addr()).expect("a client");
    queue::await_length(listener.socket(), 2, soon()).expect("both are queued");
    let (local, remote) = (closing.local(), closing.remote());
    closing.close();
    let proof = await_ended(Ended::Closed, local, remote, soon()).expect("the FIN arrives");
    assert_eq!(proof, Proof::SockDiag);
    await_ended(Ended::Reset, local, remote, clock::now()).expect_err("it was no reset");
    let (local, remote) = resetting.reset().expect("a reset");
    let proof = await_ended(Ended::Reset, local, remote, soon()).expect("the RST arrives");
    assert_eq!(proof, Proof::SockDiag);
    await_ended(Ended::Closed, local, remote, clock::now()).expect_err("it was no FIN");
}

#[test]
fn a_thread_in_accept_is_seen_there_and_one_that_waits_elsewhere_is_not() {
    let listener = listener();
    let until = |watch: &Watch, doing: Doing| {
        let deadline = soon();
        while watch.look() != doing {
            assert!(!deadline.remaining().is_zero(), "{:?}, and not {doing:?}", watch.look());
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        let (go, gate) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let socket = listener.socket();
        scope.spawn(move || {
            tell.send(park::this_thread()).expect("somebody listens");
            gate.recv().expect("somebody sends");
            socket.accept().expect("a client comes");
        });
        let watch = Watch::new(told.recv().expect("a thread"));
        until(&watch, Doing::Locked);
        go.send(()).expect("the thread waits");
        until(&watch, Doing::ParkedInAccept);
        Peer::connect(listener.addr()).expect("a client");
    });
}
