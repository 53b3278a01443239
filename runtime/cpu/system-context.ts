/** One instruction that the CPU's surroundings answer: its operands, the registers it reaches, the faults it raises. */
import { CpuException } from '../errors.ts';
import { flagBits } from '../ir/builder.ts';
import type { EvaluationState } from '../ir/evaluate.ts';
import type { MemoryOperand, Operand } from '../ir/operand.ts';
import { flagNames } from '../ir/ops.ts';
import type { Instruction } from '../x86/decode.ts';
import { requested, segments } from '../x86/descriptor.ts';
import type { Mode } from '../x86/registers.ts';
import { cpuState } from '../x86/state.ts';
import type { Environment } from './environment.ts';

const directionBit = 10;

export class SystemContext {
  readonly instruction: Instruction;
  readonly state: EvaluationState;
  readonly environment: Environment;

  constructor(instruction: Instruction, state: EvaluationState, environment: Environment) {
    this.instruction = instruction;
    this.state = state;
    this.environment = environment;
  }

  get mode(): Mode {
    return this.instruction.mode;
  }

  /** The current privilege level: the RPL of CS. */
  get privilege(): number {
    return requested(this.selector(segments.cs));
  }

  selector(segment: number): number {
    return Number(this.state.loadCpu(cpuState.selectors + 2 * segment, 2));
  }

  setSelector(segment: number, selector: number): void {
    this.state.storeCpu(cpuState.selectors + 2 * segment, 2, BigInt(selector));
  }

  /** The effective address of a memory operand with its segment's base. */
  address(operand: MemoryOperand): bigint {
    const { base, index, scale, displacement, addressWidth, segmentBase } = operand;
    const sum =
      (base === undefined ? 0n : this.state.register(base)) +
      (index === undefined ? 0n : this.state.register(index) * BigInt(scale)) +
      displacement;
    const start = segmentBase === undefined ? 0n : this.state.loadCpu(segmentBase, this.mode / 8);
    return this.linear(BigInt.asUintN(addressWidth, sum) + start);
  }

  linear(address: bigint): bigint {
    return BigInt.asUintN(this.mode, address);
  }

  load(address: bigint, bytes: number): bigint {
    return this.state.load(this.linear(address), bytes, false);
  }

  store(address: bigint, bytes: number, value: bigint): void {
    this.state.store(this.linear(address), bytes, BigInt.asUintN(bytes * 8, value));
  }

  /** The low 16 bits of a register, or two bytes of memory. */
  readSelector(operand: Operand): number {
    if (operand.kind === 'memory') return Number(this.load(this.address(operand), 2));
    if (operand.kind !== 'register') throw new TypeError(`a selector in ${operand.kind}`);
    return Number(BigInt.asUintN(16, this.state.register(operand.register)));
  }

  /** A selector or status word: 16 bits to memory, the operand's width to a register. */
  writeWord(operand: Operand, value: bigint): void {
    if (operand.kind === 'memory') this.store(this.address(operand), 2, value);
    else this.writeRegister(operand, value);
  }

  /** A 32-bit write clears the upper half, a 16-bit one keeps the rest. */
  writeRegister(operand: Operand, value: bigint): void {
    if (operand.kind !== 'register') throw new TypeError(`${operand.kind} is no register`);
    const { register, width } = operand;
    const written = BigInt.asUintN(width, value);
    const kept = width === 16 ? (this.state.register(register) >> 16n) << 16n : 0n;
    this.state.setRegister(register, kept | written);
  }

  /** EFLAGS as PUSHF stores it. */
  get flags(): bigint {
    let flags = this.state.loadCpu(cpuState.otherFlags, 4) | 2n;
    flags |= this.state.loadCpu(cpuState.direction, 1) << BigInt(directionBit);
    for (const name of flagNames) if (this.state.flag(name)) flags |= 1n << BigInt(flagBits[name]);
    return flags;
  }

  /** Of `value` the bits of `mask`. */
  changeFlags(value: bigint, mask: bigint): void {
    const flags = (this.flags & ~mask) | (value & mask);
    let others = flags;
    for (const name of flagNames) {
      this.state.setFlag(name, ((flags >> BigInt(flagBits[name])) & 1n) === 1n);
      others &= ~(1n << BigInt(flagBits[name]));
    }
    this.state.storeCpu(cpuState.direction, 1, (flags >> BigInt(directionBit)) & 1n);
    this.state.storeCpu(cpuState.otherFlags, 4, others & ~(1n << BigInt(directionBit)));
  }

  /** I/O privilege level, two bits of EFLAGS. */
  get ioPrivilege(): number {
    return Number((this.flags >> 12n) & 3n);
  }

  fault(vector: number, errorCode: number | undefined): never {
    const { mnemonic, address } = this.instruction;
    throw new CpuException(
      vector,
      `${mnemonic} at 0x${address.toString(16)}: exception ${vector}`,
      errorCode,
    );
  }
}
