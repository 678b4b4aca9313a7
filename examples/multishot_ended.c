// A multishot accept meets its first error, which is its last completion.
#include "ring.h"
#include <sys/resource.h>

static struct completion next_and_tell(struct ring *ring) {
    struct completion completion = next(ring);
    printf("completion: %s%s\n",
           completion.result < 0 ? name_of(-completion.result) : "a connection",
           completion.flags & IORING_CQE_F_MORE ? "" : ", without IORING_CQE_F_MORE");
    return completion;
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    struct rlimit few = {.rlim_cur = 32, .rlim_max = 32};
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &few));
    int listener = listening();
    struct ring ring = ring_open();

    struct io_uring_sqe accepts = {.opcode = IORING_OP_ACCEPT,
                                   .ioprio = IORING_ACCEPT_MULTISHOT,
                                   .fd = listener,
                                   .user_data = 1};
    submit(&ring, accepts);
    connected(listener);
    next_and_tell(&ring);

    // The next client comes when there is no descriptor left. Later there are some again.
    connected(listener);
    int first = dup(listener), last = first;
    for (int fd = first; fd >= 0; fd = dup(listener))
        last = fd;
    struct completion completion = next_and_tell(&ring);
    for (int fd = first; fd <= last; fd++)
        close(fd);
    puts("descriptors are free again");

    if (is_cured && !(completion.flags & IORING_CQE_F_MORE)) {
        submit(&ring, accepts);
        next_and_tell(&ring);
        return 0;
    }
    // The loop would wait for its request here. Is there one? A cancel knows.
    submit(&ring, (struct io_uring_sqe){.opcode = IORING_OP_ASYNC_CANCEL, .addr = 1});
    if (next(&ring).result == -ENOENT)
        puts("no request is left, and nothing will be completed");
    wait_for_report(listener);
}
