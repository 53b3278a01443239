/** Runs a few instructions in the reference evaluator as one block, as the recompiler joins them. */
import { Builder } from '../../runtime/ir/builder.ts';
import { evaluateBlock, type Outcome } from '../../runtime/ir/evaluate.ts';
import { verifyBlock } from '../../runtime/ir/verify.ts';
import { Decoder } from '../../runtime/x86/decode.ts';
import { type Mode, XMM0 } from '../../runtime/x86/registers.ts';
import { translateInstruction } from '../../runtime/x86/translate.ts';
import { RegionMemory, TestState } from './evaluation-state.ts';
import { baseState, vectorRip } from './vectors/state.ts';

export interface Ran {
  readonly outcome: Outcome;
  readonly registers: readonly bigint[];
  readonly flags: bigint;
}

/** `hex` lies at `vectorRip`; `registers` are by number, others as in every vector. */
export function runCode(
  mode: Mode,
  hex: string,
  registers: Readonly<Record<number, bigint>> = {},
): Ran {
  const code = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const end = vectorRip + BigInt(code.length);
  const builder = new Builder(mode, XMM0);
  const decoder = new Decoder(mode, vectorRip, code);
  builder.begin(vectorRip);
  for (let at = vectorRip; at < end && !builder.ended; ) {
    const instruction = decoder.decode(at);
    translateInstruction(builder, instruction);
    at = instruction.next;
  }
  decoder.free();
  const block = builder.finish(end);
  verifyBlock(block, mode);

  const memory = new RegionMemory([{ address: vectorRip, bytes: code }]);
  const cpu = new TestState(mode, baseState(mode), memory);
  for (const [number, value] of Object.entries(registers)) cpu.setRegister(Number(number), value);
  const outcome = evaluateBlock(block, cpu);
  const rip = outcome.kind === 'jump' ? outcome.target : outcome.next;
  const { regs, rflags } = cpu.recorded(rip);
  return { outcome, registers: regs, flags: rflags };
}
