/** xen/include/public/io/protocols.h: names of the layouts that rings may have. */

export const XEN_IO_PROTO_ABI = { X86_32: 'x86_32-abi', X86_64: 'x86_64-abi' } as const;
