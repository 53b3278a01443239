/** The exception of an access that an address space refuses: #PF, or #GP(0) and #SS(0) where it is not canonical (SDM vol. 3, 6.15). */
import type { PageFault } from '../memory/address-space.ts';
import type { Instruction } from '../x86/decode.ts';
import { RBP, RSP } from '../x86/registers.ts';
import { vectors } from '../x86/semantics.ts';
import { exception } from './exception-leave.ts';
import type { Leave } from './leave.ts';

/** How far from rsp PUSH, POP and CALL reach. */
const stackReach = 16n;

/** `instruction` is that which made the access; undefined where it is not known, which matters to #SS alone. */
export function accessException(
  { errorCode, address, isCanonical }: PageFault,
  instruction: Instruction | undefined,
  rsp: bigint,
): Leave {
  if (isCanonical !== false) return exception(vectors.PF, errorCode, address);
  const isStack = instruction !== undefined && goesThroughStack(instruction, address, rsp);
  const vector = isStack ? vectors.SS : vectors.GP;
  return exception(vector, 0);
}

/** Through SS go what is based on RSP or RBP without FS or GS, and what only the stack's instructions touch. */
function goesThroughStack(
  { mnemonic, operands }: Instruction,
  address: bigint,
  rsp: bigint,
): boolean {
  const memory = [...operands].find((operand) => operand.kind === 'memory');
  if (memory === undefined) return true;
  if (memory.segmentBase === undefined && (memory.base === RSP || memory.base === RBP)) return true;
  const distance = BigInt.asIntN(64, address - rsp);
  return /^(PUSH|POP|CALL)/.test(mnemonic) && distance >= -stackReach && distance <= stackReach;
}
