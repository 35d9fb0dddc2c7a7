/* Makes the guest's balloon hang on order, as a broken device or driver does: the driver's request
 * to inflate or deflate is never answered, `actual` stands still, and statistics go on.
 *
 * The device is told that its queues for inflating and deflating lie nowhere, so it hears no kick;
 * the kernel's driver knows nothing of it and waits. To heal it, the queues get their true places
 * back, with a kick for what waits. All through the window into the device's registers that a
 * modern virtio device has in its PCI configuration space (virtio 1.1, section 4.1.4.8).
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "workload.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define PCI_CAPABILITIES 0x34
#define VENDOR_CAPABILITY 0x09
enum { COMMON = 1, NOTIFY = 2, WINDOW = 5 }; /* types of a virtio capability */
/* Offsets in a capability. */
enum { CAP_NEXT = 1, CAP_TYPE = 3, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_DATA = 16 };
/* Offsets in the common configuration. */
enum { QUEUE_SELECT = 22, QUEUE_ENABLE = 28, QUEUE_NOTIFY_OFF = 30, QUEUE_PLACES = 32 };
#define QUEUES 2u /* inflate, deflate */
#define PLACES 6u /* descriptors, available, used: two words each */

struct device {
    int fd;
    uint32_t window; /* where its capability is */
    uint32_t common, notify, notify_step;
};

static uint32_t places[QUEUES][PLACES];
static int is_hung;

static uint32_t read_config(int fd, uint32_t at, size_t bytes)
{
    uint32_t value = 0;
    return pread(fd, &value, bytes, at) == (ssize_t)bytes ? value : 0;
}

static void write_config(int fd, uint32_t at, uint32_t value, size_t bytes)
{
    if (pwrite(fd, &value, bytes, at) != (ssize_t)bytes)
        perror("workload: the balloon's configuration");
}

static void aim(const struct device *d, uint32_t offset, size_t bytes)
{
    write_config(d->fd, d->window + CAP_OFFSET, offset, 4);
    write_config(d->fd, d->window + CAP_LENGTH, (uint32_t)bytes, 4);
}

static uint32_t read_register(const struct device *d, uint32_t offset, size_t bytes)
{
    aim(d, offset, bytes);
    return read_config(d->fd, d->window + CAP_DATA, bytes);
}

static void write_register(const struct device *d, uint32_t offset, uint32_t value, size_t bytes)
{
    aim(d, offset, bytes);
    write_config(d->fd, d->window + CAP_DATA, value, bytes);
}

static int find_capabilities(struct device *d)
{
    for (uint32_t at = read_config(d->fd, PCI_CAPABILITIES, 1); at != 0;
         at = read_config(d->fd, at + CAP_NEXT, 1)) {
        if (read_config(d->fd, at, 1) != VENDOR_CAPABILITY)
            continue;
        uint32_t offset = read_config(d->fd, at + CAP_OFFSET, 4);
        switch (read_config(d->fd, at + CAP_TYPE, 1)) {
        case COMMON:
            d->common = offset;
            break;
        case NOTIFY:
            d->notify = offset;
            d->notify_step = read_config(d->fd, at + CAP_DATA, 4);
            break;
        case WINDOW:
            d->window = at;
            break;
        }
    }
    return d->window != 0 && d->notify != 0;
}

static int is_balloon(int fd)
{
    uint32_t id = read_config(fd, 0, 4);
    return id == 0x10021af4 || id == 0x10451af4; /* transitional or modern */
}

/* Opens the balloon's PCI configuration; 0: there is none. */
static int find_balloon(struct device *d)
{
    DIR *devices = opendir(PCI_DEVICES);
    int found = 0;
    for (struct dirent *entry; !found && devices != NULL && (entry = readdir(devices)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, PCI_DEVICES "/%s/config", entry->d_name);
        *d = (struct device){.fd = open(path, O_RDWR | O_CLOEXEC)};
        found = d->fd >= 0 && is_balloon(d->fd) && find_capabilities(d);
        if (!found && d->fd >= 0)
            close(d->fd);
    }
    if (devices != NULL)
        closedir(devices);
    return found;
}

static void place_queue(const struct device *d, uint32_t queue, int hang)
{
    write_register(d, d->common + QUEUE_SELECT, queue, 2);
    for (uint32_t word = 0; word < PLACES; word++) {
        uint32_t at = d->common + QUEUE_PLACES + 4 * word;
        if (hang)
            places[queue][word] = read_register(d, at, 4);
        write_register(d, at, hang ? 0 : places[queue][word], 4);
    }
    write_register(d, d->common + QUEUE_ENABLE, 1, 2); /* the places count from here on */
    if (!hang) {
        uint32_t step = read_register(d, d->common + QUEUE_NOTIFY_OFF, 2);
        write_register(d, d->notify + step * d->notify_step, queue, 2);
    }
}

void hang_balloon(int hang)
{
    struct device d;
    if (hang == is_hung)
        return;
    if (!find_balloon(&d)) {
        fputs("workload: there is no balloon that could hang\n", stderr);
        return;
    }
    for (uint32_t queue = 0; queue < QUEUES; queue++)
        place_queue(&d, queue, hang);
    is_hung = hang;
    close(d.fd);
}
