// A server that shares its port hands over to the next, and closes with clients in its queue.
#include "scene.h"

enum { CLIENTS = 3 };

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening_beside(-1), clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_and_wait(listener);
    int next = listening_beside(listener);
    printf("%d clients have connected, and another listener has joined\n", CLIENTS);

    if (is_cured) {
        nonblocking(listener);
        for (int fd; (fd = accept_and_tell(listener)) >= 0;)
            must("send", send(fd, "hello", 5, 0));
    }
    must("close", close(listener));
    puts("the first listener is closed");

    for (int i = 0; i < CLIENTS; i++)
        read_and_tell("a client", clients[i]);
    nonblocking(next);
    fputs("the other listener: ", stdout);
    accept_and_tell(next);
}
