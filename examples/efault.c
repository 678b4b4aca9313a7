// An acceptor passes accept a bad pointer. The connection is lost all the same.
#include "scene.h"

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    int client = connected(listener);
    wait_for_report(listener);

    if (is_cured) {
        int fd = accept_and_tell(listener);
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        must("getpeername", getpeername(fd, (struct sockaddr *)&peer, &size));
        printf("getpeername: %s\n", inet_ntoa(peer.sin_addr));
        return 0;
    }

    struct sockaddr *bad = (struct sockaddr *)1;
    socklen_t size = sizeof(struct sockaddr_in);
    if (accept(listener, bad, &size) < 0)
        printf("accept with a bad pointer: %s\n", name_of(errno));
    read_and_tell("the client", client);

    // Nothing is queued any more.
    next_client_once_parked(listener);
    accept_and_tell(listener);
}
