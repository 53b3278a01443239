/* ioctl; the requests that some descriptor knows, with Linux's numbers. */
#ifndef _SYS_IOCTL_H_
#define _SYS_IOCTL_H_

#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
/* int *: how many bytes a read gives at once */
#define FIONREAD 0x541B
/* int *: not zero makes the descriptor O_NONBLOCK */
#define FIONBIO 0x5421

struct winsize {
  unsigned short ws_row;
  unsigned short ws_col;
  unsigned short ws_xpixel;
  unsigned short ws_ypixel;
};

#ifdef __cplusplus
extern "C" {
#endif

int ioctl(int fd, unsigned long request, ...);

#ifdef __cplusplus
}
#endif

#endif
