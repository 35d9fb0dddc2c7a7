/* Files that requests read again and again, from a disk of their own, through the page cache.
 *
 * First once from the start, as who reads a new file does, then at random. The disk reads as zeros,
 * and what is read is verified as the heap is.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "workload.h"

static int disk = -1;
static uint64_t pieces_read; /* from the start on; below this, pieces are known */
static uint64_t piece[PIECE_BYTES / sizeof(uint64_t)];

void open_disk(const char *path)
{
    disk = open(path, O_RDONLY | O_CLOEXEC);
    if (disk < 0) {
        perror(path);
        exit(1);
    }
    /* What is in the cache is what was read, and not what the kernel thought might be next. */
    posix_fadvise(disk, 0, 0, POSIX_FADV_RANDOM);
}

uint64_t disk_bytes(void)
{
    off_t end = disk < 0 ? 0 : lseek(disk, 0, SEEK_END);
    return end > 0 ? (uint64_t)end : 0;
}

void read_piece(uint64_t reads_bytes, uint64_t random)
{
    uint64_t pieces = reads_bytes / PIECE_BYTES;
    if (pieces == 0) {
        if (pieces_read > 0) /* the files are gone, and what was known of them with them */
            posix_fadvise(disk, 0, 0, POSIX_FADV_DONTNEED);
        pieces_read = 0;
        return;
    }
    if (pieces_read > pieces)
        pieces_read = pieces;
    uint64_t next = pieces_read < pieces ? pieces_read++
                                         : (uint64_t)(((unsigned __int128)random * pieces) >> 64);
    if (pread(disk, piece, PIECE_BYTES, (off_t)(next * PIECE_BYTES)) != PIECE_BYTES) {
        atomic_fetch_add(&state.errors, 1);
        return;
    }
    for (uint64_t word = 0; word < PIECE_BYTES / sizeof *piece; word += PAGE_BYTES / sizeof *piece)
        if (piece[word] != 0)
            atomic_fetch_add(&state.errors, 1);
}
