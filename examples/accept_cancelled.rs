//! An accept in flight is withdrawn, and it has brought a connection already.

#[path = "scene/ring.rs"]
mod ring;
mod scene;

use std::io::{Error, Write};

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    let mut ring = ring::Ring::open();
    ring.accept(&listener);

    // The loop is at work elsewhere. Meanwhile the accept completes, unseen.
    let client = scene::connected(&listener);
    ring.until_posted();

    ring.cancel();
    let mut served = None;
    loop {
        let done = ring.wait();
        if done.user_data() == ring::CANCEL {
            let error = Error::from_raw_os_error(-done.result());
            println!("cancel: {}", scene::name_of(&error));
            break;
        }
        match ring::accepted(&done) {
            Ok(mut connection) if cured => {
                println!("accept: a connection, which is served");
                connection.write_all(b"hello").expect("write");
                served = Some(connection);
            }
            Ok(_) => println!("accept: a connection, which nobody wants any more"),
            Err(error) => println!("accept: {}", scene::name_of(&error)),
        }
    }
    scene::read_and_tell("the client", &client).expect("no error");
    drop(served);
}
