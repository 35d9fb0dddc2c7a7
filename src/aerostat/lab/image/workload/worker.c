/* The worker: serves every request that is due, in order, late or not, and sheds the hopeless. */
#include <math.h>
#include <time.h>

#include "workload.h"

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state += 0x9e3779b97f4a7c15ull;
    return mix(random_state);
}

static void serve_request(uint64_t hot_pages)
{
    for (int touch = 0; touch < TOUCHES_PER_REQUEST; touch++) {
        uint64_t random = next_random();
        uint64_t page = (uint64_t)(((unsigned __int128)random * hot_pages) >> 64);
        touch_page(page, random & 0xffff);
    }
}

static void note_latency(uint64_t latency_ns)
{
    int bucket = 0;
    if (latency_ns > 1000)
        bucket = (int)floor(12.0 * log2((double)latency_ns / 1000.0));
    if (bucket >= BUCKETS)
        bucket = BUCKETS - 1;
    atomic_fetch_add(&state.histogram[bucket], 1);
    if (latency_ns > atomic_load(&state.latency_max_ns))
        atomic_store(&state.latency_max_ns, latency_ns);
}

/* One request, counted from 0: served, or shed because nobody would still wait for it. */
static void take_request(uint64_t request, uint64_t hot_pages)
{
    uint64_t due_ns = arrival_ns(request);
    if (now_ns() - due_ns > SHED_AFTER_NS) {
        atomic_fetch_add(&state.shed, 1);
        return;
    }
    if (hot_pages > 0)
        serve_request(hot_pages);
    read_piece(atomic_load(&state.reads_bytes), next_random());
    note_latency(now_ns() - due_ns);
    atomic_fetch_add(&state.served, 1);
}

/* Sleep until the next request is due, but not so long that an order would have to wait. */
static void sleep_until_due(uint64_t next_ns)
{
    uint64_t now = now_ns();
    if (next_ns <= now)
        return;
    if (next_ns > now + 4 * TICK_NS)
        next_ns = now + 4 * TICK_NS;
    struct timespec at = {.tv_sec = (time_t)(next_ns / NS_PER_S),
                          .tv_nsec = (long)(next_ns % NS_PER_S)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* The hot set that is ordered now, after freeing what a smaller one leaves over. */
static uint64_t follow_hot_set(uint64_t last_bytes)
{
    uint64_t hot_bytes = atomic_load(&state.hot_bytes);
    if (hot_bytes < last_bytes && !atomic_load(&state.keep_cold))
        release_beyond(hot_bytes);
    return hot_bytes;
}

/* As a program that loads its data does: all of it, as fast as it can. */
static void fill_hot_set(uint64_t hot_bytes)
{
    for (uint64_t page = 0; page < hot_bytes / PAGE_BYTES; page++)
        touch_page(page, next_random() & 0xffff);
}

void run_worker(void)
{
    uint64_t taken = 0;
    uint64_t hot_bytes = 0;
    random_state = mix(state.seed + 1);
    for (;;) {
        hot_bytes = follow_hot_set(hot_bytes);
        if (atomic_exchange(&state.fills_hot, 0))
            fill_hot_set(hot_bytes);
        if (taken < arrived_by(now_ns()))
            take_request(taken++, hot_bytes / PAGE_BYTES);
        else
            sleep_until_due(arrival_ns(taken));
    }
}
