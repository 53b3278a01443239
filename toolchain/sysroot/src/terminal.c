/* Terminals: the console, where a person sits at it. */
#include "result.h"

#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define TERMINAL "/dev/console"

int tcgetattr(int fd, struct termios *result) {
  struct minios_termios from;
  if (MINIOS_INT(minios_tcgetattr(fd, &from)) < 0)
    return -1;
  *result = (struct termios){
      .c_iflag = from.iflag,
      .c_oflag = from.oflag,
      .c_cflag = from.cflag,
      .c_lflag = from.lflag,
      .c_ispeed = from.ispeed,
      .c_ospeed = from.ospeed,
  };
  memcpy(result->c_cc, from.cc, sizeof result->c_cc);
  return 0;
}

int tcsetattr(int fd, int when, const struct termios *from) {
  if (when < TCSANOW || when > TCSAFLUSH)
    return minios_failed(_REENT, EINVAL);
  struct minios_termios to = {
      .iflag = from->c_iflag,
      .oflag = from->c_oflag,
      .cflag = from->c_cflag,
      .lflag = from->c_lflag,
      .ispeed = from->c_ispeed,
      .ospeed = from->c_ospeed,
  };
  memcpy(to.cc, from->c_cc, sizeof to.cc);
  return MINIOS_INT(minios_tcsetattr(fd, when == TCSAFLUSH, &to));
}

/* EBADF or ENOTTY, or 0. */
static int check(int fd) {
  struct minios_termios settings;
  return MINIOS_INT(minios_tcgetattr(fd, &settings));
}

/* Output is written before write returns. */
int tcdrain(int fd) {
  return check(fd);
}

int tcflush(int fd, int queue) {
  if (check(fd) < 0)
    return -1;
  if (queue < TCIFLUSH || queue > TCIOFLUSH)
    return minios_failed(_REENT, EINVAL);
  return queue == TCOFLUSH ? 0 : MINIOS_INT(minios_tcflush(fd));
}

int tcflow(int fd, int action) {
  if (check(fd) < 0)
    return -1;
  return action < TCOOFF || action > TCION ? minios_failed(_REENT, EINVAL) : 0;
}

int tcsendbreak(int fd, int duration) {
  (void)duration;
  return check(fd);
}

pid_t tcgetsid(int fd) {
  return check(fd) < 0 ? -1 : getpid();
}

pid_t tcgetpgrp(int fd) {
  return check(fd) < 0 ? -1 : getpid();
}

int tcsetpgrp(int fd, pid_t group) {
  if (check(fd) < 0)
    return -1;
  return group == getpid() ? 0 : minios_failed(_REENT, EPERM);
}

speed_t cfgetispeed(const struct termios *from) {
  return from->c_ispeed;
}

speed_t cfgetospeed(const struct termios *from) {
  return from->c_ospeed;
}

int cfsetispeed(struct termios *to, speed_t speed) {
  to->c_ispeed = speed;
  return 0;
}

int cfsetospeed(struct termios *to, speed_t speed) {
  to->c_ospeed = speed;
  return 0;
}

void cfmakeraw(struct termios *to) {
  to->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  to->c_oflag &= ~(tcflag_t)OPOST;
  to->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  to->c_cflag = (to->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
  to->c_cc[VMIN] = 1;
  to->c_cc[VTIME] = 0;
}

int ttyname_r(int fd, char *buffer, size_t size) {
  if (!isatty(fd))
    return _REENT->_errno;
  if (size < sizeof TERMINAL)
    return ERANGE;
  memcpy(buffer, TERMINAL, sizeof TERMINAL);
  return 0;
}

char *ttyname(int fd) {
  static char name[sizeof TERMINAL];
  return ttyname_r(fd, name, sizeof name) == 0 ? name : NULL;
}

char *ctermid(char *buffer) {
  static char name[] = "/dev/tty";
  return buffer == NULL ? name : strcpy(buffer, name);
}
