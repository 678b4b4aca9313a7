// The loop closes its listener, of which somebody else holds a descriptor.
#include "scene.h"
#include <sys/epoll.h>

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    int set = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    must("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, listener, &event));

    // A forked child, an older or a newer process: the open file description has two holders.
    int other = must("dup", dup(listener));
    connected(other);
    wait_for_report(other);

    if (is_cured)
        must("epoll_ctl", epoll_ctl(set, EPOLL_CTL_DEL, listener, NULL));
    must("close", close(listener));
    puts("the loop has closed its listener");

    // Ill, each wait has something to tell. Cured, none has: it looks, and no more.
    int told = 0;
    for (int waits = 0; waits < 100; waits++)
        told += must("epoll_wait", epoll_wait(set, &event, 1, is_cured ? 0 : -1));
    printf("%d of 100 waits tell of it\n", told);
    if (is_cured)
        return 0;

    accept_and_tell(event.data.fd);
    if (epoll_ctl(set, EPOLL_CTL_DEL, event.data.fd, NULL) < 0)
        printf("to stop watching it: %s\n", name_of(errno));
}
