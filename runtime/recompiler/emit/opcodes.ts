/** Binary opcodes of the WebAssembly core specification (appendix A.3) for what lowering writes. */

const sequence = (prefix: string, first: number, names: string): [string, readonly number[]][] =>
  names.split(' ').map((name, i) => [`${prefix}.${name}`, [first + i]]);

/** Vector instructions: 0xfd, then the number as LEB128. `_` leaves a number out. */
const vector = (prefix: string, first: number, names: string): [string, readonly number[]][] =>
  names.split(' ').flatMap((name, i): [string, readonly number[]][] => {
    const number = first + i;
    const code = number < 0x80 ? [0xfd, number] : [0xfd, (number & 0x7f) | 0x80, number >> 7];
    return name === '_' ? [] : [[`${prefix}.${name}`, code]];
  });

const compareIntegers = 'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
const integers =
  'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
const floats = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign';
const compareFloats = 'eq ne lt gt le ge';
const compareLanes = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';

// biome-ignore format: a table
export const opcodes: ReadonlyMap<string, readonly number[]> = new Map([
  ['unreachable', [0x00]], ['return', [0x0f]], ['select', [0x1b]],
  ...sequence('i32', 0x28, 'load'), ...sequence('i64', 0x29, 'load'), ...sequence('f32', 0x2a, 'load'), ...sequence('f64', 0x2b, 'load'),
  ...sequence('i32', 0x2c, 'load8_s load8_u load16_s load16_u'),
  ...sequence('i32', 0x36, 'store'), ...sequence('i64', 0x37, 'store'), ...sequence('f32', 0x38, 'store'), ...sequence('f64', 0x39, 'store'),
  ...sequence('i32', 0x3a, 'store8 store16'),
  ...sequence('i32', 0x45, compareIntegers), ...sequence('i64', 0x50, compareIntegers), ...sequence('f32', 0x5b, compareFloats), ...sequence('f64', 0x61, compareFloats),
  ...sequence('i32', 0x67, integers), ...sequence('i64', 0x79, integers), ...sequence('f32', 0x8b, floats), ...sequence('f64', 0x99, floats),
  ...sequence('i32', 0xa7, 'wrap_i64'), ...sequence('i64', 0xac, 'extend_i32_s extend_i32_u'),
  ...sequence('f32', 0xb2, 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64'),
  ...sequence('f64', 0xb7, 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32'),
  ...sequence('i32', 0xbc, 'reinterpret_f32'), ...sequence('i64', 0xbd, 'reinterpret_f64'), ...sequence('f32', 0xbe, 'reinterpret_i32'), ...sequence('f64', 0xbf, 'reinterpret_i64'),
  ...sequence('i32', 0xc0, 'extend8_s extend16_s'), ...sequence('i64', 0xc2, 'extend8_s extend16_s extend32_s'),
  ['memory.copy', [0xfc, 10, 0, 0]], ['memory.fill', [0xfc, 11, 0]],
  ['i32.trunc_sat_f32_s', [0xfc, 0]], ['i32.trunc_sat_f64_s', [0xfc, 2]], ['i64.trunc_sat_f32_s', [0xfc, 4]], ['i64.trunc_sat_f64_s', [0xfc, 6]],
  ...vector('v128', 0, 'load'), ...vector('v128', 11, 'store const'), ...vector('i8x16', 13, 'shuffle swizzle splat'),
  ...vector('i16x8', 16, 'splat'), ...vector('i32x4', 17, 'splat'), ...vector('i64x2', 18, 'splat'), ...vector('f32x4', 19, 'splat'), ...vector('f64x2', 20, 'splat'),
  ...vector('i8x16', 22, 'extract_lane replace_lane'), ...vector('i16x8', 25, 'extract_lane replace_lane'), ...vector('i32x4', 27, 'extract_lane replace_lane'),
  ...vector('i64x2', 29, 'extract_lane replace_lane'), ...vector('f32x4', 31, 'extract_lane replace_lane'), ...vector('f64x2', 33, 'extract_lane replace_lane'),
  ...vector('i8x16', 35, compareLanes), ...vector('i16x8', 45, compareLanes), ...vector('i32x4', 55, compareLanes),
  ...vector('f32x4', 65, compareFloats), ...vector('f64x2', 71, compareFloats), ...vector('v128', 77, 'not and andnot or xor bitselect any_true'),
  ...vector('i8x16', 96, 'abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u'), ...vector('f32x4', 103, 'ceil floor trunc nearest'),
  ...vector('i8x16', 107, 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u'), ...vector('f64x2', 116, 'ceil floor'),
  ...vector('i8x16', 118, 'min_s min_u max_s max_u'), ...vector('f64x2', 122, 'trunc'), ...vector('i8x16', 123, 'avgr_u'),
  ...vector('i16x8', 128, 'abs neg _ all_true bitmask narrow_i32x4_s narrow_i32x4_u'),
  ...vector('i16x8', 139, 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u'), ...vector('f64x2', 148, 'nearest'),
  ...vector('i16x8', 149, 'mul min_s min_u max_s max_u _ avgr_u'),
  ...vector('i32x4', 160, 'abs neg _ all_true bitmask'), ...vector('i32x4', 171, 'shl shr_s shr_u add _ _ sub _ _ _ mul min_s min_u max_s max_u dot_i16x8_s'),
  ...vector('i32x4', 188, 'extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u'),
  ...vector('i64x2', 192, 'abs neg _ all_true bitmask'), ...vector('i64x2', 203, 'shl shr_s shr_u add _ _ sub _ _ _ mul eq ne lt_s gt_s le_s ge_s'),
  ...vector('i64x2', 220, 'extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u'),
  ...vector('f32x4', 224, 'abs neg _ sqrt add sub mul div min max pmin pmax'), ...vector('f64x2', 236, 'abs neg _ sqrt add sub mul div min max pmin pmax'),
]);

/** Opcodes of more than one byte, numbered from `firstLong` on. */
export const firstLong = 0x100;
export const longOpcodes: readonly (readonly number[])[] = [...opcodes.values()].filter(
  (bytes) => bytes.length > 1,
);

/** An opcode as one number: its byte, or its place among the long ones. */
export const opcodeNumbers: ReadonlyMap<string, number> = new Map(
  [...opcodes].map(([name, bytes]) => {
    const [byte = 0] = bytes;
    return [name, bytes.length === 1 ? byte : firstLong + longOpcodes.indexOf(bytes)];
  }),
);
