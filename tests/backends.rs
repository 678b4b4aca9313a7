//! What the methods of the trait promise, tried on each backend of this machine: what must
//! come of a call follows from the driver's data, and from no name.

#[path = "backends/stage.rs"]
mod stage;
#[cfg(target_os = "linux")]
#[path = "backends/woken.rs"]
mod woken;

use std::io;

use rstall::backend::{Rearms, Registration, Takes};
use rstall::evidence::queue;
use rstall::listener::Mode;
use rstall::peer::Peer;
use socket2::SockRef;

use stage::{BYSTANDER, Stage, each};

fn is_ebadf<T>(result: io::Result<T>) -> bool {
    result.err().and_then(|error| error.raw_os_error()) == Some(libc::EBADF)
}

#[test]
fn a_listener_that_is_not_watched_is_not_reported_until_it_is_again() {
    each(
        |driver| driver.watches_others,
        |stage| {
            stage.watch();
            // Once through, so that there is a registration, a request or a memory to end.
            let first = stage.queued(1);
            stage.takes(&first);
            for _ in 0..3 {
                stage.unwatch();
                let client = stage.queued(1);
                stage.only_bystander();
                stage.only_bystander();
                stage.watch();
                stage.takes(&client);
            }
        },
    );
}

#[test]
fn what_was_taken_before_the_listener_was_unwatched_is_kept() {
    each(
        |driver| driver.takes == Takes::InWait,
        |stage| {
            stage.watch();
            let client = stage.queued(1);
            assert_eq!(stage.reported(), 1);
            stage.unwatch();
            let _later = stage.queued(1);
            stage.takes(&client);
            stage.only_bystander();
        },
    );
}

#[test]
fn without_a_set_there_is_nothing_to_stop_and_nothing_to_forget() {
    each(
        |driver| driver.registration == Registration::None,
        |stage| {
            stage.watch();
            stage.unwatch();
            stage.watch();
            let error = stage.backend.forget_listener().expect_err("it has no registration");
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            let client = stage.queued(1);
            stage.takes(&client);
        },
    );
}

#[test]
fn connections_are_non_blocking_where_the_driver_says_so() {
    each(
        |_| true,
        |stage| {
            // Elsewhere than on Linux a connection may have it from its listener (accept(2)).
            if stage.twin().mode() == Mode::NonBlocking && !cfg!(target_os = "linux") {
                return;
            }
            stage.watch();
            let _client = stage.queued(1);
            stage.reported();
            let nonblocking = SockRef::from(&stage.accept()).nonblocking().expect("fcntl");
            assert_eq!(nonblocking, stage.driver.sets_nonblocking);
        },
    );
}

/// Forgets the listener of which another descriptor stays, with a client queued.
fn forgotten(stage: &mut Stage) -> Peer {
    stage.watch();
    let client = stage.queued(1);
    stage.forget();
    client
}

#[test]
fn a_file_stays_registered_while_a_descriptor_of_it_is_open() {
    each(
        |driver| driver.registration == Registration::File,
        |stage| {
            let client = forgotten(stage);
            // Level-triggered and never to be ended: the number that epoll_ctl(2) wants is gone.
            let for_ever = !stage.driver.edge_triggered && stage.driver.rearms == Rearms::Never;
            for _ in 0..if for_ever { 5 } else { 1 } {
                assert_eq!(stage.reported(), 1);
            }
            assert!(is_ebadf(stage.backend.accept()));
            assert!(is_ebadf(stage.backend.unwatch_listener()));
            assert!(is_ebadf(stage.backend.watch_listener()));
            if for_ever {
                stage.bystander.send().expect("a byte");
                while stage.ready.others.is_empty() {
                    stage.wait();
                    assert_eq!(stage.ready.accepts, 1);
                }
                stage.echo();
                let (_taken, peer) = stage.twin().socket().accept().expect("it is queued");
                assert_eq!(peer, client.local());
            }
            stage.only_bystander();
            stage.only_bystander();
        },
    );
}

#[test]
fn a_number_is_not_what_it_stood_for() {
    each(
        |driver| driver.registration == Registration::Number,
        |stage| {
            let _client = forgotten(stage);
            stage.bystander.send().expect("a byte");
            // select(2) fails as a whole, poll(2) reports it beside the others.
            for _ in 0..5 {
                match stage.backend.wait(&mut stage.ready) {
                    Ok(()) => assert_eq!((stage.ready.accepts, stage.ready.others.len()), (1, 1)),
                    error => assert!(is_ebadf(error)),
                }
            }
            assert!(is_ebadf(stage.backend.accept()));
            assert!(is_ebadf(stage.backend.watch_listener()));
            stage.unwatch();
            stage.wait();
            assert_eq!((stage.ready.accepts, &stage.ready.others[..]), (0, &[BYSTANDER][..]));
        },
    );
}

#[test]
fn a_descriptor_s_registration_goes_with_it_and_a_library_sees_to_its_own() {
    each(
        |driver| matches!(driver.registration, Registration::Descriptor | Registration::Library),
        |stage| {
            stage.watch();
            let client = stage.queued(1);
            match stage.backend.forget_listener() {
                Ok(()) => {
                    stage.only_bystander();
                    stage.only_bystander();
                    assert!(is_ebadf(stage.backend.watch_listener()));
                    stage.only_bystander();
                }
                Err(error) => {
                    assert_eq!(stage.driver.registration, Registration::Library);
                    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
                    stage.takes(&client);
                }
            }
        },
    );
}

#[test]
fn nothing_is_reported_once_the_last_descriptor_is_closed() {
    use Registration::{Descriptor, File, Library};
    each(
        |driver| matches!(driver.registration, File | Descriptor | Library),
        |stage| {
            stage.watch();
            let _client = stage.queued(1);
            if stage.backend.forget_listener().is_err() {
                return;
            }
            drop(stage.twin.take());
            stage.only_bystander();
            stage.only_bystander();
        },
    );
}

#[test]
fn an_orphaned_request_takes_what_comes() {
    each(
        |driver| driver.registration == Registration::Request,
        |stage| {
            stage.watch();
            // The wait makes the request.
            stage.only_bystander();
            stage.forget();
            assert!(is_ebadf(stage.backend.watch_listener()));
            let client = stage.connect();
            stage.takes(&client);
            if stage.driver.rearms == Rearms::AtItsEnd {
                let another = stage.connect();
                stage.takes(&another);
                stage.backend.disarm().expect("it withdraws the request");
            }
            let _left = stage.queued(1);
            stage.only_bystander();
            stage.only_bystander();
        },
    );
}

#[test]
fn a_registration_that_is_not_renewed_reports_once() {
    each(
        |driver| driver.watches_others,
        |stage| {
            stage.backend.stop_rearming();
            stage.watch();
            let first = stage.queued(1);
            stage.takes(&first);
            if stage.driver.rearms != Rearms::EachReport {
                let second = stage.connect();
                stage.takes(&second);
            }
            // Neither request nor registration outlives this, where there is one to renew.
            stage.backend.disarm().expect("it withdraws the request");
            let third = stage.queued(1);
            if stage.driver.rearms == Rearms::Never {
                stage.takes(&third);
                return;
            }
            stage.only_bystander();
            stage.only_bystander();
            // A registration anew is none renewed.
            stage.unwatch();
            stage.watch();
            stage.takes(&third);
        },
    );
}

#[test]
fn a_connection_that_came_before_the_request_was_withdrawn_is_kept() {
    each(
        |driver| driver.registration == Registration::Request,
        |stage| {
            stage.watch();
            stage.only_bystander();
            // The kernel tells of connections in the order in which they come: of the first it
            // has told once the second is there.
            let clients = [stage.connect(), stage.connect()];
            stage.backend.disarm().expect("it withdraws the request");
            stage.unwatch();
            let left = queue::look(stage.twin().socket()).map(|queue| queue.length);
            stage.bystander.send().expect("a byte");
            stage.wait();
            let kept = stage.ready.accepts;
            assert!(kept > 0, "{left:?} are left in the queue, and none was kept");
            assert!(left.is_none_or(|left| kept + left == clients.len()), "{kept}, {left:?}");
            for client in &clients[..kept] {
                assert_eq!(stage.accept().peer(), Some(client.local()));
            }
        },
    );
}
