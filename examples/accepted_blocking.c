// The listener is non-blocking; the connection that it gives is not.
#include "scene.h"

static void *send_once_parked(void *client) {
    while (!is_parked())
        sched_yield();
    puts("read is parked: nothing goes on until the client sends");
    must("send", send((int)(intptr_t)client, "hello", 5, 0));
    return NULL;
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    nonblocking(listener);
    int client = connected(listener);
    wait_for_report(listener);

    int flags = is_cured ? SOCK_NONBLOCK | SOCK_CLOEXEC : SOCK_CLOEXEC;
    int fd = must("accept4", accept4(listener, NULL, NULL, flags));
    bool is_set = fcntl(fd, F_GETFL) & O_NONBLOCK;
    printf("O_NONBLOCK of the connection is %s\n", is_set ? "set" : "not set");

    pthread_t thread;
    void *argument = (void *)(intptr_t)client;
    must("pthread_create", -pthread_create(&thread, NULL, send_once_parked, argument));
    int error = read_and_tell("the server", fd);
    if (error == EWOULDBLOCK || error == EAGAIN)
        puts("the loop goes on");
}
