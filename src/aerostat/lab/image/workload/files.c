/* Files that are read once and never again: they leave an idle page cache behind. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "workload.h"

#define CHUNK_BYTES (128u * 1024)
#define LOOK_US 20000

/* Any disk will do, and the guest has but one: what lies in its swap is read as it is. */
static const char disk[] = "/dev/vda";
static char chunk[CHUNK_BYTES];

static void read_once(uint64_t bytes)
{
    int fd = open(disk, O_RDONLY);
    if (fd < 0) {
        perror(disk);
        return;
    }
    for (uint64_t at = 0; at < bytes; at += CHUNK_BYTES)
        if (pread(fd, chunk, sizeof chunk, (off_t)at) <= 0)
            break;
    close(fd);
}

/* A thread of its own: the worker must not wait for the disk. */
void run_files(void)
{
    uint64_t done_bytes = 0;
    for (;;) {
        uint64_t wanted_bytes = atomic_load(&state.file_bytes);
        if (wanted_bytes > done_bytes)
            read_once(wanted_bytes);
        done_bytes = wanted_bytes;
        usleep(LOOK_US);
    }
}
