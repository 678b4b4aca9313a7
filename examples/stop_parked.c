// The loop waits in accept for a client, and another thread tells it to stop.
#include "scene.h"

static atomic_bool is_to_stop;
static bool is_cured;

static void *stop_once_parked(void *argument) {
    int listener = (int)(intptr_t)argument;
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    must("getsockname", getsockname(listener, (struct sockaddr *)&address, &size));

    while (!is_parked())
        sched_yield();
    puts("the loop is parked in accept, and is told to stop");
    atomic_store(&is_to_stop, true);
    if (is_cured) {
        puts("a client of its own connects");
        connected(listener);
        return NULL;
    }

    must("close", close(listener));
    if (is_parked())
        puts("the listener is closed, and the loop is parked as before");

    // The port still listens, since accept holds the socket.
    puts("the next client connects");
    int client = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    must("connect", connect(client, (struct sockaddr *)&address, size));
    return NULL;
}

int main(int argc, char **argv) {
    is_cured = cured(argc, argv);
    int listener = listening();
    pthread_t stopper;
    void *argument = (void *)(intptr_t)listener;
    must("pthread_create", -pthread_create(&stopper, NULL, stop_once_parked, argument));

    while (!atomic_load(&is_to_stop))
        accept_and_tell(listener);
    puts("the loop has stopped");
}
