/** `stubdom inspect`: what an image is, what it asks of Mini-OS or Xen, and whether that can be had. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type ElfImage,
  type ImportedSymbol,
  parseImage,
  type Segment,
  type XenNote,
} from '../../../runtime/elf/image.ts';
import { hex, printable } from '../../../runtime/elf/image-file.ts';
import { UserError } from '../../../runtime/errors.ts';
import { api } from '../../../runtime/minios/api.ts';
import { type Command, usageError } from '../command.ts';

export const inspect: Command = {
  name: 'inspect',
  summary: 'Say what an image is and what it needs.',
  usage: 'inspect [--json] IMAGE',
  options: {
    json: { type: 'boolean', help: 'the same as JSON' },
  },

  async run(terminal, [path, ...others], options) {
    if (path === undefined)
      throw usageError('no IMAGE given; try: inspect examples/hello-c/hello-64.elf');
    if (others.length > 0)
      throw usageError(`inspect takes one IMAGE; ${others.join(' ')} is too much`);
    const description = describe(await readImage(path));
    terminal.stdout.write(
      options.flag('json') ? `${JSON.stringify(description, null, 2)}\n` : render(description),
    );
    return 0;
  },
};

/** What is known of an image; addresses in hexadecimal, since they may not fit a JSON number. */
export interface Description {
  readonly name: string;
  readonly kind: ElfImage['kind'];
  readonly width: ElfImage['width'];
  readonly entry: { readonly address: string; readonly symbol: string | null };
  readonly code: { readonly bytes: number; readonly functions: number };
  readonly segments: readonly {
    readonly address: string;
    readonly memorySize: number;
    readonly fileSize: number;
    readonly permissions: string;
  }[];
  readonly needed: readonly string[];
  readonly imports: readonly (ImportedSymbol & { readonly implemented: boolean })[];
  readonly notes: readonly { readonly name: string; readonly value: string }[];
}

export function describe(image: ElfImage): Description {
  const { name, kind, width, entry, segments, needed, imports, notes, symbols } = image;
  const symbol = symbols.find(entry);
  return {
    name,
    kind,
    width,
    entry: {
      address: hex(entry),
      symbol: symbol === undefined ? null : withOffset(symbol),
    },
    code: {
      bytes: segments.reduce((sum, each) => sum + (each.executable ? each.bytes.byteLength : 0), 0),
      functions: symbols.functions().length,
    },
    segments: segments.map((segment) => ({
      address: hex(segment.address),
      memorySize: Number(segment.memorySize),
      fileSize: segment.bytes.byteLength,
      permissions: permissions(segment),
    })),
    needed,
    imports: imports.map((each) => ({ ...each, implemented: Object.hasOwn(api, each.name) })),
    notes: notes.map((note) => ({ name: note.name, value: noteText(note.value) })),
  };
}

export function render(description: Description): string {
  const { name, kind, width, entry, code, segments, needed, imports, notes } = description;
  const what = kind === 'application' ? 'Mini-OS application' : 'Xen domain';
  const missing = imports.filter((each) => !each.implemented && !each.weak).length;
  const blocks = [
    [`${printable(name)}: ${what}, ${width === 64 ? 'x86-64' : 'x86-32'}`],
    columns([
      ['entry', `${entry.address}${entry.symbol === null ? '' : ` ${printable(entry.symbol)}`}`],
      ['code', `${code.bytes} bytes, ${code.functions} functions known by symbol`],
      ...needed.map((library) => ['needs', printable(library)]),
    ]),
    columns([
      ['segment', 'memory', 'file', 'access'],
      ...segments.map((each) => [
        each.address,
        `${each.memorySize}`,
        `${each.fileSize}`,
        each.permissions,
      ]),
    ]),
    columns(notes.map((note) => ['note', printable(note.name), printable(note.value)])),
    columns(imports.map(importRow)),
    missing === 0 ? [] : [`${missing} of ${imports.length} imports are missing: it cannot run`],
  ];
  const text = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

const importRow = ({ name, kind, size, implemented, weak }: Description['imports'][number]) => [
  'import',
  printable(name),
  kind === 'data' ? `data, ${size} bytes` : kind,
  implemented ? 'implemented' : weak ? 'missing, weak' : 'missing',
];

async function readImage(path: string): Promise<ElfImage> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(`${path}: cannot be read (${cause.code})`, { status: 1, cause });
  });
  try {
    return await parseImage(bytes, basename(path));
  } catch (cause) {
    if (cause instanceof UserError) throw new UserError(cause.message, { status: 1, cause });
    throw cause;
  }
}

const withOffset = ({ name, offset }: { name: string; offset: bigint }): string =>
  offset === 0n ? name : `${name}+${hex(offset)}`;

const permissions = ({ readable, writable, executable }: Segment): string =>
  `${readable ? 'r' : '-'}${writable ? 'w' : '-'}${executable ? 'x' : '-'}`;

function noteText(value: XenNote['value']): string {
  if (typeof value === 'string') return value;
  return typeof value === 'bigint' ? hex(value) : value.map((each) => hex(each)).join(' ');
}

/** Rows of words, each column as wide as its widest word. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, column) => Math.max(most[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
