/** The vocabulary of the IR: one row an op, with its shape. What an op means is in evaluate.ts, how it lowers in lower.ts. */

/** Bits of a value. 1 is a truth value or a flag; 128 is a vector or an x87 register in its state slot. */
export type Width = 1 | 8 | 16 | 32 | 64 | 128;

/** The arithmetic flags of EFLAGS (SDM vol. 1, 3.4.3.1), which are set together and kept lazily. */
export type Flag = 'CF' | 'PF' | 'AF' | 'ZF' | 'SF' | 'OF';
export const flagNames = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'] as const satisfies readonly Flag[];

/** How verify.ts types an op: the widths of its arguments against that of its result. */
export type Shape =
  | 'leaf' // no arguments
  | 'load' // (address of the guest's width)
  | 'unary' // (w) → w
  | 'binary' // (w, w) → w
  | 'shift' // (w, 8) → w
  | 'compare' // (v, v) → 1
  | 'test' // (v) → 1
  | 'select' // (1, w, w) → w
  | 'resize' // (any) → w
  | 'ternary' // (w, w, w) → w
  | 'pack' // (64, 64) → 128
  | 'insert' // (128, v) → 128
  | 'bulk' // (a, any, a, 8) → a
  | 'call'; // declared by the subroutine

/** `lane` ops work on lanes of `detail` bits; float ops on one value or on the lanes of a 128-bit one. */
// biome-ignore format: a table
export const ops = {
  // Leaves.
  constant: 'leaf', // detail: bigint
  undefined: 'leaf', // a flag that the manual leaves undefined; reads as 0
  input: 'leaf', // detail: index of a subroutine's or flag rule's parameter
  register: 'leaf', // detail: register number; its value at the block's entry
  flag: 'leaf', // detail: Flag; its value at the block's entry
  load: 'load', // guest memory, little-endian; may fault. detail: 1 where it begins a read-modify-write, whose fault is one of writing
  // How many elements of detail bits a statement has done, at most so many and perhaps none; the last argument is 1 where they lie downwards.
  bulkCopy: 'bulk', // (destination, source, most, downwards)
  bulkFill: 'bulk', // (destination, element, most, downwards)
  loadCpu: 'resize', // (offset: 32) → w: a place in the CPU's state block
  // Integer arithmetic, modulo 2^w.
  add: 'binary', sub: 'binary', mul: 'binary', and: 'binary', or: 'binary', xor: 'binary', not: 'unary',
  mulHighUnsigned: 'binary', mulHighSigned: 'binary', // upper half of the product; 32 and 64 bits
  divUnsigned: 'binary', remUnsigned: 'binary', divSigned: 'binary', remSigned: 'binary', // the divisor is not 0, no overflow
  divWideUnsigned: 'ternary', divWideSigned: 'ternary', // (high, low, divisor): 64 bits; low quotient bits, the divisor is not 0
  // Shift counts are less than 32, or less than 64 where w is 64: semantics mask them. Narrow values shift out as in 32 bits.
  shiftLeft: 'shift', shiftRight: 'shift', shiftRightSigned: 'shift', rotateLeft: 'shift', rotateRight: 'shift', // rotates: 32, 64
  countLeadingZeros: 'unary', countTrailingZeros: 'unary', countOnes: 'unary', swapBytes: 'unary',
  equal: 'compare', notEqual: 'compare', lessUnsigned: 'compare', lessSigned: 'compare', lessEqualUnsigned: 'compare', lessEqualSigned: 'compare',
  parity: 'test', // 1 where the low byte has an even number of ones
  select: 'select', // (condition, ifOne, ifZero)
  zeroExtend: 'resize', signExtend: 'resize', truncate: 'resize',
  // 128 bits.
  pack: 'pack', // (low, high)
  slice: 'resize', // detail: bit offset, a multiple of w
  insert: 'insert', // (whole, part) detail: bit offset, a multiple of the part's width
  andNot: 'binary', // a & ~b
  // Lanes of 128-bit values, detail: lane width.
  laneAdd: 'binary', laneSub: 'binary', laneMul: 'binary',
  laneAddSaturateSigned: 'binary', laneAddSaturateUnsigned: 'binary', laneSubSaturateSigned: 'binary', laneSubSaturateUnsigned: 'binary',
  laneMinSigned: 'binary', laneMinUnsigned: 'binary', laneMaxSigned: 'binary', laneMaxUnsigned: 'binary',
  laneEqual: 'binary', laneGreaterSigned: 'binary', laneAverageUnsigned: 'binary', laneAbs: 'unary',
  laneMulHighSigned: 'binary', laneMulHighUnsigned: 'binary', // lanes of 16
  laneMulEvenUnsigned: 'binary', // even lanes of 32 → lanes of 64 (PMULUDQ)
  laneMulEvenSigned: 'binary', // PMULDQ
  laneDotSigned: 'binary', // lanes of 16 → lanes of 32 (PMADDWD)
  laneShiftLeft: 'shift', laneShiftRight: 'shift', laneShiftRightSigned: 'shift', // the count is less than the lane's width
  laneNarrowSigned: 'binary', laneNarrowUnsigned: 'binary', // signed lanes of detail bits → saturated lanes of half; a gives the low half
  laneBits: 'resize', // sign bit of each lane, lane 0 lowest → 32
  shuffle: 'binary', // detail: 16 byte indices into the 32 bytes of a, then b
  swizzle: 'binary', // bytes of a chosen by the low 4 bits of b's bytes; 0 where b's byte has bit 7 set (PSHUFB)
  // IEEE 754, as SSE computes it under MXCSR: lanes of detail bits (32, 64) of a value of that width or of 128 bits.
  floatAdd: 'binary', floatSub: 'binary', floatMul: 'binary', floatDiv: 'binary', floatSqrt: 'unary',
  floatMin: 'binary', floatMax: 'binary', // b where either is a NaN or both are zeros
  floatEqualMask: 'binary', floatLessMask: 'binary', floatLessEqualMask: 'binary', floatUnorderedMask: 'binary', // all ones or all zeros
  floatEqual: 'compare', floatLess: 'compare', floatLessEqual: 'compare', floatUnordered: 'compare', // scalar; false, false, false, true where one is a NaN
  floatLessQuiet: 'compare', floatLessEqualQuiet: 'compare', // the same, but a quiet NaN raises no #I (UCOMISD)
  floatNearest: 'unary', floatFloor: 'unary', floatCeil: 'unary', floatTrunc: 'unary', // to an integral value; raises nothing
  floatConvert: 'resize', // between 32 and 64 bits
  floatFromSigned: 'resize', // an integer of 32 or 64 bits → a float of w bits
  floatToSigned: 'resize', // rounds as MXCSR says; the integer indefinite (top bit alone) where it does not fit
  floatTruncate: 'resize', // the same, toward zero
  // A subroutine of the IR, detail: Subroutine.
  call: 'call',
} as const satisfies Readonly<Record<string, Shape>>;

export type Op = keyof typeof ops;
