/*
 * C twins of `accept_burst`'s `floor` and `epoll`: the system calls that those make between
 * their two readings of the clock, and nothing else. `speed.rs` compiles and calls them.
 *
 * Neither reads a clock nor closes what it took: the caller does both, for the twins as for
 * their Rust counterparts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* As socket2 accepts: close-on-exec, the peer's address asked for in a sockaddr_storage. */
static int take(int listener)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    return accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
}

/* Takes k connections from a queue that holds them; returns how many it got. */
int twin_floor(int listener, int *fds, int k)
{
    int n = 0;
    while (n < k) {
        int fd = take(listener);
        if (fd == -1)
            break;
        fds[n++] = fd;
    }
    return n;
}

/* Opens an epoll that watches the listener, level-triggered; -1 where that failed. */
int twin_epoll_open(int listener)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll == -1)
        return -1;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == -1) {
        close(epoll);
        return -1;
    }
    return epoll;
}

/*
 * One wait, then accepts until EAGAIN; returns how many connections it got, -1 where the
 * wait or an accept failed in another way. Room is for k connections and no more, so one
 * that comes on top of them ends it too: it returns k + 1.
 */
int twin_epoll(int epoll, int listener, int *fds, int k)
{
    struct epoll_event events[1024];
    int n = 0;
    if (epoll_wait(epoll, events, 1024, -1) == -1)
        return -1;
    for (;;) {
        int fd = take(listener);
        if (fd == -1)
            return errno == EAGAIN ? n : -1;
        if (n == k) {
            close(fd);
            return k + 1;
        }
        fds[n++] = fd;
    }
}
