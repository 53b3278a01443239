/** From the table of the Mini-OS API: libminios.so, which images are linked against, and the header mini-os/api.h. */
import type { ApiData, ApiFunction } from '../../runtime/minios/api.ts';
import type { Width } from './width.ts';

/** What C sees of the table. */
export type Api = Readonly<Record<string, Pick<ApiFunction, 'prototype'> | ApiData>>;

/** Assembler: every symbol with its type and size; nothing in it ever runs. */
export function importLibrary(api: Api, width: Width): string {
  const symbols = Object.entries(api).map(([name, row]) =>
    'prototype' in row
      ? `.text\n.globl ${name}\n.type ${name},@function\n${name}: ud2\n.size ${name}, . - ${name}\n`
      : `.data\n.balign 16\n.globl ${name}\n.type ${name},@object\n${name}: .zero ${row.size[width]}\n` +
        `.size ${name}, ${row.size[width]}\n`,
  );
  return `${symbols.join('')}.section .note.GNU-stack,"",@progbits\n`;
}

/** The rows as C declares them. */
export function apiHeader(api: Api): string {
  const declarations = Object.values(api).map((row) =>
    'prototype' in row ? `${row.prototype};` : `${row.data};`,
  );
  return [
    '/* Every symbol of libminios.so, generated from the table of the Mini-OS API. */',
    '#ifndef _MINIOS_API_H_',
    '#define _MINIOS_API_H_',
    '',
    '#include <stddef.h>',
    '#include <stdint.h>',
    '#include <sys/types.h>',
    '',
    '#ifdef __cplusplus',
    'extern "C" {',
    '#endif',
    '',
    'struct thread;',
    'struct pollfd;',
    'struct minios_dirent;',
    'struct minios_stat;',
    'struct minios_statvfs;',
    'struct minios_termios;',
    'struct pt_regs;',
    'struct sigaction;',
    '',
    'typedef uint16_t domid_t;',
    'typedef uint32_t evtchn_port_t;',
    'typedef uint32_t grant_ref_t;',
    'typedef void (*evtchn_handler_t)(evtchn_port_t, struct pt_regs *, void *);',
    '',
    ...declarations,
    '',
    '#ifdef __cplusplus',
    '}',
    '#endif',
    '',
    '#endif',
    '',
  ].join('\n');
}
