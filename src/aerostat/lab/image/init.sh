#!/bin/busybox sh
# The guest's PID 1: loads drivers, sets up swap, says hello to the host, runs the workload.
#
# Kernel arguments: swap=none|vda|zram, zram_bytes=N, noballoon, balloon_after=SECONDS,
# crash_after=SECONDS, powerdown_takes=SECONDS, shell=TTY, shell_size=ROWSxCOLUMNS, wl.KEY=VALUE (handed to the workload as KEY=VALUE).

/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev 2>/dev/null # some kernels have done it already

swap=none zram_bytes=0 balloon=loaded balloon_after="" crash_after="" powerdown_takes="" workload=""
shell="" shell_size=24x80
for argument in $(cat /proc/cmdline); do
    value=${argument#*=}
    case $argument in
        swap=*) swap=$value ;;
        zram_bytes=*) zram_bytes=$value ;;
        noballoon) balloon=absent ;;
        balloon_after=*) balloon=late balloon_after=$value ;;
        crash_after=*) crash_after=$value ;;
        powerdown_takes=*) powerdown_takes=$value ;;
        shell=*) shell=$value ;;
        shell_size=*) shell_size=$value ;;
        wl.*) workload="$workload ${argument#wl.}" ;;
    esac
done

load_modules() {
    while read -r module; do
        insmod "/modules/$module" || echo "init: insmod $module failed"
    done <"/modules/$1.list"
}

# Where the balloon driver is built into the kernel, not loading it is not enough.
balloon_driver=/sys/bus/virtio/drivers/virtio_balloon
balloon_device=""
withhold_balloon() {
    for device in "$balloon_driver"/virtio*; do
        [ -e "$device" ] || continue
        balloon_device=${device##*/}
        echo "$balloon_device" >"$balloon_driver/unbind"
    done
}
give_balloon() {
    if [ -n "$balloon_device" ]; then
        echo "$balloon_device" >"$balloon_driver/bind"
    else
        load_modules balloon
    fi
}

start_swap() {
    if [ "$swap" = zram ]; then
        load_modules zram
        echo "$zram_bytes" >/sys/block/zram0/disksize && swap_device=/dev/zram0
    else
        swap_device=/dev/vda
    fi
    mkswap "$swap_device" >/dev/null && swapon "$swap_device" || swap=none
}

find_port() {
    for port in /sys/class/virtio-ports/*; do
        [ "$(cat "$port/name" 2>/dev/null)" = "$1" ] || continue
        echo "/dev/${port##*/}"
    done
}

load_modules boot
case $balloon in
    loaded) give_balloon ;;
    *) withhold_balloon ;;
esac
[ "$swap" = none ] || start_swap
# The workload maps far more address space than it will ever fill.
echo 1 >/proc/sys/vm/overcommit_memory

for disk in /sys/block/vd*; do
    [ "$(cat "$disk/serial" 2>/dev/null)" = files ] || continue
    workload="disk=/dev/${disk##*/} $workload" # first: how much can be read of it depends on it
done

port=$(find_port org.aerostat.workload.0)
while [ -z "$port" ]; do
    usleep 20000
    port=$(find_port org.aerostat.workload.0)
done
exec 3<>"$port"
read -r uptime_s _ </proc/uptime
echo "{\"event\":\"hello\",\"kernel\":\"$(uname -r)\",\"uptime_s\":$uptime_s,\"swap\":\"$swap\",\"balloon\":\"$balloon\"}" >&3
echo "aerostat guest is up after $uptime_s s"

if [ -e /aerostat_agent.py ]; then
    # Its own mistakes go to the console; it ends at once where the VM has no port for it.
    /usr/bin/python3 -I -S /aerostat_agent.py &
    renice -n -10 -p $! >/dev/null # as its unit has it
fi

if [ -n "$balloon_after" ]; then
    (
        sleep "$balloon_after"
        give_balloon
        echo "init: balloon driver loaded late"
    ) &
fi
if [ -n "$crash_after" ]; then
    (
        sleep "$crash_after"
        echo c >/proc/sysrq-trigger
    ) &
fi

# Without powerdown_takes the guest is deaf to its power button.
if [ -n "$powerdown_takes" ]; then
    (
        load_modules power
        for button in /sys/class/input/event*; do
            [ "$(cat "$button/device/name" 2>/dev/null)" = "Power Button" ] || continue
            echo "init: listening to its power button"
            dd if="/dev/input/${button##*/}" of=/dev/null bs=24 count=1 2>/dev/null
            echo "init: shutting down"
            sleep "$powerdown_takes"
            poweroff -f
        done
    ) &
fi

# A guest with a shell ends when the shell does.
if [ -n "$shell" ]; then
    (
        # A line that nobody holds open forgets its size.
        size="rows ${shell_size%x*} cols ${shell_size#*x}"
        HOME=/ TERM=linux setsid -c sh -c "stty $size; exec sh -i" \
            <"/dev/$shell" >"/dev/$shell" 2>&1 3>&-
        poweroff -f
    ) &
fi

# An image variant may bring an application of its own, with a port of its own.
application_port=$(find_port org.aerostat.application.0)
if [ -x /application/start ] && [ -n "$application_port" ]; then
    /application/start 4<>"$application_port" 3>&- &
fi

workload 3 $workload
status=$?
# The workload has made the port non-blocking: try until the line is taken.
until echo "{\"event\":\"exit\",\"status\":$status}" 2>/dev/null >&3; do
    usleep 50000
done
while true; do
    sleep 3600
done
