/* The heap: pages whose every touch is verified, so that lost or corrupted memory is seen.
 *
 * Word 0 of a page is its version, word 1 a checksum of it, every other word carries the version
 * it was written at. The version each page must have is kept apart, in locked memory: a page that
 * comes back as zeros or as an older copy of itself is an error, not a first touch.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "workload.h"

#define WORDS (PAGE_BYTES / sizeof(uint64_t))

static uint64_t *heap;
static uint32_t *versions; /* of each page; 0: never written */
static uint64_t pages_max;
static uint64_t pages_used; /* one above the highest page ever written and not released */

/* Pages that are the same in every guest: which ones, and what is in them, knows no seed. */
static int is_identical(uint64_t page)
{
    return mix(page ^ 0x5a5a5a5a5a5a5a5aull) % 100 < state.identical_percent;
}

static uint64_t checksum(uint64_t page, uint64_t version)
{
    uint64_t seed = is_identical(page) ? 0 : state.seed;
    return mix(seed ^ mix(page + 1) ^ (version << 1));
}

/* Compressible words repeat one byte; the others carry 16 bits of version over 48 of hash. */
static uint64_t content(uint64_t page, uint64_t word, uint64_t version)
{
    if (word * 100 < state.compressible_percent * WORDS)
        return ((version & 0x7f) | 0x80) * 0x0101010101010101ull;
    /* A Weyl sequence: one multiplication a word, for filling a page is the dearest thing here. */
    uint64_t hash = checksum(page, version & 0xffff) + word * 0x9e3779b97f4a7c15ull;
    return (version & 0xffff) << 48 | hash >> 16;
}

static int is_intact(uint64_t page, uint64_t word, uint64_t value)
{
    if (word * 100 < state.compressible_percent * WORDS)
        return (value & 0x80) && value == (value & 0xff) * 0x0101010101010101ull;
    return value == content(page, word, value >> 48);
}

static void fill(uint64_t *data, uint64_t page)
{
    for (uint64_t word = 2; word < WORDS; word++)
        data[word] = content(page, word, 1);
}

void touch_page(uint64_t page, uint64_t random)
{
    uint64_t *data = heap + page * WORDS;
    uint64_t version = versions[page];
    uint64_t next = version == 0 || !is_identical(page) ? version + 1 : version;
    if (version == 0) {
        fill(data, page);
        atomic_fetch_add(&state.heap_pages, 1);
        if (page >= pages_used)
            pages_used = page + 1;
    } else {
        uint64_t word = 2 + random % (WORDS - 2);
        if (data[0] != version || data[1] != checksum(page, version)
            || !is_intact(page, word, data[word])) {
            atomic_fetch_add(&state.errors, 1);
            fill(data, page); /* counted once, not at every later touch */
            data[0] = version;
            data[1] = checksum(page, version);
        }
        if (next != version)
            data[word] = content(page, word, next);
    }
    if (next == version)
        return; /* a page that all guests share is only read: writing would part it */
    versions[page] = next;
    data[0] = next;
    data[1] = checksum(page, next);
}

/* Give back what lies beyond the hot set, as a program that frees memory does. */
void release_beyond(uint64_t hot_bytes)
{
    uint64_t first = hot_bytes / PAGE_BYTES;
    if (first >= pages_used)
        return;
    madvise(heap + first * WORDS, (pages_used - first) * PAGE_BYTES, MADV_DONTNEED);
    uint64_t released = 0;
    for (uint64_t page = first; page < pages_used; page++) {
        released += versions[page] != 0;
        versions[page] = 0;
    }
    atomic_fetch_sub(&state.heap_pages, released);
    pages_used = first;
}

uint64_t heap_max_bytes(void)
{
    return pages_max * PAGE_BYTES;
}

/* Before lock_and_map_heap(): the table of versions has to be among what is locked. */
void reserve_heap(uint64_t max_bytes)
{
    pages_max = max_bytes / PAGE_BYTES;
    versions = calloc(pages_max, sizeof *versions);
    if (versions == NULL) {
        perror("workload: no memory for the table of versions");
        exit(1);
    }
}

void lock_and_map_heap(void)
{
    if (mlockall(MCL_CURRENT) != 0) {
        perror("workload: mlockall");
        exit(1);
    }
    heap = mmap(NULL, pages_max * PAGE_BYTES, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (heap == MAP_FAILED) {
        perror("workload: cannot map the heap");
        exit(1);
    }
    /* A touch must cost a page, not two megabytes. */
    madvise(heap, pages_max * PAGE_BYTES, MADV_NOHUGEPAGE);
}
