// A one-shot registration reports the first client, and nobody after that.
#include "scene.h"
#include <sys/epoll.h>

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    nonblocking(listener);
    int set = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event once = {.events = EPOLLIN | EPOLLONESHOT}, event;
    must("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, listener, &once));

    connected(listener);
    must("epoll_wait", epoll_wait(set, &event, 1, -1));
    puts("the loop is told of the listener");
    accept_and_tell(listener);
    if (is_cured)
        must("epoll_ctl", epoll_ctl(set, EPOLL_CTL_MOD, listener, &once));

    connected(listener);
    wait_for_report(listener);
    // Cured, it may wait for its report. Ill, it would wait for ever: it looks, and no more.
    if (must("epoll_wait", epoll_wait(set, &event, 1, is_cured ? -1 : 0)) == 0) {
        puts("the loop is told of nothing");
        return 0;
    }
    puts("the loop is told of the listener");
    accept_and_tell(listener);
}
