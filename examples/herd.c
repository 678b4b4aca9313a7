// Four loops wait, and one client connects.
#include "scene.h"

enum { LOOPS = 4 };

static int listeners[LOOPS], stop[2];
static atomic_int woken, found_nothing;
static atomic_bool may_accept;

static void *loop(void *listener) {
    struct pollfd both[] = {{.fd = *(int *)listener, .events = POLLIN}, {.fd = stop[0]}};
    must("poll", poll(both, 2, -1));
    if (both[0].revents == 0) return NULL;
    atomic_fetch_add(&woken, 1);

    // None is faster than another is woken: so many as can be are.
    while (!atomic_load(&may_accept))
        sched_yield();
    if (accept(both[0].fd, NULL, NULL) < 0 && errno == EWOULDBLOCK)
        atomic_fetch_add(&found_nothing, 1);
    return NULL;
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    listeners[0] = listening_beside(-1);
    for (int i = 1; i < LOOPS; i++)
        listeners[i] = is_cured ? listening_beside(listeners[0]) : listeners[0];

    pthread_t threads[LOOPS];
    must("pipe", pipe(stop));
    for (int i = 0; i < LOOPS; i++) {
        nonblocking(listeners[i]);
        must("pthread_create", -pthread_create(&threads[i], NULL, loop, &listeners[i]));
    }
    connect_and_wait(listeners[0]);
    while (atomic_load(&woken) < (is_cured ? 1 : LOOPS))
        sched_yield();
    atomic_store(&may_accept, true);

    must("close", close(stop[1]));
    for (int i = 0; i < LOOPS; i++)
        must("pthread_join", -pthread_join(threads[i], NULL));
    printf("1 client has connected, %d of %d loops woke up\n", woken, LOOPS);
    printf("%d accepts: EWOULDBLOCK\n", found_nothing);
}
