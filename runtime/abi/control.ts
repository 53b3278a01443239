/** Versions of the interfaces of domctl.h, sysctl.h and platform.h, which are a toolstack's. */
export const XEN_DOMCTL_INTERFACE_VERSION = 0x15;
export const XEN_SYSCTL_INTERFACE_VERSION = 0x15;
export const XENPF_INTERFACE_VERSION = 0x0300_0001;
