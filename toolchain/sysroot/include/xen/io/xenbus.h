/* States of the two ends of a device (the numbers of Xen's public header io/xenbus.h). */
#ifndef _XEN_PUBLIC_IO_XENBUS_H
#define _XEN_PUBLIC_IO_XENBUS_H

enum xenbus_state {
  XenbusStateUnknown = 0,
  XenbusStateInitialising = 1,
  XenbusStateInitWait = 2,
  XenbusStateInitialised = 3,
  XenbusStateConnected = 4,
  XenbusStateClosing = 5,
  XenbusStateClosed = 6,
  XenbusStateReconfiguring = 7,
  XenbusStateReconfigured = 8
};
typedef enum xenbus_state XenbusState;

#endif
