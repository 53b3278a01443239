/** xen/include/public/io/kbdif.h: the page that a keyboard's two ends share. Key codes are those of Linux's input events. */
import { i32, struct, u8, u32 } from '../../memory/layout.ts';

/** To the front-end. */
export const XENKBD_TYPE = { MOTION: 1, KEY: 3, POS: 4 } as const;

export const XENKBD_IN_EVENT_SIZE = 40;
export const XENKBD_IN_RING_SIZE = 2048;
export const XENKBD_IN_RING_OFFS = 1024;
export const XENKBD_IN_RING_LEN = 51;

export const xenkbd_page = struct('xenkbd_page', {
  in_cons: u32,
  in_prod: u32,
  out_cons: u32,
  out_prod: u32,
});

export const xenkbd_motion = struct('xenkbd_motion', {
  type: u8,
  rel_x: i32,
  rel_y: i32,
  rel_z: i32, // the wheel
});

export const xenkbd_key = struct('xenkbd_key', { type: u8, pressed: u8, keycode: u32 });

export const xenkbd_position = struct('xenkbd_position', {
  type: u8,
  abs_x: i32, // pixels
  abs_y: i32,
  rel_z: i32, // the wheel
});
