// An accept is in flight, and another acceptor is always faster.
#include "ring.h"
#include <glob.h>

// A client connects, the kernel tells the request of it, and before the request can have the
// connection another acceptor has taken it.
static void robbed(struct ring *ring, int listener) {
    int client = connected(listener);
    while (!(*ring->flags & IORING_SQ_TASKRUN))
        sched_yield();
    close(must("accept", accept(listener, NULL, NULL)));
    close(client);
    enter(ring, 0, 0);
}

// Whether one of this process's threads waits in accept(2) (proc_pid_wchan(5)).
static bool one_waits_in_accept(void) {
    bool waits = false;
    glob_t files;
    must("glob", -glob("/proc/self/task/*/wchan", 0, NULL, &files));
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char text[64] = "";
        FILE *file = fopen(files.gl_pathv[i], "re");
        if (file == NULL) continue;
        waits = waits || (fgets(text, sizeof text, file) && strstr(text, "accept"));
        fclose(file);
    }
    globfree(&files);
    return waits;
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    if (is_cured)
        nonblocking(listener);
    struct ring ring = ring_open();
    struct io_uring_sqe accepts = {.opcode = IORING_OP_ACCEPT, .fd = listener};
    submit(&ring, accepts);

    struct completion completion;
    for (int times = 0; times < 127; times++)
        robbed(&ring, listener);
    puts("127 times another acceptor took the connection");

    if (is_cured) {
        completion = next(&ring);
        printf("completion: %s\n", name_of(-completion.result));
        if (completion.result == -EAGAIN)
            submit(&ring, accepts);
    } else {
        while (!one_waits_in_accept())
            sched_yield();
        puts("a kernel thread of this process is parked in accept");
    }

    connected(listener);
    completion = next(&ring);
    printf("completion: %s\n", completion.result < 0 ? name_of(-completion.result)
                                                     : "the next client's connection");
}
