#!/bin/busybox sh
# Redis in a lab guest, driven by its own load generator. Reads orders from its port, a line each:
#
#   hello                                                     -> {"event":"ready"}
#   fill KEYS       begin anew, with up to so many keys of 1 KiB -> {"event":"filled"}
#   load KEYS SECONDS TURN   read and write them for so long      -> a line for every chunk of requests
#
# Lines that it writes are JSON, but for "csv", which carries what redis-benchmark itself prints.

export PATH=/application:/bin LD_LIBRARY_PATH=/usr/lib LC_ALL=C
socket=/redis.sock
value_bytes=1024
chunk=2000

redis-server --port 0 --unixsocket "$socket" --save "" --appendonly no --daemonize no \
    --activedefrag no --loglevel warning >/dev/console 2>&1 &
until redis-cli -s "$socket" ping >/dev/null 2>&1; do usleep 50000; done
echo 1 >/proc/sys/vm/overcommit_memory

say() { until echo "$1" 2>/dev/null >&4; do usleep 20000; done; }
now() { read -r up _ </proc/uptime && echo "${up%.*}"; }

say '{"event":"ready"}'
while read -r order keys seconds turn <&4; do
    case $order in
        hello) say '{"event":"ready"}' ;;
        fill)
            redis-cli -s "$socket" flushall sync >/dev/null
            redis-cli -s "$socket" memory purge >/dev/null
            redis-benchmark -s "$socket" -c 4 -P 32 -n $((keys * 3 / 2)) -r "$keys" -d "$value_bytes" \
                -t set -q >/dev/null 2>&1
            say "{\"event\":\"filled\",\"keys\":$(redis-cli -s "$socket" dbsize)}"
            ;;
        load)
            end=$(($(now) + seconds))
            while [ "$(now)" -lt "$end" ]; do
                row=$(redis-benchmark -s "$socket" -c 4 -n "$chunk" -r "$keys" -d "$value_bytes" \
                    -t get,set --csv 2>/dev/null | grep -E '^"(SET|GET)"' | tr -d '"' | tr '\n' ';')
                say "{\"event\":\"chunk\",\"turn\":$turn,\"requests\":$((2 * chunk)),\"csv\":\"$row\"}"
            done
            say "{\"event\":\"done\",\"turn\":$turn}"
            ;;
    esac
done
