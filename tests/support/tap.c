/*
 * Runs a shell command in a network of its own, whose only cable ends here: Ethernet frames come and go on descriptors 3 and 4,
 * each behind its length in two bytes, the higher one first. Ends with the command's status; 77 where the machine does not let us.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IN = 3, OUT = 4, REFUSED = 77, MOST = 65535 };

static void refused(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(REFUSED);
}

static void bring_up(const char *name) {
    struct ifreq request = {0};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    strcpy(request.ifr_name, name);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (s < 0 || ioctl(s, SIOCSIFFLAGS, &request) < 0)
        refused(name);
    close(s);
}

static int open_tap(void) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int tap = open("/dev/net/tun", O_RDWR);
    if (tap < 0)
        refused("/dev/net/tun");
    strcpy(request.ifr_name, "eth0");
    if (ioctl(tap, TUNSETIFF, &request) < 0)
        refused("TUNSETIFF");
    return tap;
}

static int read_all(int fd, unsigned char *at, size_t count) {
    while (count > 0) {
        ssize_t got = read(fd, at, count);
        if (got <= 0)
            return 0;
        at += got;
        count -= got;
    }
    return 1;
}

static void pump(int tap, pid_t child) {
    static unsigned char frame[2 + MOST];
    struct pollfd fds[2] = {{tap, POLLIN, 0}, {IN, POLLIN, 0}};
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (poll(fds, 2, 20) <= 0)
            continue;
        if (fds[0].revents & POLLIN) {
            ssize_t length = read(tap, frame + 2, MOST);
            if (length > 0) {
                frame[0] = length >> 8;
                frame[1] = length & 0xff;
                if (write(OUT, frame, 2 + length) != 2 + length)
                    exit(1);
            }
        }
        if (fds[1].revents & (POLLIN | POLLHUP)) {
            unsigned length;
            if (!read_all(IN, frame, 2))
                exit(1);
            length = frame[0] << 8 | frame[1];
            if (!read_all(IN, frame, length))
                exit(1);
            if (write(tap, frame, length) < 0)
                fprintf(stderr, "frame of %u bytes: %s\n", length, strerror(errno));
        }
    }
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv) {
    int tap;
    pid_t child;
    if (argc != 2)
        return 2;
    if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0)
        refused("unshare");
    tap = open_tap();
    bring_up("lo");
    bring_up("eth0");
    signal(SIGPIPE, SIG_IGN);
    child = fork();
    if (child == 0) {
        close(IN);
        close(OUT);
        close(tap);
        execl("/bin/sh", "sh", "-c", argv[1], (char *)0);
        _exit(127);
    }
    pump(tap, child);
}
