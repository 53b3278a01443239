/** The reference evaluator as an executor of recorded instructions: decode, semantics, evaluate. */
import { CpuException, UnsupportedError } from '../../runtime/errors.ts';
import { Builder } from '../../runtime/ir/builder.ts';
import { evaluateBlock, type Outcome } from '../../runtime/ir/evaluate.ts';
import type { Block } from '../../runtime/ir/value.ts';
import { verifyBlock } from '../../runtime/ir/verify.ts';
import { Decoder } from '../../runtime/x86/decode.ts';
import { type Mode, XMM0 } from '../../runtime/x86/registers.ts';
import { hasSemantics, translateInstruction } from '../../runtime/x86/translate.ts';
import type { Exception } from './cpu-oracle.ts';
import { RegionMemory, TestState } from './evaluation-state.ts';
import type { Executor } from './replay.ts';

/** The block that one instruction is. */
export function blockOf(mode: Mode, code: Uint8Array, address: bigint): Block {
  const decoder = new Decoder(mode, address, code);
  const instruction = decoder.decode(address);
  decoder.free();
  if (!hasSemantics(instruction))
    throw new UnsupportedError(`x86: no semantics for ${instruction.code}`);
  const builder = new Builder(mode, XMM0);
  builder.begin(address);
  translateInstruction(builder, instruction);
  return builder.finish(instruction.next);
}

/** A repeated string instruction, which branches back to itself, is executed once for each element. */
function evaluateWhole(block: Block, cpu: TestState): Outcome {
  const repeats = block.statements.some(({ kind }) => kind === 'jumpIf');
  for (let elements = 0; elements < 100_000; elements++) {
    const outcome = evaluateBlock(block, cpu);
    if (!repeats || outcome.kind !== 'jump' || outcome.target !== block.address) return outcome;
  }
  throw new UnsupportedError(`the instruction at 0x${block.address.toString(16)} does not end`);
}

/** Of the one instruction, or of what follows it where it raises a trap. */
const faultAddress = ({ address, statements }: Block): bigint =>
  statements.reduce((last, each) => (each.kind === 'instruction' ? each.address : last), address);

/** Where the block went, as the oracle reports it. */
function outcomeOf(run: () => Outcome, faulting: bigint): { rip: bigint; exception?: Exception } {
  try {
    const outcome = run();
    if (outcome.kind === 'jump') return { rip: outcome.target };
    if (outcome.reason !== 'exception')
      throw new UnsupportedError(`a vector that leaves for ${outcome.reason}`);
    const exception = { vector: outcome.operand, errorCode: 0, address: 0n };
    return { rip: outcome.next, exception };
  } catch (error) {
    if (!(error instanceof CpuException)) throw error;
    const { vector, errorCode = 0, address = 0n } = error;
    return { rip: faulting, exception: { vector, errorCode, address } };
  }
}

export const evaluate: Executor = (mode, code, state, memory) => {
  const block = blockOf(mode, code, state.rip);
  verifyBlock(block, mode);
  const guest = new RegionMemory([{ address: state.rip, bytes: code }, ...memory]);
  const cpu = new TestState(mode, state, guest);
  const { rip, exception } = outcomeOf(() => evaluateWhole(block, cpu), faultAddress(block));
  return {
    state: cpu.recorded(rip),
    memory: guest.windows(memory),
    exception,
    undefinedFlags: cpu.undefinedFlags,
  };
};
