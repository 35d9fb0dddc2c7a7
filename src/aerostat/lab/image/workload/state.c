/* What all parts stand on: the state they share, the clock they tell time by, and one good mix. */
#define _GNU_SOURCE
#include <time.h>

#include "workload.h"

struct state state;

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* A bijection that spreads every bit (the finalizer of splitmix64). */
uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ value >> 27) * 0x94d049bb133111ebull;
    return value ^ value >> 31;
}
