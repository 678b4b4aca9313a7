// The listener is reported readable, and another acceptor is faster.
#include "scene.h"

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    if (is_cured)
        nonblocking(listener);

    connected(listener);
    wait_for_report(listener);

    // A thread, a forked child, another process: whoever accepts from the same listener.
    must("accept", accept(listener, NULL, NULL));
    puts("another acceptor took the connection");

    next_client_once_parked(listener);
    int fd = accept_and_tell(listener);
    if (fd < 0 && (errno == EWOULDBLOCK || errno == EAGAIN))
        puts("the loop goes on");
}
