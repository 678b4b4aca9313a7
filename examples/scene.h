// What the examples share: a listener on loopback, clients, and a next client who connects
// once accept is seen parked. The pitfall of each example is in its own file, all of it.
// Linux: it looks into /proc to tell that a thread is parked.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Ends the program if a call that is beside the point fails.
__attribute__((unused)) static int must(const char *call, int result) {
    if (result < 0) {
        perror(call);
        exit(2);
    }
    return result;
}

// Whether the program was asked for its cured arm.
__attribute__((unused)) static bool cured(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "bad") == 0) return false;
    if (argc == 2 && strcmp(argv[1], "cured") == 0) return true;
    fprintf(stderr, "usage: %s bad|cured\n", argv[0]);
    exit(2);
}

// A listener on 127.0.0.1, on any free port.
__attribute__((unused)) static int listening(void) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    must("bind", bind(listener, (struct sockaddr *)&any, sizeof any));
    must("listen", listen(listener, 128));
    return listener;
}

// A client of the listener, connected: its connection is in the accept queue, or soon is.
__attribute__((unused)) static int connected(int listener) {
    struct sockaddr_in to;
    socklen_t size = sizeof to;
    must("getsockname", getsockname(listener, (struct sockaddr *)&to, &size));
    int client = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    must("connect", connect(client, (struct sockaddr *)&to, size));
    return client;
}

// The client resets its connection instead of closing it (socket(7), SO_LINGER).
__attribute__((unused)) static void reset(int client) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    must("SO_LINGER", setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    must("close", close(client));
}

__attribute__((unused)) static void nonblocking(int fd) {
    must("fcntl", fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

// Waits until the listener is reported readable, and says so.
__attribute__((unused)) static void wait_for_report(int listener) {
    struct pollfd one = {.fd = listener, .events = POLLIN};
    must("poll", poll(&one, 1, -1));
    puts("poll: the listener is readable");
}

static atomic_bool in_call, was_parked;

// Whether the main thread sleeps in the kernel (proc_pid_stat(5), the third field).
static bool main_thread_sleeps(void) {
    char text[512] = "";
    FILE *file = fopen("/proc/self/stat", "re");
    if (file == NULL || fgets(text, sizeof text, file) == NULL) must("/proc/self/stat", -1);
    fclose(file);
    char *state = strrchr(text, ')');
    return state != NULL && state[2] == 'S';
}

// Whether the main thread is parked in accept_and_tell or in read_and_tell.
static bool is_parked(void) {
    return atomic_load(&in_call) && main_thread_sleeps() && atomic_load(&in_call);
}

static void *connect_once_parked(void *listener) {
    while (!is_parked())
        sched_yield();
    atomic_store(&was_parked, true);
    puts("accept is parked: nothing goes on until somebody connects");
    connected((int)(intptr_t)listener);
    return NULL;
}

// Has a next client connect, but only once the main thread is parked in accept_and_tell.
__attribute__((unused)) static void next_client_once_parked(int listener) {
    pthread_t thread;
    void *argument = (void *)(intptr_t)listener;
    must("pthread_create", -pthread_create(&thread, NULL, connect_once_parked, argument));
}

// The name of an errno, of those that the examples meet.
__attribute__((unused)) static const char *name_of(int error) {
    switch (error) {
    case EAGAIN: return "EWOULDBLOCK";
    case EBADF: return "EBADF";
    case ECONNABORTED: return "ECONNABORTED";
    case ECONNRESET: return "ECONNRESET";
    case EFAULT: return "EFAULT";
    case EINVAL: return "EINVAL";
    case EMFILE: return "EMFILE";
    default: return strerror(error);
    }
}

// accept(2), and in words what came of it. Gives what accept gave.
__attribute__((unused)) static int accept_and_tell(int listener) {
    atomic_store(&in_call, true);
    int fd = accept(listener, NULL, NULL);
    int error = errno;
    atomic_store(&in_call, false);
    if (fd < 0)
        printf("accept: %s\n", name_of(error));
    else if (atomic_load(&was_parked))
        puts("accept: the next client's connection");
    else
        puts("accept: a connection");
    errno = error;
    return fd;
}

// States of a connection, as /proc/net/tcp numbers them (include/net/tcp_states.h).
#define ESTABLISHED "01"
#define SYN_RECV "03"

// Waits as long as /proc/net/tcp (proc(5)) has the server's end of a connection in a state. One
// that was reset is not listed.
static void wait_while(const char *state, const char *ends) {
    char row[64], line[256];
    snprintf(row, sizeof row, "%s%s ", ends, state);
    for (bool stands = true; stands; sched_yield()) {
        FILE *table = fopen("/proc/net/tcp", "re");
        if (table == NULL) must("/proc/net/tcp", -1);
        stands = false;
        while (fgets(line, sizeof line, table) != NULL)
            stands = stands || strstr(line, row) != NULL;
        fclose(table);
    }
}

// Both ends of a client's connection, as /proc/net/tcp writes them for the server's.
static void ends_of(int client, char ends[32]) {
    struct sockaddr_in own, peer;
    socklen_t own_size = sizeof own, peer_size = sizeof peer;
    must("getsockname", getsockname(client, (struct sockaddr *)&own, &own_size));
    must("getpeername", getpeername(client, (struct sockaddr *)&peer, &peer_size));
    snprintf(ends, 32, " %08X:%04X %08X:%04X ", peer.sin_addr.s_addr, ntohs(peer.sin_port),
             own.sin_addr.s_addr, ntohs(own.sin_port));
}

// As connected, and waits until the server's end is in the accept queue.
__attribute__((unused)) static int connect_and_wait(int listener) {
    char ends[32];
    int client = connected(listener);
    ends_of(client, ends);
    wait_while(SYN_RECV, ends);
    return client;
}

// As reset, and waits until the reset has arrived at the server's end.
__attribute__((unused)) static void reset_and_wait(int client) {
    char ends[32];
    ends_of(client, ends);
    reset(client);
    wait_while(ESTABLISHED, ends);
}

// The client closes its connection; waits until its FIN has arrived at the server's end.
__attribute__((unused)) static void close_and_wait(int client) {
    char ends[32];
    ends_of(client, ends);
    must("close", close(client));
    wait_while(ESTABLISHED, ends);
}

// read(2), and in words what came of it. Gives 0, or the errno.
__attribute__((unused)) static int read_and_tell(const char *who, int fd) {
    char text[64];
    atomic_store(&in_call, true);
    ssize_t size = read(fd, text, sizeof text);
    int error = size < 0 ? errno : 0;
    atomic_store(&in_call, false);
    if (size < 0)
        printf("%s reads: %s\n", who, name_of(error));
    else if (size == 0)
        printf("%s reads: end of file\n", who);
    else
        printf("%s reads: %.*s\n", who, (int)size, text);
    return error;
}

// A listener on the port of another, or on any free one (-1), with a queue of its own
// (SO_REUSEPORT, socket(7)).
__attribute__((unused)) static int listening_beside(int other) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (other >= 0) must("getsockname", getsockname(other, (struct sockaddr *)&at, &size));
    int listener = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int on = 1;
    must("SO_REUSEPORT", setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    must("bind", bind(listener, (struct sockaddr *)&at, sizeof at));
    must("listen", listen(listener, 128));
    return listener;
}

// Waits until all who have connected to the listener are in its accept queue.
__attribute__((unused)) static void wait_until_queued(int listener) {
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    must("getsockname", getsockname(listener, (struct sockaddr *)&at, &size));
    char own[32], line[256], state[8];
    snprintf(own, sizeof own, " %08X:%04X ", at.sin_addr.s_addr, ntohs(at.sin_port));
    for (bool some_are_not = true; some_are_not; sched_yield()) {
        FILE *table = fopen("/proc/net/tcp", "re");
        if (table == NULL) must("/proc/net/tcp", -1);
        some_are_not = false;
        while (fgets(line, sizeof line, table) != NULL)
            if (sscanf(line, "%*s %*s %*s %7s", state) == 1 && strcmp(state, SYN_RECV) == 0)
                some_are_not = some_are_not || strstr(line, own) != NULL;
        fclose(table);
    }
}
