/* Orders from the host: one a line. The same words, with '=', are arguments at start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"

static void set_hot(uint64_t bytes)
{
    uint64_t max_bytes = heap_max_bytes();
    atomic_store(&state.hot_bytes, bytes < max_bytes ? bytes : max_bytes);
}

static void set_reads(uint64_t bytes)
{
    uint64_t max_bytes = disk_bytes();
    atomic_store(&state.reads_bytes, bytes < max_bytes ? bytes : max_bytes);
}

static char *split(char *line)
{
    char *value = strpbrk(line, " =");
    if (value != NULL)
        *value++ = '\0';
    return value;
}

static void set(const char *name, const char *value)
{
    if (value == NULL)
        fprintf(stderr, "workload: the order '%s' has no value\n", name);
    else if (strcmp(name, "hot") == 0)
        set_hot(strtoull(value, NULL, 10));
    else if (strcmp(name, "jump") == 0) {
        set_hot(strtoull(value, NULL, 10));
        atomic_store(&state.fills_hot, 1);
    } else if (strcmp(name, "rate") == 0)
        set_rate(strtoull(value, NULL, 10));
    else if (strcmp(name, "files") == 0)
        atomic_store(&state.file_bytes, strtoull(value, NULL, 10));
    else if (strcmp(name, "reads") == 0)
        set_reads(strtoull(value, NULL, 10));
    else if (strcmp(name, "balloon") == 0)
        hang_balloon(strcmp(value, "hung") == 0);
    else if (strcmp(name, "stall") == 0)
        atomic_store(&state.awaits_stall, strcmp(value, "tell") == 0);
    else if (strcmp(name, "report") == 0)
        atomic_store(&state.reports_now, strcmp(value, "now") == 0);
    else if (strcmp(name, "keep") == 0)
        atomic_store(&state.keep_cold, strcmp(value, "cold") == 0);
    else
        fprintf(stderr, "workload: unknown order '%s'\n", name);
}

void obey(char *line)
{
    char *value = split(line);
    if (strcmp(line, "quit") == 0)
        _Exit(0);
    set(line, value);
}

/* What the contents of pages depend on is settled before the first is written. */
void obey_at_start(char *argument)
{
    char *value = split(argument);
    if (value != NULL && strcmp(argument, "seed") == 0)
        state.seed = strtoull(value, NULL, 10);
    else if (value != NULL && strcmp(argument, "comp") == 0)
        state.compressible_percent = strtoull(value, NULL, 10);
    else if (value != NULL && strcmp(argument, "disk") == 0)
        open_disk(value);
    else if (value != NULL && strcmp(argument, "same") == 0)
        state.identical_percent = strtoull(value, NULL, 10);
    else
        set(argument, value);
}
