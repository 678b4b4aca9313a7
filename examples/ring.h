// What the examples of io_uring(7) share: a ring by the bare system calls, one request at a time.
// Completions are posted only when the program asks for them (IORING_SETUP_DEFER_TASKRUN, 6.1),
// so that the order of things is the program's.
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static struct {
    int fd;
    unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
} ring;

static char *ring_map(size_t size, off_t what) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, what);
    if (at == MAP_FAILED) must("mmap", -1);
    return at;
}

// Opens the ring. Ends the program with 77 where there is no such thing.
static void ring_open(void) {
    struct io_uring_params of = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    ring.fd = syscall(SYS_io_uring_setup, 8, &of);
    if (ring.fd < 0) {
        fprintf(stderr, "no io_uring of Linux 6.1 or later here: %s\n", strerror(errno));
        exit(77);
    }
    size_t sq_size = of.sq_off.array + of.sq_entries * sizeof(unsigned);
    size_t cq_size = of.cq_off.cqes + of.cq_entries * sizeof(struct io_uring_cqe);
    char *sq = ring_map(sq_size, IORING_OFF_SQ_RING);
    char *cq = ring_map(cq_size, IORING_OFF_CQ_RING);
    ring.sqes = (void *)ring_map(of.sq_entries * sizeof *ring.sqes, IORING_OFF_SQES);
    ring.sq_tail = (void *)(sq + of.sq_off.tail);
    ring.sq_mask = (void *)(sq + of.sq_off.ring_mask);
    ring.sq_array = (void *)(sq + of.sq_off.array);
    ring.cq_head = (void *)(cq + of.cq_off.head);
    ring.cq_tail = (void *)(cq + of.cq_off.tail);
    ring.cq_mask = (void *)(cq + of.cq_off.ring_mask);
    ring.cqes = (void *)(cq + of.cq_off.cqes);
}

// Submits so many requests, has completions posted, and waits for so many of them.
static void ring_enter(unsigned submitted, unsigned awaited) {
    int flags = IORING_ENTER_GETEVENTS;
    must("io_uring_enter", syscall(SYS_io_uring_enter, ring.fd, submitted, awaited, flags, 0, 0));
}

// Makes a request.
static void ring_submit(struct io_uring_sqe request) {
    unsigned tail = *ring.sq_tail, slot = tail & *ring.sq_mask;
    ring.sqes[slot] = request;
    ring.sq_array[slot] = slot;
    __atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
    ring_enter(1, 0);
}

// A completion, without what big ones have at the end.
struct completion {
    __u64 user_data;
    __s32 res;
    __u32 flags;
};

// The next completion, if one is posted.
static bool ring_next(struct completion *next) {
    unsigned head = *ring.cq_head;
    if (head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE)) return false;
    memcpy(next, &ring.cqes[head & *ring.cq_mask], sizeof *next);
    __atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
    return true;
}

// The next completion; waits for it.
__attribute__((unused)) static struct completion ring_wait(void) {
    struct completion next;
    while (!ring_next(&next)) ring_enter(0, 1);
    return next;
}

// One accept, or with IORING_ACCEPT_MULTISHOT as many as come.
__attribute__((unused)) static void ring_accept(int listener, unsigned shots) {
    ring_submit((struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = listener, .ioprio = shots,
                                      .accept_flags = SOCK_CLOEXEC, .user_data = 1});
}
