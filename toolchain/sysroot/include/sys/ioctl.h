/* ioctl; the requests that some descriptor knows. */
#ifndef _SYS_IOCTL_H_
#define _SYS_IOCTL_H_

/* int *: not zero makes the descriptor O_NONBLOCK */
#define FIONBIO 0x5421

#ifdef __cplusplus
extern "C" {
#endif

int ioctl(int fd, unsigned long request, ...);

#ifdef __cplusplus
}
#endif

#endif
