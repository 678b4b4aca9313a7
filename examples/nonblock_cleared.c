// The listener was opened non-blocking. Another holder of it clears the flag.
#include "scene.h"

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening_beside(-1);
    nonblocking(listener);
    connected(listener);
    wait_for_report(listener);

    // Inherited over fork, or sent over a socket: another descriptor of the same description.
    int others = is_cured ? listening_beside(listener) : must("dup", dup(listener));
    must("fcntl", fcntl(others, F_SETFL, fcntl(others, F_GETFL) & ~O_NONBLOCK));
    puts("O_NONBLOCK was cleared through another descriptor");
    bool is_set = fcntl(listener, F_GETFL) & O_NONBLOCK;
    printf("O_NONBLOCK of the loop's listener is %s\n", is_set ? "set" : "cleared");

    must("accept", accept(listener, NULL, NULL));
    puts("another acceptor took the connection");

    next_client_once_parked(listener);
    int fd = accept_and_tell(listener);
    if (fd < 0 && (errno == EWOULDBLOCK || errno == EAGAIN))
        puts("the loop goes on");
}
