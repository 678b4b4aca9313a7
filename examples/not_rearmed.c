// A one-shot registration reports once. The next client is never reported.
#include "scene.h"
#include <sys/epoll.h>

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    int set = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event once = {.events = EPOLLIN | EPOLLONESHOT}, got;
    must("EPOLL_CTL_ADD", epoll_ctl(set, EPOLL_CTL_ADD, listener, &once));

    connected(listener);
    must("epoll_wait", epoll_wait(set, &got, 1, -1));
    puts("epoll_wait: the listener is readable");
    accept_and_tell(listener);
    if (is_cured)
        must("EPOLL_CTL_MOD", epoll_ctl(set, EPOLL_CTL_MOD, listener, &once));

    connected(listener);
    // Another means of waiting: the second client is in the queue for certain.
    wait_for_report(listener);
    if (must("epoll_wait", epoll_wait(set, &got, 1, 0)) == 0) {
        puts("epoll_wait: nothing, and so for ever");
        return 0;
    }
    puts("epoll_wait: the listener is readable");
    accept_and_tell(listener);
}
