// One client connects, and the loop accepts until the queue is empty.
#include "scene.h"

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    if (is_cured)
        nonblocking(listener);

    connected(listener);
    wait_for_report(listener);
    next_client_once_parked(listener);

    // What epoll(7) asks of those who use EPOLLET: accept until EWOULDBLOCK.
    int taken = 0;
    while (accept_and_tell(listener) >= 0)
        if (++taken == 2) {
            puts("the next accept would park too: this loop has no end");
            return 0;
        }
    puts("the queue is empty, the loop goes on");
}
