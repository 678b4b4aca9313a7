// Another acceptor takes each connection that an accept in flight was woken for. After 128 vain
// armings the kernel gives the accept to a thread of its own.
#include "scene.h"
#include "ring.h"
#include <dirent.h>

// The state (proc_pid_stat(5)) of the thread that the kernel has given this process, or 0. The
// program starts none. It takes the name iou-wrk only once it runs.
static char worker(void) {
    char state = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL) must("/proc/self/task", -1);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.' || atoi(task->d_name) == getpid()) continue;
        char path[320], text[512] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL) continue;
        char *end = fgets(text, sizeof text, file) ? strrchr(text, ')') : NULL;
        if (end != NULL) state = end[2];
        fclose(file);
    }
    closedir(tasks);
    return state;
}

int main(int argc, char **argv) {
    bool is_cured = cured(argc, argv);
    int listener = listening();
    if (is_cured)
        nonblocking(listener);
    ring_open();
    ring_accept(listener, 0);

    for (int thefts = 0; thefts < 1000 && worker() == 0; thefts++) {
        int client = connected(listener);
        wait_readable(listener);
        // A thread, a forked child, another process: whoever accepts from the same listener.
        int stolen = must("accept", accept(listener, NULL, NULL));
        // The accept in flight was woken, finds nothing, and is armed anew.
        ring_enter(0, 0);
        close(stolen);
        close(client);
    }
    if (worker() == 0) {
        fputs("this kernel gives the accept to no thread\n", stderr);
        return 77;
    }
    puts("robbed too often: a kernel thread does the accept");

    if (is_cured) {
        printf("accept: %s\n", name_of(-ring_wait().res));
        ring_accept(listener, 0);
        puts("the loop arms it anew");
    } else {
        while (worker() != 'S') sched_yield();
        puts("it is parked in there until somebody connects");
    }
    connected(listener);
    struct completion done = ring_wait();
    printf("accept: %s\n", done.res < 0 ? name_of(-done.res) : "a connection");
}
