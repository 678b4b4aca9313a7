// A client resets its connection while it is queued; another stands behind it, and is well.
#include "scene.h"

// Errors that are one connection's affair: accept's on most systems, read's on Linux.
static bool passes(int error) {
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case EINTR:
    case EWOULDBLOCK:
    case ECONNRESET: return true;
    default: return false;
    }
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    reset_and_wait(connect_and_wait(listener));
    puts("the first client has reset its connection, which is queued");
    int second = connected(listener);
    must("write", (int)write(second, "hello", 5));

    for (int clients = 0; clients < 2; clients++) {
        int fd = accept_and_tell(listener);
        int error = fd < 0 ? errno : read_and_tell("the loop", fd);
        if (error == 0) continue;
        if (!is_cured || !passes(error)) {
            puts("the loop ends, and the second client is not served");
            break;
        }
        if (fd >= 0) close(fd);
        puts("the loop goes on");
    }
}
