// An accept in flight is withdrawn, and it has brought a connection already.
#include "scene.h"
#include "ring.h"

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    ring_open();
    ring_accept(listener, 0);

    // The loop is at work elsewhere. Meanwhile the accept completes, unseen.
    int client = connected(listener);
    ring_enter(0, 1);

    ring_submit((struct io_uring_sqe){.opcode = IORING_OP_ASYNC_CANCEL, .addr = 1, .user_data = 2});
    for (struct completion done = {0}; done.user_data != 2;) {
        done = ring_wait();
        if (done.user_data == 2)
            printf("cancel: %s\n", done.res < 0 ? name_of(-done.res) : "done");
        else if (done.res < 0)
            printf("accept: %s\n", name_of(-done.res));
        else if (is_cured) {
            puts("accept: a connection, which is served");
            must("write", write(done.res, "hello", 5));
        } else {
            puts("accept: a connection, which nobody wants any more");
            must("close", close(done.res));
        }
    }
    read_and_tell("the client", client);
}
