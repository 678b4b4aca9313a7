// Another holder of the listener shuts it down and has it listen again, which empties its queue.
#include "scene.h"

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    if (is_cured)
        nonblocking(listener);

    int client = connected(listener);
    wait_for_report(listener);

    // A forked worker, the process that handed the listener over: the socket is the same.
    int other = must("dup", dup(listener));
    must("shutdown", shutdown(other, SHUT_RD));
    must("listen", listen(other, 128));
    puts("another holder has shut the listener down, and it listens again");
    read_and_tell("the client", client);

    next_client_once_parked(listener);
    int fd = accept_and_tell(listener);
    if (fd < 0 && (errno == EWOULDBLOCK || errno == EAGAIN))
        puts("the loop goes on");
}
