/** xen/include/public/io/fbif.h: the page that a frame buffer's two ends share. Its directory is as wide as the front-end's words. */
import { array, i32, pointer, struct, u8, u32 } from '../../memory/layout.ts';

/** From the front-end. */
export const XENFB_TYPE = { UPDATE: 2, RESIZE: 3 } as const;

export const XENFB_OUT_EVENT_SIZE = 40;
export const XENFB_OUT_RING_SIZE = 2048;
export const XENFB_OUT_RING_OFFS = 2048;
export const XENFB_OUT_RING_LEN = 51;
/** Entries of `pd`. */
const mostDirectories = 256;

export const xenfb_page = struct('xenfb_page', {
  in_cons: u32,
  in_prod: u32,
  out_cons: u32,
  out_prod: u32,
  width: i32, // pixels
  height: i32,
  line_length: u32, // bytes of a row
  mem_length: u32, // bytes of the whole
  depth: u8, // bits of a pixel
  pd: array(pointer, mostDirectories), // frames full of frames
});

export const xenfb_update = struct('xenfb_update', {
  type: u8,
  x: i32,
  y: i32,
  width: i32,
  height: i32,
});

export const xenfb_resize = struct('xenfb_resize', {
  type: u8,
  width: i32,
  height: i32,
  stride: i32, // bytes
  depth: i32, // bits
  offset: i32, // bytes
});
