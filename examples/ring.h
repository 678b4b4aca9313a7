// io_uring(7) by its three system calls, for the examples that need no more: one request is
// submitted at a time. A program would use liburing.
#include "scene.h"
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

struct ring {
    int fd;
    struct io_uring_sqe *requests;
    struct io_uring_cqe *completions;
    unsigned request_mask, completion_mask, *array;
    _Atomic unsigned *flags, *request_tail, *completion_head, *completion_tail;
};

// A ring, or the end of the program, with status 77, where the system has none. What becomes of
// a request in flight is worked on in `enter` and nowhere else (IORING_SETUP_DEFER_TASKRUN,
// Linux 6.1), so that each step of an example comes in its turn.
static struct ring ring_open(void) {
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                         IORING_SETUP_TASKRUN_FLAG};
    int fd = (int)syscall(SYS_io_uring_setup, 8, &p);
    if (fd < 0) {
        perror("skipped: io_uring_setup, Linux 6.1 and later");
        exit(77);
    }
    int access = PROT_READ | PROT_WRITE, kind = MAP_SHARED | MAP_POPULATE;
    size_t size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
    size_t other = p.sq_off.array + p.sq_entries * sizeof(unsigned);
    char *both = mmap(NULL, size > other ? size : other, access, kind, fd, IORING_OFF_SQ_RING);
    void *requests = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe), access, kind, fd,
                          IORING_OFF_SQES);
    if (both == MAP_FAILED || requests == MAP_FAILED) must("mmap", -1);
    return (struct ring){
        .fd = fd,
        .requests = requests,
        .completions = (void *)(both + p.cq_off.cqes),
        .request_mask = *(unsigned *)(both + p.sq_off.ring_mask),
        .completion_mask = *(unsigned *)(both + p.cq_off.ring_mask),
        .array = (void *)(both + p.sq_off.array),
        .flags = (void *)(both + p.sq_off.flags),
        .request_tail = (void *)(both + p.sq_off.tail),
        .completion_head = (void *)(both + p.cq_off.head),
        .completion_tail = (void *)(both + p.cq_off.tail),
    };
}

// Submits a number of requests, and returns once there are at least so many completions.
static void enter(struct ring *ring, unsigned requests, unsigned completions) {
    must("io_uring_enter", (int)syscall(SYS_io_uring_enter, ring->fd, requests, completions,
                                        IORING_ENTER_GETEVENTS, NULL, 0));
}

// Submits one request.
static void submit(struct ring *ring, struct io_uring_sqe request) {
    unsigned tail = *ring->request_tail, at = tail & ring->request_mask;
    ring->requests[at] = request;
    ring->array[at] = at;
    *ring->request_tail = tail + 1;
    enter(ring, 1, 0);
}

// What became of a request.
struct completion {
    uint64_t request;
    int result;
    unsigned flags;
};

// Takes the next completion, if there is one.
static bool take(struct ring *ring, struct completion *completion) {
    unsigned head = *ring->completion_head;
    if (head == *ring->completion_tail) return false;
    struct io_uring_cqe *at = &ring->completions[head & ring->completion_mask];
    *completion = (struct completion){at->user_data, at->res, at->flags};
    *ring->completion_head = head + 1;
    return true;
}

// Waits for the next completion, and takes it.
__attribute__((unused)) static struct completion next(struct ring *ring) {
    struct completion completion;
    while (!take(ring, &completion)) enter(ring, 0, 1);
    return completion;
}
