/** The calls of the API by trampoline: prototypes parsed once, arguments read, results and errnos written. */
import type { SymbolTable } from '../../elf/symbols.ts';
import { XenError } from '../../errors.ts';
import { type ApiFunction, type ApiRow, api } from '../api.ts';
import { errnoOf } from '../errno.ts';
import {
  type Argument,
  type ArgumentReader,
  argumentReader,
  parsePrototype,
  type ResultWriter,
  resultWriter,
} from '../marshal.ts';
import { trampolineSize } from './address-map.ts';
import type { Kernel } from './kernel.ts';
import type { Park } from './park.ts';

export interface HostCall {
  readonly name: string;
  readonly run: ApiFunction['run'];
  readonly read: ArgumentReader;
  readonly write: ResultWriter;
  /** A row whose errors the guest gets as a negative errno; errors of others stop it. */
  readonly answersErrno: boolean;
}

export const isFunction = (row: ApiRow): row is ApiFunction => 'prototype' in row;

/** In the table's order: call i is trampoline i. */
export const functionNames: readonly string[] = Object.entries<ApiRow>(api).flatMap(
  ([name, row]) => (isFunction(row) ? [name] : []),
);

export const trampolineBytes = functionNames.length * trampolineSize;

/** Where a function of the API is called, or undefined where there is none of that name. */
export function trampolineOf(name: string, trampolines: bigint): bigint | undefined {
  const index = functionNames.indexOf(name);
  return index < 0 ? undefined : trampolines + BigInt(index * trampolineSize);
}

/** The image's symbols, and the functions of the API where they are called. */
export function withTrampolines(symbols: SymbolTable, trampolines: bigint): SymbolTable {
  const find: SymbolTable['find'] = (address) => {
    const offset = Number(address - trampolines);
    const name = functionNames[Math.floor(offset / trampolineSize)];
    if (name === undefined) return symbols.find(address);
    return { name, offset: BigInt(offset % trampolineSize) };
  };
  return { ...symbols, find };
}

export function hostCalls(width: 64 | 32): HostCall[] {
  return Object.entries<ApiRow>(api).flatMap(([name, row]) => {
    if (!isFunction(row)) return [];
    const prototype = parsePrototype(row.prototype);
    return {
      name,
      run: row.run,
      read: argumentReader(prototype, width),
      write: resultWriter(prototype, width),
      answersErrno: row.answersErrno,
    };
  });
}

/** As a trace and a report show it. */
export const callText = ({ name }: HostCall, values: readonly Argument[]): string =>
  `${name}(${values.map(shown).join(', ')})`;

const shown = (value: Argument): string =>
  typeof value === 'bigint' && (value > 0xffffn || value < -0xffffn)
    ? `0x${value.toString(16)}`
    : String(value);

/** Runs the call; what it throws at the guest becomes its result. */
export function answer(
  call: HostCall,
  compute: () => Argument | undefined | Park<Argument | undefined>,
): Argument | undefined | Park<Argument | undefined> {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof XenError) || !call.answersErrno) throw error;
    return -errnoOf(error);
  }
}

/** The call by the API's row. */
export const start = (
  call: HostCall,
  kernel: Kernel,
  values: readonly Argument[],
): ReturnType<typeof answer> => answer(call, () => call.run(kernel, ...values));
