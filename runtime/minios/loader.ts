/** Puts an application image into memory: segments, trampolines, relocations, permissions, the first stack. */
import { type ElfImage, MINIOS_LIBRARY } from '../elf/image.ts';
import { applyRelocations } from '../elf/relocations.ts';
import { segmentAt } from '../elf/segments.ts';
import { UserError } from '../errors.ts';
import {
  LinearAddressSpace,
  type LinearRun,
  type ProtectedSpace,
} from '../memory/address-space.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import { type MachineMemory, pageSize, roundToPages } from '../memory/machine-memory.ts';
import type { PageTables } from '../memory/page-tables.ts';
import { type ApiData, type ApiRow, api } from './api.ts';
import { initialStack } from './initial-stack.ts';
import { type AddressMap, trampolineCode, trampolineSize } from './kernel/address-map.ts';
import { functionNames, isFunction, trampolineBytes, trampolineOf } from './kernel/host-calls.ts';
import { threadPlace, writeVariables } from './kernel/thread-memory.ts';

export interface ApplicationOptions {
  /** All that the application has, in bytes. */
  readonly memory: number;
  /** argv; the first is the program's own name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where zeroed frames come from: the host offset of the first; the machine's own, if not given. */
  readonly allocate?: (bytes: number) => number;
  /** How its memory is mapped; one linear run if not given. */
  readonly mapping?: Mapping;
}

/** Memory of an application as its owner wants it. */
export interface Mapping {
  /** Where the heap is to begin; right behind the image if not given. */
  readonly heap?: bigint;
  /** Maps zeroed pages to ranges of addresses, writable. */
  map(memory: MachineMemory, ranges: readonly AddressRange[]): MappedMemory;
}

export interface AddressRange {
  readonly lo: bigint;
  readonly length: bigint;
}

export interface MappedMemory {
  readonly addressSpace: ProtectedSpace;
  /** Where all of it is one. */
  readonly run?: LinearRun;
  readonly pageTables?: PageTables;
}

export interface LoadedApplication extends MappedMemory {
  readonly map: AddressMap;
  readonly stackPointer: bigint;
  /** Where the data of the API is, by name: in the image where a copy relocation moved it. */
  readonly data: Readonly<Record<string, bigint>>;
  /** Of the main thread: its struct thread, what fs or gs begins at, its name. */
  readonly mainThread: { readonly address: bigint; readonly pointer: bigint | undefined };
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
      `${image.name}: a Xen domain image has a kernel of its own; applications need ${MINIOS_LIBRARY}`,
    );
  const { allocate = (bytes) => memory.allocate(bytes), mapping = linear(allocate) } = options;
  const map = mapAddresses(image, options.memory, mapping.heap);
  const stack = initialStack(
    image.width,
    map.mainStack.high,
    options.arguments,
    options.environment,
  );
  checkStack(image, stack.bytes.length, map);
  const place = threadPlace(map.kernelData, image.width, image.threadVariables);
  const mainThreadName = map.kernelData + BigInt(Math.ceil(place.size / 16) * 16);
  const data = dataAddresses(image, mainThreadName + 16n);
  checkImports(image, data);

  const mapped = mapping.map(memory, rangesOf(map));
  const guest = new GuestMemory(memory, mapped.addressSpace);
  for (const { address, bytes } of image.segments) guest.writeBytes(address, bytes);
  writeTrampolines(guest, map.trampolines);
  writeVariables(guest, place, image.width, image.threadVariables);
  guest.writeBytes(mainThreadName, new TextEncoder().encode(`${mainName}\0`));
  guest.writeBytes(stack.stackPointer, stack.bytes);
  relocate(image, guest, map, data);
  setPermissions(image, mapped.addressSpace, map);
  const { stackPointer } = stack;
  const mainThread = { address: place.thread, pointer: place.pointer };
  return { ...mapped, map, stackPointer, data, mainThread, mainThreadName };
}

const linear = (allocate: (bytes: number) => number): Mapping => ({
  map: (memory, ranges) => {
    const lo = ranges[0]?.lo ?? 0n;
    const length = ranges.reduce((sum, range) => sum + range.length, 0n);
    const run = { lo, length, host: allocate(Number(length)) };
    return { addressSpace: new LinearAddressSpace(memory, run), run };
  },
});

/** From the stack to the kernel's data, and from the heap on; they may be adjacent. */
const rangesOf = ({ mainStack, kernelEnd, heap, end }: AddressMap): AddressRange[] => [
  { lo: mainStack.low, length: kernelEnd - mainStack.low },
  { lo: heap, length: end - heap },
];

function mapAddresses(image: ElfImage, memory: number, heapApart: bigint | undefined): AddressMap {
  const first = image.segments[0];
  const last = image.segments.at(-1);
  if (first === undefined || last === undefined)
    throw new UserError(`${image.name}: it has no segments`);
  const base = down(first.address);
  const trampolines = up(last.address + last.memorySize);
  const kernelData = trampolines + BigInt(roundToPages(trampolineBytes));
  const { size: ownSize } = threadPlace(kernelData, image.width, image.threadVariables);
  const kernelEnd = kernelData + BigInt(roundToPages(ownSize + pageSize));

  const fixed = Number(kernelEnd - base) + pageSize + leastHeap;
  const room = base - BigInt(pageSize) - nullRegion;
  const stack = stackSize(memory, room);
  if (stack === undefined || fixed + stack > memory)
    throw new UserError(tooSmall(image, memory, fixed, room));
  // Stores look twice at a page whose neighbour must not be written, so the image is no neighbour of the stack's busiest page.
  const high = base - BigInt(pageSize);
  const low = high - BigInt(stack);
  const heap = heapApart ?? kernelEnd;
  const end = heap + low + BigInt(memory) - kernelEnd;
  if (image.width === 32 && end > 1n << 32n)
    throw new UserError(
      `${image.name}: ${size(memory)} of memory do not fit above ${hex(low)} in 32-bit addresses; --memory can be at most ${size(mostBelow(1n << 32n, low))}`,
    );
  const mainStack = { low, high };
  return { width: image.width, mainStack, trampolines, kernelData, kernelEnd, heap, end };
}

/** Whole megabytes between two addresses. */
const mostBelow = (high: bigint, low: bigint): number =>
  Math.floor(Number(high - low) / megabyte) * megabyte;

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

function writeTrampolines(guest: GuestMemory, trampolines: bigint): void {
  const int3 = 0xcc;
  const bytes = new Uint8Array(roundToPages(trampolineBytes)).fill(int3);
  for (let at = 0; at < trampolineBytes; at += trampolineSize) bytes.set(trampolineCode, at);
  guest.writeBytes(trampolines, bytes);
}

function relocate(
  image: ElfImage,
  guest: GuestMemory,
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
      if (bytes === 8) guest.writeU64(address, value);
      else guest.writeU32(address, Number(value));
    },
    // The data of the API is all zero until the kernel writes it, and so is the image's copy.
    () => {},
  );
}

/** Gaps between segments stay readable and hold zeros. The page between the stack and the image has no flag: that is what it is for. */
function setPermissions(image: ElfImage, space: ProtectedSpace, map: AddressMap): void {
  const base = map.mainStack.high + BigInt(pageSize);
  space.protect(base, map.kernelData - base, false);
  for (const { address, memorySize, writable } of image.segments)
    if (writable) space.protect(address, memorySize, true);
  for (const { address, memorySize, executable } of image.segments)
    if (executable) space.allowExecution(address, memorySize);
  space.allowExecution(map.trampolines, trampolineBytes);
  for (const { address, length } of executableData(image, map))
    space.allowExecution(address, length);
}

/** Where an image that asks for executable stacks may run what it writes: the heap has the stacks of its threads. */
export function executableData(
  image: ElfImage,
  { mainStack, heap, end }: AddressMap,
): { readonly address: bigint; readonly length: number }[] {
  if (!image.executableStack) return [];
  const stretch = (from: bigint, to: bigint) => ({ address: from, length: Number(to - from) });
  return [stretch(mainStack.low, mainStack.high), stretch(heap, end)];
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const megabyte = 2 ** 20;
const size = (bytes: number): string =>
  bytes % megabyte === 0 ? `${bytes / megabyte} MiB` : `${bytes} bytes`;
