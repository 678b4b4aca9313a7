// Five clients connect before the loop waits. Edge-triggered epoll tells of them once.
#include "scene.h"

#include <sys/epoll.h>

enum { CLIENTS = 5 };

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    nonblocking(listener);
    for (int i = 0; i < CLIENTS; i++)
        connect_and_wait(listener);
    printf("%d clients have connected\n", CLIENTS);

    int epoll = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event edge = {.events = EPOLLIN | EPOLLET};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &edge));

    // A server waits without end. This one only looks (0 ms), so that it comes to one.
    while (must("epoll_wait", epoll_wait(epoll, &edge, 1, 0)) > 0) {
        puts("epoll: the listener is readable");
        if (is_cured)
            while (accept_and_tell(listener) >= 0)
                continue;
        else
            accept_and_tell(listener);
    }
    puts("epoll: nothing to report");

    int left = 0;
    while (accept(listener, NULL, NULL) >= 0)
        left++;
    printf("%d of %d clients were left in the queue\n", left, CLIENTS);
}
