// A client says something and closes with a FIN, before anybody has accepted its connection.
#include "scene.h"

int main(void) {
    int listener = listening();
    int client = connect_and_wait(listener);
    must("write", (int)write(client, "hello", 5));
    close_and_wait(client);
    puts("the client has closed its connection, which is queued");

    wait_for_report(listener);
    int fd = accept_and_tell(listener);
    read_and_tell("the loop", fd);
    read_and_tell("the loop", fd);
}
