/* The lab's workload: holds and touches a working set on order, and tells what it felt.
 *
 *     workload PORT_FD [disk=PATH] hot=BYTES reads=BYTES rate=PER_SECOND keep=release|cold
 *              seed=N comp=PERCENT same=PERCENT
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

#include "workload.h"

static void *reporter(void *port)
{
    run_reporter(*(int *)port);
    return NULL;
}

static void *file_reader(void *nothing)
{
    (void)nothing;
    run_files();
    return NULL;
}

/* Start a thread; a real-time priority puts it ahead of a worker that is busy catching up. */
static void start_thread(void *(*run)(void *), void *argument, int real_time_priority)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    /* mlockall() fills stacks: the default of 8 MiB would come out of the guest's memory. */
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    if (real_time_priority > 0) {
        struct sched_param priority = {.sched_priority = real_time_priority};
        pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
        pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
        pthread_attr_setschedparam(&attributes, &priority);
    }
    if (pthread_create(&thread, &attributes, run, argument) != 0) {
        perror("workload: cannot start a thread");
        exit(1);
    }
}

/* If the guest runs out of memory, this is what is to die, and the host is to hear of it. */
static void volunteer_for_oom(void)
{
    FILE *score = fopen("/proc/self/oom_score_adj", "w");
    if (score == NULL || fputs("1000", score) < 0 || fclose(score) != 0)
        perror("workload: oom_score_adj");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: workload PORT_FD [hot=BYTES] [rate=N] ...\n", stderr);
        return 2;
    }
    int port = atoi(argv[1]);
    struct sysinfo memory;
    sysinfo(&memory);
    reserve_heap(2 * (uint64_t)memory.totalram * memory.mem_unit);
    volunteer_for_oom();
    for (int i = 2; i < argc; i++)
        obey_at_start(argv[i]);
    start_thread(reporter, &port, 1);
    start_thread(file_reader, NULL, 0);
    lock_and_map_heap();
    run_worker();
}
