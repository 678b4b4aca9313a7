// The loop closes its listener, of which there is another descriptor: epoll goes on reporting it.
#include "scene.h"
#include <sys/epoll.h>

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    int set = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, got;
    must("EPOLL_CTL_ADD", epoll_ctl(set, EPOLL_CTL_ADD, listener, &event));

    // A forked child, the new process of an upgrade: somebody else holds the listener too.
    int other = must("dup", dup(listener));
    connected(other);
    if (is_cured)
        must("EPOLL_CTL_DEL", epoll_ctl(set, EPOLL_CTL_DEL, listener, NULL));
    must("close", close(listener));
    puts("the loop has closed its listener");

    wait_for_report(other);
    int reports = 0;
    for (int wait = 0; wait < 100; wait++)
        reports += must("epoll_wait", epoll_wait(set, &got, 1, 0));
    printf("epoll_wait: 100 waits, %d reports\n", reports);

    if (reports > 0 && epoll_ctl(set, EPOLL_CTL_DEL, got.data.fd, NULL) < 0)
        printf("EPOLL_CTL_DEL: %s\n", name_of(errno));
}
