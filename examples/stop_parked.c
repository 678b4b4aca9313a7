// A loop is parked in accept. Another thread tells it to stop: by close, and by a client.
#include "scene.h"

static atomic_bool stopping;
static bool is_cured;

static void *stop(void *argument) {
    int listener = (int)(intptr_t)argument;
    struct sockaddr_in to;
    socklen_t size = sizeof to;
    must("getsockname", getsockname(listener, (struct sockaddr *)&to, &size));

    wait_until_parked();
    atomic_store(&stopping, true);
    if (!is_cured) {
        must("close", close(listener));
        puts("another thread closes the listener");
        puts(main_thread_sleeps() ? "accept is parked still" : "accept was woken");
    }
    int client = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    puts(is_cured ? "another thread connects" : "the next client connects");
    must("connect", connect(client, (struct sockaddr *)&to, size));
    return NULL;
}

int main(int argc, char **argv) {
    is_cured = cured(argc, argv);
    int listener = listening();
    pthread_t thread;
    void *argument = (void *)(intptr_t)listener;
    must("pthread_create", -pthread_create(&thread, NULL, stop, argument));

    while (!atomic_load(&stopping))
        accept_and_tell(listener);
    puts("the loop has stopped");
    pthread_join(thread, NULL);
}
