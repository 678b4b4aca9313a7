//! Another acceptor takes each connection that an accept in flight was woken for. After 128 vain
//! armings the kernel gives the accept to a thread of its own.

#[path = "scene/ring.rs"]
mod ring;
mod scene;

use std::{fs, process, thread};

/// The state (proc_pid_stat(5)) of the thread that the kernel has given this process, if it has.
/// The program starts none. It takes the name iou-wrk only once it runs.
fn worker() -> Option<char> {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc/self/task");
    let own = process::id().to_string();
    let mut others = tasks.flatten().filter(|task| *task.file_name() != *own);
    others.find_map(|task| {
        let text = fs::read_to_string(task.path().join("stat")).ok()?;
        text.rsplit_once(") ")?.1.chars().next()
    })
}

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    if cured {
        listener.set_nonblocking(true).expect("O_NONBLOCK");
    }
    let mut ring = ring::Ring::open();
    ring.accept(&listener);

    let mut thefts = 0;
    while thefts < 1000 && worker().is_none() {
        let _client = scene::connected(&listener);
        scene::wait_readable(&listener);
        // A thread, a forked child, another process: whoever accepts from the same listener.
        listener.accept().expect("accept");
        // The accept in flight was woken, finds nothing, and is armed anew.
        ring.look();
        thefts += 1;
    }
    if worker().is_none() {
        eprintln!("this kernel gives the accept to no thread");
        process::exit(77);
    }
    println!("robbed too often: a kernel thread does the accept");

    if cured {
        let error = ring::accepted(&ring.wait()).expect_err("nothing to accept");
        println!("accept: {}", scene::name_of(&error));
        ring.accept(&listener);
        println!("the loop arms it anew");
    } else {
        while worker() != Some('S') {
            thread::yield_now();
        }
        println!("it is parked in there until somebody connects");
    }
    let _client = scene::connected(&listener);
    match ring::accepted(&ring.wait()) {
        Ok(_) => println!("accept: a connection"),
        Err(error) => println!("accept: {}", scene::name_of(&error)),
    }
}
