// A multishot accept runs out of descriptors. That ends it, and later nothing is accepted.
#include "scene.h"
#include "ring.h"
#include <sys/resource.h>

// How many descriptors may be opened beyond those that are open.
static void leave_descriptors(int count) {
    int next = must("dup", dup(0));
    close(next);
    struct rlimit few = {.rlim_cur = next + count, .rlim_max = next + count};
    must("RLIMIT_NOFILE", setrlimit(RLIMIT_NOFILE, &few));
}

static struct completion completion_told(void) {
    struct completion done = ring_wait();
    printf("accept: %s, and the request %s\n", done.res < 0 ? name_of(-done.res) : "a connection",
           done.flags & IORING_CQE_F_MORE ? "stays" : "has ended");
    return done;
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    ring_open();

    connected(listener);
    connected(listener);
    leave_descriptors(1);

    ring_accept(listener, IORING_ACCEPT_MULTISHOT);
    struct completion first = completion_told(), last = completion_told();

    must("close", close(first.res));
    puts("the first connection is closed: there is a descriptor again");
    wait_for_report(listener);
    if (is_cured && !(last.flags & IORING_CQE_F_MORE))
        ring_accept(listener, IORING_ACCEPT_MULTISHOT);

    ring_enter(0, 0);
    if (ring_next(&last))
        printf("accept: %s\n", last.res < 0 ? name_of(-last.res) : "a connection");
    else
        puts("nothing completes: the second client is not accepted");
}
