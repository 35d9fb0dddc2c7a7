#!/bin/busybox sh
# PID 1 of a guest that plays a host: mounts what a host has, runs a program, and is over.
# What the program prints goes to the port org.aerostat.host.0; what it complains of, to the console.

/bin/busybox mkdir -p /proc /sys /dev /run /tmp
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev 2>/dev/null # some kernels have done it already
mkdir -p /dev/shm
mount -t tmpfs none /dev/shm
mount -t tmpfs none /run
mount -t tmpfs none /tmp
mount -t cgroup2 none /sys/fs/cgroup

while read -r module; do
    insmod "/modules/$module" || echo "init: insmod $module failed"
done </modules/host.list

find_port() {
    for port in /sys/class/virtio-ports/*; do
        [ "$(cat "$port/name" 2>/dev/null)" = "$1" ] || continue
        echo "/dev/${port##*/}"
    done
}
port=$(find_port org.aerostat.host.0)
while [ -z "$port" ]; do
    usleep 20000
    port=$(find_port org.aerostat.host.0)
done
cd /program || poweroff -f
/usr/bin/python3 -S main.py >"$port" || echo "init: the program failed"
sync
poweroff -f
