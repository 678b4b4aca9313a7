// A report is still to be dealt with when its listener is closed, and another gets the number.
#include "scene.h"
#include <sys/epoll.h>

// What the loop watches, by number: a serial number, which is not used twice.
static uint32_t serials[1024], last_serial;

static int listen_and_watch(int set) {
    int listener = listening();
    serials[listener] = ++last_serial;
    uint64_t name = (uint64_t)last_serial << 32 | (uint32_t)listener;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = name};
    must("EPOLL_CTL_ADD", epoll_ctl(set, EPOLL_CTL_ADD, listener, &event));
    return listener;
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int set = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    int first = listen_and_watch(set);

    connected(first);
    struct epoll_event got;
    must("epoll_wait", epoll_wait(set, &got, 1, -1));
    puts("epoll_wait: a listener is readable");

    // Something that comes first in the batch: a reload, a timer, a request to stop.
    must("close", close(first));
    int second = listen_and_watch(set);
    if (second == first)
        puts("it is closed, and another listener has its number");

    int reported = (uint32_t)got.data.u64;
    if (is_cured && serials[reported] != got.data.u64 >> 32) {
        puts("the report is of a listener that is gone: dropped");
        return 0;
    }
    next_client_once_parked(second);
    accept_and_tell(reported);
}
