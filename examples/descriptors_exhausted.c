// A client connects, and the process has no descriptor left to accept it with.
#include "scene.h"

#include <sys/resource.h>

enum { TIMES = 100 };

// No descriptor is left from here on (getrlimit(2)): returns the limit as it was.
static struct rlimit exhaust(void) {
    struct rlimit before, none;
    must("getrlimit", getrlimit(RLIMIT_NOFILE, &before));
    int next = must("dup", dup(STDERR_FILENO));
    must("close", close(next));
    none = (struct rlimit){.rlim_cur = next, .rlim_max = before.rlim_max};
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &none));
    return before;
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    nonblocking(listener);
    int client = connect_and_wait(listener);
    int served = accept_and_tell(listener);
    connect_and_wait(listener);
    struct rlimit before = exhaust();
    puts("a second client has connected, and no descriptor is left");

    if (is_cured) {
        accept_and_tell(listener);
        puts("the loop stops watching the listener");
        must("shutdown", shutdown(client, SHUT_WR));
        struct pollfd others = {.fd = served, .events = POLLIN};
        must("poll", poll(&others, 1, -1));
        read_and_tell("the first client's connection", served);
        must("close", close(served));
        puts("a descriptor is free: the loop watches the listener again");
    } else {
        int reports = 0, failures = 0;
        while (failures < TIMES) {
            struct pollfd one = {.fd = listener, .events = POLLIN};
            reports += must("poll", poll(&one, 1, -1));
            failures += accept(listener, NULL, NULL) < 0 && errno == EMFILE;
        }
        printf("%d reports, %d times EMFILE: the loop spins\n", reports, failures);
        must("setrlimit", setrlimit(RLIMIT_NOFILE, &before));
        puts("the limit is raised");
    }
    wait_for_report(listener);
    accept_and_tell(listener);
}
