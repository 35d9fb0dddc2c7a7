/* What the parts of the workload share.
 *
 * Three threads: the worker touches pages and may be stalled by paging for seconds; one reads
 * files when ordered to; the reporter talks to the host and must never be. So everything here is locked in memory before the heap is
 * mapped, and the threads share nothing but the atomics of `struct state`.
 */
#ifndef AEROSTAT_WORKLOAD_H
#define AEROSTAT_WORKLOAD_H

#include <stdatomic.h>
#include <stdint.h>

#define PAGE_BYTES 4096u
#define PIECE_BYTES 65536u /* of files, read by one request */
#define TOUCHES_PER_REQUEST 8
#define TICK_NS 5000000ull
#define TICKS_PER_S 200ull
#define SHED_AFTER_NS 500000000ull
#define NS_PER_S 1000000000ull
/* 12 buckets an octave of microseconds; the last one, 2^25 us, is over half a minute. */
#define BUCKETS 300

/* When requests arrive: `rate` a second from `since_ns` on, a tick's worth at each tick.
 * Only the reporter writes; `edition` is odd while it does, and the worker then reads again. A
 * lock would hang: the reporter has the higher priority, on one processor. */
struct arrivals {
    _Atomic uint64_t edition;
    _Atomic uint64_t since_ns;
    _Atomic uint64_t rate;
    _Atomic uint64_t before; /* requests that had arrived by since_ns */
};

struct state {
    /* orders, by the reporter thread */
    _Atomic uint64_t hot_bytes;
    _Atomic uint64_t reads_bytes; /* of files that requests read again and again */
    _Atomic int keep_cold;
    _Atomic int fills_hot; /* touch every page of the hot set at once, before the next request */
    _Atomic int awaits_stall; /* tell the host when somebody first waits for memory from now on */
    _Atomic int reports_now; /* one line at once, beside those of every second */
    _Atomic uint64_t file_bytes; /* to be read once, whenever it rises */
    struct arrivals arrivals;
    /* results, by the worker */
    _Atomic uint64_t served;
    _Atomic uint64_t shed;
    _Atomic uint64_t errors;
    _Atomic uint64_t heap_pages;
    _Atomic uint64_t latency_max_ns; /* since the last report */
    _Atomic uint64_t histogram[BUCKETS];
    /* fixed at start */
    uint64_t seed;
    uint64_t compressible_percent;
    uint64_t identical_percent; /* of pages: the same in every guest, verified and never written */
};

/* state.c */
extern struct state state;
uint64_t now_ns(void);
uint64_t mix(uint64_t value);

/* arrivals.c */
void set_rate(uint64_t rate);
uint64_t arrived_by(uint64_t at_ns);
uint64_t arrival_ns(uint64_t request);

/* heap.c */
void reserve_heap(uint64_t max_bytes);
void lock_and_map_heap(void);
uint64_t heap_max_bytes(void);
void release_beyond(uint64_t hot_bytes);
void touch_page(uint64_t page, uint64_t random);

/* files.c */
void run_files(void);

/* reads.c */
void open_disk(const char *path);
uint64_t disk_bytes(void);
void read_piece(uint64_t reads_bytes, uint64_t random);

/* balloon.c */
void hang_balloon(int hang);

/* control.c */
void obey_at_start(char *argument);
void obey(char *line);

/* report.c */
void run_reporter(int port);

/* worker.c */
void run_worker(void);

#endif
