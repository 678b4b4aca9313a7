// Many clients connect while a connection that is served has something to say.
#include "scene.h"

#include <limits.h>

enum { STORM = 64, BUDGET = 2 };

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    nonblocking(listener);
    int client = connect_and_wait(listener);
    int served = must("accept", accept(listener, NULL, NULL));

    for (int i = 0; i < STORM; i++)
        connected(listener);
    wait_until_queued(listener);
    must("send", send(client, "a request", 9, 0));
    struct pollfd both[] = {{.fd = listener, .events = POLLIN}, {.fd = served, .events = POLLIN}};
    must("poll", poll(&both[1], 1, -1));
    printf("%d clients have connected, and a request has come\n", STORM);

    int accepts = 0, budget = is_cured ? BUDGET : INT_MAX;
    while (accepts < STORM) {
        must("poll", poll(both, 2, -1));
        if (both[0].revents != 0)
            for (int left = budget; left > 0 && accept(listener, NULL, NULL) >= 0; left--)
                accepts++;
        if (both[1].revents != 0) {
            printf("%d accepts\n", accepts);
            read_and_tell("the server", served);
        }
    }
    printf("%d accepts\n", accepts);
}
