//! One client connects, and the loop accepts until the queue is empty.

mod scene;

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    if cured {
        listener.set_nonblocking(true).expect("O_NONBLOCK");
    }

    let _client = scene::connected(&listener);
    scene::wait_for_report(&listener);
    scene::next_client_once_parked(&listener);

    // What mio and epoll(7) ask of those who are told of edges: accept until EWOULDBLOCK.
    let mut taken = 0;
    while scene::accept_and_tell(&listener).is_ok() {
        taken += 1;
        if taken == 2 {
            println!("the next accept would park too: this loop has no end");
            return;
        }
    }
    println!("the queue is empty, the loop goes on");
}
