//! A one-shot registration reports the first client, and nobody after that.
#![allow(unsafe_code)]

mod scene;

use std::time::Duration;

use polling::{Event, Events, Poller};

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    listener.set_nonblocking(true).expect("O_NONBLOCK");
    let poller = Poller::new().expect("a poller");
    let mut events = Events::new();
    // SAFETY: the registration is deleted below, before the listener goes.
    unsafe { poller.add(&listener, Event::readable(0)) }.expect("a registration");

    let _first = scene::connected(&listener);
    poller.wait(&mut events, None).expect("wait");
    println!("the loop is told of the listener");
    scene::accept_and_tell(&listener).expect("the first client");
    if cured {
        poller.modify(&listener, Event::readable(0)).expect("a registration");
    }

    let _second = scene::connected(&listener);
    scene::wait_for_report(&listener);
    // Cured, it may wait for its report. Ill, it would wait for ever: it looks, and no more.
    events.clear();
    poller.wait(&mut events, (!cured).then_some(Duration::ZERO)).expect("wait");
    if events.is_empty() {
        println!("the loop is told of nothing");
    } else {
        println!("the loop is told of the listener");
        scene::accept_and_tell(&listener).expect("the second client");
    }
    poller.delete(&listener).expect("the registration");
}
