/** The reference evaluator as an executor of recorded instructions: decode, semantics, evaluate. */
import { CpuException, UnsupportedError } from '../../runtime/errors.ts';
import { Builder } from '../../runtime/ir/builder.ts';
import { evaluateBlock, type Outcome } from '../../runtime/ir/evaluate.ts';
import type { Block } from '../../runtime/ir/value.ts';
import { verifyBlock } from '../../runtime/ir/verify.ts';
import { Decoder } from '../../runtime/x86/decode.ts';
import { sse } from '../../runtime/x86/instructions/sse.ts';
import { sse2 } from '../../runtime/x86/instructions/sse2.ts';
import { type Mode, XMM0 } from '../../runtime/x86/registers.ts';
import type { InstructionTable } from '../../runtime/x86/semantics.ts';
import type { Exception } from './cpu-oracle.ts';
import { RegionMemory, TestState } from './evaluation-state.ts';
import type { Executor } from './replay.ts';

const instructions: InstructionTable = { ...sse, ...sse2 };

/** The block that one instruction is. */
function translate(mode: Mode, code: Uint8Array, address: bigint): Block {
  const decoder = new Decoder(mode, address, code);
  const instruction = decoder.decode(address);
  const meaning = instructions[instruction.code] ?? instructions[instruction.mnemonic];
  decoder.free();
  if (!meaning) throw new UnsupportedError(`no row ${instruction.mnemonic}`);
  const builder = new Builder(mode, XMM0);
  builder.begin(address);
  builder.instruction(address, instruction.length);
  meaning(builder, instruction.operands, instruction);
  return builder.finish(instruction.next);
}

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
  const block = translate(mode, code, state.rip);
  verifyBlock(block, mode);
  const guest = new RegionMemory([{ address: state.rip, bytes: code }, ...memory]);
  const cpu = new TestState(mode, state, guest);
  const { rip, exception } = outcomeOf(() => evaluateBlock(block, cpu), state.rip);
  return {
    state: cpu.recorded(rip),
    memory: guest.windows(memory),
    exception,
    undefinedFlags: cpu.undefinedFlags,
  };
};
