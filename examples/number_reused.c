// A report is still to be dealt with when its listener is closed, and another has its number.
#include "scene.h"
#include <sys/epoll.h>

// What the loop watches: a descriptor, and a name that is not given twice.
struct registration {
    int fd;
    uint32_t name;
};
static struct registration registrations[1024];

static void watch(int set, int fd) {
    static uint32_t names;
    registrations[fd] = (struct registration){.fd = fd, .name = ++names};
    struct epoll_event event = {.events = EPOLLIN};
    event.data.u64 = (uint64_t)registrations[fd].name << 32 | (uint32_t)fd;
    must("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int set = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    int listener = listening();
    watch(set, listener);
    connected(listener);
    struct epoll_event event;
    must("epoll_wait", epoll_wait(set, &event, 1, -1));
    puts("the loop is told of its listener");

    // Something else that the loop was told of in the same wait, a command to reload perhaps.
    must("close", close(listener));
    int another = listening();
    watch(set, another);
    if (another == listener)
        puts("that one is closed, and another has its number");

    next_client_once_parked(another);
    int fd = (int)(uint32_t)event.data.u64;
    if (is_cured && registrations[fd].name != event.data.u64 >> 32)
        puts("the report is of a registration that is gone: dropped");
    else
        accept_and_tell(fd);
}
