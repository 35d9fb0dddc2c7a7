/* The reporter: one JSON line a second, from locked memory, never blocking on the host.
 *
 * What a line tells about a second is the difference to the last line that was really sent, so a
 * line the host had no room for is not lost: the next one covers both seconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workload.h"

#define LINE_MAX_BYTES 16384
#define PROC_MAX_BYTES 16384
#define STALL_US 1000
#define STALL_LOOK_MS 5

/* Kept open: opening and the first read allocate, and the reporter must work when nothing else
 * can. */
static int meminfo_fd, vmstat_fd, pressure_fd, uptime_fd;
static char text[PROC_MAX_BYTES];

struct totals {
    uint64_t offered, served, shed;
    uint64_t histogram[BUCKETS];
};

static struct totals sent;
static uint64_t unsent_max_ns; /* the longest latency since the last line that was sent */

static const char *read_proc(int fd)
{
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

/* The number after `key` where it starts a line (or the file); 0 where the kernel lacks it. */
static uint64_t figure(const char *from, const char *key)
{
    size_t length = strlen(key);
    for (const char *at = from; (at = strstr(at, key)) != NULL; at += length)
        if (at == from || at[-1] == '\n')
            return strtoull(at + length, NULL, 10);
    return 0;
}

static int append_memory(char *line, int used)
{
    const char *m = read_proc(meminfo_fd);
    return snprintf(line + used, LINE_MAX_BYTES - used,
                    ",\"total_bytes\":%llu,\"available_bytes\":%llu,\"free_bytes\":%llu"
                    ",\"swap_total_bytes\":%llu,\"swap_free_bytes\":%llu",
                    (unsigned long long)figure(m, "MemTotal:") * 1024,
                    (unsigned long long)figure(m, "MemAvailable:") * 1024,
                    (unsigned long long)figure(m, "MemFree:") * 1024,
                    (unsigned long long)figure(m, "SwapTotal:") * 1024,
                    (unsigned long long)figure(m, "SwapFree:") * 1024);
}

static int append_paging(char *line, int used)
{
    const char *v = read_proc(vmstat_fd);
    uint64_t refaults = figure(v, "workingset_refault_anon ")
                        + figure(v, "workingset_refault_file ");
    return snprintf(line + used, LINE_MAX_BYTES - used,
                    ",\"swap_in_bytes\":%llu,\"swap_out_bytes\":%llu,\"major_faults\":%llu"
                    ",\"refaults\":%llu,\"oom_kills\":%llu",
                    (unsigned long long)figure(v, "pswpin ") * PAGE_BYTES,
                    (unsigned long long)figure(v, "pswpout ") * PAGE_BYTES,
                    (unsigned long long)figure(v, "pgmajfault "),
                    (unsigned long long)refaults,
                    (unsigned long long)figure(v, "oom_kill "));
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123" and the same for "full", in microseconds. */
static int append_pressure(char *line, int used)
{
    unsigned long long some = 0, full = 0;
    const char *p = read_proc(pressure_fd);
    sscanf(p, "some %*s %*s %*s total=%llu full %*s %*s %*s total=%llu", &some, &full);
    return snprintf(line + used, LINE_MAX_BYTES - used,
                    ",\"pressure_some_s\":%llu.%06llu,\"pressure_full_s\":%llu.%06llu",
                    some / 1000000, some % 1000000, full / 1000000, full % 1000000);
}

/* Somebody waited for memory: tell it once, with the moment it began by the guest's own clock. */
static void look_for_stall(int port)
{
    static uint64_t before_us;
    static int was_awaited;
    char line[128];
    unsigned long long some = 0;
    if (!atomic_load(&state.awaits_stall)) {
        was_awaited = 0;
        return;
    }
    sscanf(read_proc(pressure_fd), "some %*s %*s %*s total=%llu", &some);
    if (!was_awaited)
        before_us = some;
    was_awaited = 1;
    if (some < before_us + STALL_US)
        return;
    double began_s = (double)now_ns() / NS_PER_S - (double)(some - before_us) / 1e6;
    int used = snprintf(line, sizeof line, "{\"event\":\"stall\",\"uptime_s\":%.6f}\n", began_s);
    if (write(port, line, used) == used) {
        atomic_store(&state.awaits_stall, 0);
        was_awaited = 0;
    }
}

static void take_totals(struct totals *now)
{
    uint64_t max_ns = atomic_exchange(&state.latency_max_ns, 0);
    if (max_ns > unsent_max_ns)
        unsent_max_ns = max_ns;
    /* Served before offered: a request is never seen as served and not yet offered. */
    now->shed = atomic_load(&state.shed);
    now->served = atomic_load(&state.served);
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        now->histogram[bucket] = atomic_load(&state.histogram[bucket]);
    now->offered = arrived_by(now_ns());
}

static int append_load(char *line, int used, const struct totals *now)
{
    int start = used;
    used += snprintf(line + used, LINE_MAX_BYTES - used,
                     ",\"hot_bytes\":%llu,\"heap_bytes\":%llu,\"offered\":%llu,\"served\":%llu"
                     ",\"shed\":%llu,\"checksum_errors\":%llu,\"latency_max_s\":%llu.%09llu"
                     ",\"latency_histogram\":{",
                     (unsigned long long)atomic_load(&state.hot_bytes),
                     (unsigned long long)atomic_load(&state.heap_pages) * PAGE_BYTES,
                     (unsigned long long)(now->offered - sent.offered),
                     (unsigned long long)(now->served - sent.served),
                     (unsigned long long)(now->shed - sent.shed),
                     (unsigned long long)atomic_load(&state.errors),
                     (unsigned long long)(unsent_max_ns / NS_PER_S),
                     (unsigned long long)(unsent_max_ns % NS_PER_S));
    const char *comma = "";
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        uint64_t count = now->histogram[bucket] - sent.histogram[bucket];
        if (count == 0)
            continue;
        used += snprintf(line + used, LINE_MAX_BYTES - used, "%s\"%d\":%llu", comma, bucket,
                         (unsigned long long)count);
        comma = ",";
    }
    used += snprintf(line + used, LINE_MAX_BYTES - used, "}");
    return used - start;
}

static void report(int port)
{
    static char line[LINE_MAX_BYTES];
    static struct totals now;
    double uptime_s = strtod(read_proc(uptime_fd), NULL);
    int used = snprintf(line, sizeof line, "{\"uptime_s\":%.2f", uptime_s);
    take_totals(&now);
    used += append_load(line, used, &now);
    used += append_memory(line, used);
    used += append_paging(line, used);
    used += append_pressure(line, used);
    used += snprintf(line + used, sizeof line - used, "}\n");
    /* The port takes a line whole or not at all. */
    if (write(port, line, used) == used) {
        sent = now;
        unsent_max_ns = 0;
    }
}

/* Read what the host has sent and obey every finished line; too long a line is dropped. */
static void take_orders(int port)
{
    static char order[256];
    static size_t filled;
    ssize_t got = read(port, order + filled, sizeof order - 1 - filled);
    if (got <= 0) {
        if (got == 0)
            usleep(10000); /* the host has hung up: poll() would return at once for ever */
        return;
    }
    filled += (size_t)got;
    order[filled] = '\0';
    char *rest = order;
    for (char *end; (end = strchr(rest, '\n')) != NULL; rest = end + 1) {
        *end = '\0';
        obey(rest);
    }
    filled = strlen(rest);
    memmove(order, rest, filled);
    if (filled == sizeof order - 1)
        filled = 0;
}

static int open_proc(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    read_proc(fd);
    return fd;
}

void run_reporter(int port)
{
    meminfo_fd = open_proc("/proc/meminfo");
    vmstat_fd = open_proc("/proc/vmstat");
    pressure_fd = open_proc("/proc/pressure/memory");
    uptime_fd = open_proc("/proc/uptime");
    fcntl(port, F_SETFL, fcntl(port, F_GETFL) | O_NONBLOCK);
    uint64_t next_ns = now_ns();
    for (;;) {
        uint64_t now = now_ns();
        if (now >= next_ns) {
            report(port);
            next_ns += NS_PER_S;
            if (next_ns <= now)
                next_ns = now + NS_PER_S; /* it was paused: do not make up for lost lines */
            continue;
        }
        if (atomic_exchange(&state.reports_now, 0))
            report(port);
        look_for_stall(port);
        struct pollfd host = {.fd = port, .events = POLLIN};
        int wait_ms = (int)((next_ns - now) / 1000000) + 1;
        if (atomic_load(&state.awaits_stall) && wait_ms > STALL_LOOK_MS)
            wait_ms = STALL_LOOK_MS;
        if (poll(&host, 1, wait_ms) > 0)
            take_orders(port);
    }
}
