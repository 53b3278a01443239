/** Puts an application image into memory: segments, trampolines, relocations, permissions, the first stack. */
import { type ElfImage, MINIOS_LIBRARY } from '../elf/image.ts';
import { applyRelocations } from '../elf/relocations.ts';
import { segmentAt } from '../elf/segments.ts';
import { UserError } from '../errors.ts';
import { LinearAddressSpace } from '../memory/address-space.ts';
import { type MachineMemory, pageSize, roundToPages } from '../memory/machine-memory.ts';
import { threadSize } from './abi/sched.ts';
import { type ApiData, type ApiRow, api } from './api.ts';
import { initialStack } from './initial-stack.ts';
import { type AddressMap, trampolineCode, trampolineSize } from './kernel/address-map.ts';
import { functionNames, isFunction, trampolineBytes, trampolineOf } from './kernel/host-calls.ts';

export interface ApplicationOptions {
  /** All that the application has, in bytes. */
  readonly memory: number;
  /** argv; the first is the program's own name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface LoadedApplication {
  readonly map: AddressMap;
  readonly addressSpace: LinearAddressSpace;
  readonly stackPointer: bigint;
  /** Where the data of the API is, by name: in the image where a copy relocation moved it. */
  readonly data: Readonly<Record<string, bigint>>;
  /** struct thread of the main thread, and its name. */
  readonly mainThread: bigint;
  readonly mainThreadName: bigint;
}

const page = BigInt(pageSize);
const down = (address: bigint): bigint => address & ~(page - 1n);
const up = (address: bigint): bigint => down(address + page - 1n);

const mostStack = 8 * 2 ** 20;
const leastStack = 64 * 1024;
/** A heap of one C library buffer or two. */
const leastHeap = 64 * 1024;
/** Unmapped, so that a NULL pointer faults with any offset that a struct would give it. */
const nullRegion = 0x1_0000n;
const mainName = 'main';

export function loadApplication(
  image: ElfImage,
  memory: MachineMemory,
  options: ApplicationOptions,
): LoadedApplication {
  if (image.kind !== 'application')
    throw new UserError(
      `${image.name}: a Xen domain image; only applications that need ${MINIOS_LIBRARY} can be run yet`,
    );
  const map = mapAddresses(image, options.memory);
  const lo = map.mainStack.low;
  const length = map.end - lo;
  const stack = initialStack(
    image.width,
    map.mainStack.high,
    options.arguments,
    options.environment,
  );
  checkStack(image, stack.bytes.length, map);
  const mainThread = map.kernelData;
  const mainThreadName = mainThread + BigInt(Math.ceil(threadSize[image.width] / 16) * 16);
  const data = dataAddresses(image, mainThreadName + 16n);
  checkImports(image, data);

  const host = memory.allocate(Number(length));
  const addressSpace = new LinearAddressSpace(memory, { lo, length, host });
  const place = (address: bigint): number => host + Number(address - lo);
  for (const { address, bytes } of image.segments) memory.bytes().set(bytes, place(address));
  writeTrampolines(memory, place(map.trampolines));
  memory.bytes().set(new TextEncoder().encode(`${mainName}\0`), place(mainThreadName));
  memory.bytes().set(stack.bytes, place(stack.stackPointer));
  relocate(image, memory, place, map, data);
  setPermissions(image, addressSpace, map);
  const { stackPointer } = stack;
  return { map, addressSpace, stackPointer, data, mainThread, mainThreadName };
}

function mapAddresses(image: ElfImage, memory: number): AddressMap {
  const first = image.segments[0];
  const last = image.segments.at(-1);
  if (first === undefined || last === undefined)
    throw new UserError(`${image.name}: it has no segments`);
  const base = down(first.address);
  const trampolines = up(last.address + last.memorySize);
  const kernelData = trampolines + BigInt(roundToPages(trampolineBytes));
  const heap = kernelData + BigInt(roundToPages(threadSize[image.width] + pageSize));

  const fixed = Number(heap - base) + leastHeap;
  const room = base - nullRegion;
  const stack = stackSize(memory, room);
  if (stack === undefined || fixed + stack > memory)
    throw new UserError(tooSmall(image, memory, fixed, room));
  const low = base - BigInt(stack);
  const end = low + BigInt(memory);
  if (image.width === 32 && end > 1n << 32n)
    throw new UserError(
      `${image.name}: ${size(memory)} of memory do not fit above ${hex(low)} in 32-bit addresses; --memory can be at most ${size(Number((1n << 32n) - low))}`,
    );
  const mainStack = { low, high: base };
  return { width: image.width, mainStack, trampolines, kernelData, heap, end };
}

/** A quarter of the memory at most; undefined where the image leaves no room below itself. */
function stackSize(memory: number, room: bigint): number | undefined {
  const wanted = Math.max(Math.min(mostStack, memory / 4), leastStack);
  const pages = Math.floor(wanted / pageSize) * pageSize;
  if (BigInt(pages) <= room) return pages;
  return room >= BigInt(leastStack) ? Number(down(room)) : undefined;
}

function tooSmall(image: ElfImage, memory: number, fixed: number, room: bigint): string {
  if (room < BigInt(leastStack))
    return `${image.name}: it begins at ${hex(room + nullRegion)}, which leaves no room for a stack below it; link it higher`;
  const megabyte = 2 ** 20;
  let needed = megabyte;
  while (fixed + (stackSize(needed, room) ?? 0) > needed) needed += megabyte;
  return `${image.name}: it does not fit into ${size(memory)} of memory; it needs ${size(needed)} (--memory ${needed / megabyte}M)`;
}

function checkStack(image: ElfImage, length: number, { mainStack }: AddressMap): void {
  const most = Number(mainStack.high - mainStack.low) / 2;
  if (length > most)
    throw new UserError(
      `${image.name}: its arguments and environment take ${length} bytes; its stack has room for ${most}`,
    );
}

/** Data of the API lies one after the other from `start`, but for what the image has a copy of. */
function dataAddresses(image: ElfImage, start: bigint): Record<string, bigint> {
  const copies = new Map(
    image.relocations.flatMap(({ type, symbol, address }) =>
      type.endsWith('_COPY') && symbol !== undefined ? [[symbol, address] as const] : [],
    ),
  );
  const addresses: Record<string, bigint> = {};
  let next = start;
  for (const [name, row] of dataRows()) {
    const bytes = row.size[image.width];
    const copy = copies.get(name);
    if (copy !== undefined) checkCopy(image, name, copy, bytes);
    addresses[name] = copy ?? next;
    next += BigInt(Math.ceil(bytes / 16) * 16);
  }
  return addresses;
}

/** The kernel writes it, and follows the image's own permissions there. */
function checkCopy(image: ElfImage, name: string, at: bigint, bytes: number): void {
  const segment = segmentAt(image.segments, at);
  const end = segment === undefined ? at : segment.address + segment.memorySize;
  if (segment?.writable !== true || at + BigInt(bytes) > end)
    throw new UserError(
      `${image.name}: its copy of ${name} at ${hex(at)} lies in memory that it may not write`,
    );
}

const dataRows = (): (readonly [string, ApiData])[] =>
  Object.entries<ApiRow>(api).flatMap(([name, row]) =>
    isFunction(row) ? [] : [[name, row] as const],
  );

/** A missing import is an error even where nothing refers to it yet; a weak one may be missing. */
function checkImports(image: ElfImage, data: Readonly<Record<string, bigint>>): void {
  for (const { name, kind, weak } of image.imports) {
    const isKnown = kind === 'data' ? name in data : functionNames.includes(name) || name in data;
    if (!isKnown && !weak)
      throw new UserError(`${image.name}: it imports ${name}, which Mini-OS does not have`);
  }
}

function writeTrampolines(memory: MachineMemory, host: number): void {
  const int3 = 0xcc;
  const bytes = memory.bytes();
  bytes.fill(int3, host, host + roundToPages(trampolineBytes));
  for (let at = host; at < host + trampolineBytes; at += trampolineSize)
    bytes.set(trampolineCode, at);
}

function relocate(
  image: ElfImage,
  memory: MachineMemory,
  place: (address: bigint) => number,
  map: AddressMap,
  data: Readonly<Record<string, bigint>>,
): void {
  applyRelocations(
    image,
    (name) => {
      const address = data[name] ?? trampolineOf(name, map.trampolines);
      return address === undefined ? undefined : { address };
    },
    (address, bytes, value) => {
      const view = memory.view();
      if (bytes === 8) view.setBigUint64(place(address), value, true);
      else view.setUint32(place(address), Number(value), true);
    },
    // The data of the API is all zero until the kernel writes it, and so is the image's copy.
    () => {},
  );
}

/** Gaps between segments stay readable and hold zeros. */
function setPermissions(image: ElfImage, space: LinearAddressSpace, map: AddressMap): void {
  const base = map.mainStack.high;
  space.protect(base, map.kernelData - base, false);
  for (const { address, memorySize, writable } of image.segments)
    if (writable) space.protect(address, memorySize, true);
  for (const { address, memorySize, executable } of image.segments)
    if (executable) space.allowExecution(address, memorySize);
  space.allowExecution(map.trampolines, trampolineBytes);
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const size = (bytes: number): string =>
  bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20} MiB` : `${bytes} bytes`;
