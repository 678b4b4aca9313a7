// The loop withdraws its accept, which has just brought a connection.
#include "ring.h"

enum { ACCEPT = 1, CANCEL = 2 };

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    struct ring ring = ring_open();
    struct io_uring_sqe accepts = {
        .opcode = IORING_OP_ACCEPT, .fd = listener, .user_data = ACCEPT};
    struct io_uring_sqe cancels = {
        .opcode = IORING_OP_ASYNC_CANCEL, .addr = ACCEPT, .user_data = CANCEL};
    submit(&ring, accepts);

    // A client connects, and the accept completes. The loop has not looked yet: it is to stop,
    // or has waited long enough, and withdraws the accept.
    int client = connected(listener);
    enter(&ring, 0, 1);
    submit(&ring, cancels);

    struct completion completion = next(&ring);
    int connection = -1;
    if (completion.request == ACCEPT && completion.result >= 0) {
        connection = completion.result;
        puts("the accept has completed: a connection");
        completion = next(&ring);
    }
    if (completion.request == CANCEL && completion.result == -ENOENT)
        puts("the cancel has found nothing to cancel");

    if (is_cured && connection >= 0)
        must("write", (int)write(connection, "hello", 5));
    close(connection);
    read_and_tell("the client", client);
}
