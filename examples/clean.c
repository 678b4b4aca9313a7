// Nothing goes wrong: one client connects, says something, and stays.
#include "scene.h"

int main(void) {
    int listener = listening();
    int client = connected(listener);
    must("write", (int)write(client, "hello", 5));

    wait_for_report(listener);
    int fd = accept_and_tell(listener);
    read_and_tell("the loop", fd);
}
