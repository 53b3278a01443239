/** sys/termios.h of the sysroot, whose numbers are those of Linux (asm-generic/termbits.h). */
import { array, struct, u8, u32 } from '../../memory/layout.ts';

export const minios_termios = struct('minios_termios', {
  iflag: u32,
  oflag: u32,
  cflag: u32,
  lflag: u32,
  ispeed: u32,
  ospeed: u32,
  cc: array(u8, 32),
});

// biome-ignore format: a table
export const TERMIOS = {
  INLCR: 0x40, IGNCR: 0x80, ICRNL: 0x100, IXON: 0x400, OPOST: 0x1, ONLCR: 0x4,
  CS8: 0x30, CREAD: 0x80, B38400: 0xf,
  ISIG: 0x1, ICANON: 0x2, ECHO: 0x8, ECHOE: 0x10, ECHOK: 0x20, ECHONL: 0x40, NOFLSH: 0x80, ECHOCTL: 0x200, ECHOKE: 0x800,
  IEXTEN: 0x8000,
} as const;

export const VC = {
  INTR: 0,
  QUIT: 1,
  ERASE: 2,
  KILL: 3,
  EOF: 4,
  TIME: 5,
  MIN: 6,
  SUSP: 10,
  EOL: 11,
} as const;
