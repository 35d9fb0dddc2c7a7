/* The open loop's timetable: when each request was due, whether or not anybody served it. */
#include "workload.h"

struct timetable {
    uint64_t since_ns, rate, before;
};

static struct timetable current(void)
{
    struct arrivals *a = &state.arrivals;
    struct timetable t;
    uint64_t edition;
    do {
        edition = atomic_load(&a->edition);
        t.since_ns = atomic_load(&a->since_ns);
        t.rate = atomic_load(&a->rate);
        t.before = atomic_load(&a->before);
    } while (edition % 2 != 0 || edition != atomic_load(&a->edition));
    return t;
}

uint64_t arrived_by(uint64_t at_ns)
{
    struct timetable t = current();
    if (at_ns <= t.since_ns)
        return t.before;
    uint64_t ticks = (at_ns - t.since_ns) / TICK_NS;
    return t.before + ticks * t.rate / TICKS_PER_S;
}

/* The tick at which a request, counted from 0, became due; UINT64_MAX if none is coming. What was
 * still waiting when the rate changed counts from the change. */
uint64_t arrival_ns(uint64_t request)
{
    struct timetable t = current();
    if (request < t.before)
        return t.since_ns;
    if (t.rate == 0)
        return UINT64_MAX;
    uint64_t ticks = ((request - t.before + 1) * TICKS_PER_S + t.rate - 1) / t.rate;
    return t.since_ns + ticks * TICK_NS;
}

void set_rate(uint64_t rate)
{
    struct arrivals *a = &state.arrivals;
    uint64_t now = now_ns();
    uint64_t arrived = arrived_by(now);
    atomic_fetch_add(&a->edition, 1);
    atomic_store(&a->before, arrived);
    atomic_store(&a->since_ns, now);
    atomic_store(&a->rate, rate);
    atomic_fetch_add(&a->edition, 1);
}
