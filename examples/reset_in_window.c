// The client resets after the listener was reported and before accept: UNP 16.6. On Linux the
// connection stays queued, and both arms print the same.
#include "scene.h"

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    if (is_cured)
        nonblocking(listener);

    int client = connected(listener);
    wait_for_report(listener);

    reset_and_wait(client);
    puts("the client has reset its connection");

    next_client_once_parked(listener);
    int fd = accept_and_tell(listener);
    if (fd >= 0)
        read_and_tell("the loop", fd);
    else if (errno == EWOULDBLOCK || errno == ECONNABORTED || errno == EPROTO || errno == EINTR)
        puts("the loop goes on");
}
