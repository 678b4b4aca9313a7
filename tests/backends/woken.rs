//! Of several loops that sleep on one listener, whom the kernel wakes for a connection.

use std::sync::mpsc;
use std::thread;

use rstall::backend::{Driver, Takes};
use rstall::evidence::park::{Doing, ThreadId, Watch, this_thread};
use rstall::listener::Listener;
use rstall::outcome;
use rstall::peer::Bystander;

use super::stage::{Stage, each};

/// One loop of several on a listener: tells its thread and hands out its bystander, waits
/// once, tells how many accepts were reported, and keeps its registration until `released`.
fn wait_once(
    driver: &'static Driver,
    listener: Listener,
    hand: &mpsc::Sender<(ThreadId, Bystander)>,
    tell: &mpsc::Sender<usize>,
    released: &mpsc::Receiver<()>,
) {
    let Stage { mut backend, bystander, server: _server, mut ready, .. } =
        Stage::on(driver, listener, None);
    backend.watch_listener().expect("it watches");
    hand.send((this_thread(), bystander)).expect("somebody waits for it");
    while let Err(error) = backend.wait(&mut ready) {
        assert!(outcome::is_interrupted(&error), "the wait: {error}");
    }
    tell.send(ready.accepts).expect("somebody waits for it");
    // Nobody sends: it ends with the other side.
    let _ = released.recv();
}

#[test]
fn a_connection_that_nobody_takes_wakes_one_loop_or_all_as_the_driver_says() {
    each(
        |driver| driver.takes == Takes::AfterReport,
        |stage| {
            let driver = stage.driver;
            let ((hand, handed), (tell, told)) = (mpsc::channel(), mpsc::channel());
            let loops = [(); 2].map(|()| {
                let listener = stage.twin().duplicate().expect("a descriptor");
                let (hand, tell) = (hand.clone(), tell.clone());
                let (release, released) = mpsc::channel();
                let run = move || wait_once(driver, listener, &hand, &tell, &released);
                (thread::spawn(run), release)
            });
            let mut bystanders = Vec::new();
            for (id, bystander) in handed.iter().take(loops.len()) {
                let watch = Watch::new(id);
                loop {
                    match watch.look() {
                        Doing::Running => thread::yield_now(),
                        Doing::Unknown => return eprintln!("skipped: who sleeps is hidden"),
                        _ => break,
                    }
                }
                bystanders.push(bystander);
            }
            let _client = stage.queued(1);
            assert_eq!(told.recv(), Ok(1));
            // Whoever still sleeps wakes now, and says whether the listener did wake it.
            for bystander in &mut bystanders {
                bystander.send().expect("a byte");
            }
            assert_eq!(told.recv(), Ok(usize::from(!driver.wakes_one)));
            for (thread, release) in loops {
                drop(release);
                thread.join().expect("it panics nowhere");
            }
        },
    );
}
