/**
 * A saved domain's records (docs/specs/libxc-migration-stream, version 3): each has a type and a length, and is padded to 8
 * bytes. Around them are libxl's records (docs/specs/libxl-migration-stream, version 2) and the header of xl's files, so that a
 * domain that was saved here is one to xl, and the other way round.
 */
import { UserError } from '../../errors.ts';

/** Of libxc's stream. */
export const recordTypes = {
  END: 0,
  PAGE_DATA: 1,
  X86_PV_INFO: 2,
  X86_PV_P2M_FRAMES: 3,
  X86_PV_VCPU_BASIC: 4,
  X86_PV_VCPU_EXTENDED: 5,
  X86_PV_VCPU_XSAVE: 6,
  SHARED_INFO: 7,
  X86_TSC_INFO: 8,
  VERIFY: 13,
  CHECKPOINT: 14,
  X86_PV_VCPU_MSRS: 12,
  STATIC_DATA_END: 16,
  X86_CPUID_POLICY: 17,
  X86_MSR_POLICY: 18,
} as const;

const libxlTypes = { END: 0, LIBXC_CONTEXT: 1 } as const;
/** Records that may be passed over have this bit in their type. */
const optional = 0x8000_0000;

const text = new TextEncoder();
const fileMagic = text.encode('Xen saved domain, xl format\n \0 \r');
/** With the length of what follows, and of the configuration in it. */
const fileHeaderBytes = fileMagic.length + 20;
const byteOrder = 0x0102_0304;
/** The configuration is JSON, and libxl's stream is of version 2. */
const mandatoryFlags = 3;
const libxlMagic = text.encode('LibxlFmt');
const [libxlVersion, xenMarker, libxcVersion] = [2, 0x5845_4e46, 3];
const headerBytes = { libxl: 16, libxc: 40 } as const;
const pvDomain = 1;
const pageShift = 12;
/** The Xen that this is taken for. */
const xenVersion = { major: 4, minor: 17 } as const;

export interface SavedRecord {
  readonly type: number;
  readonly body: Uint8Array;
}

export const isSavedDomain = (bytes: Uint8Array): boolean =>
  fileMagic.every((byte, i) => bytes[i] === byte);

/** What stands before the first record of libxc's; `configuration` is libxl's, as JSON. */
export function* openingOf(configuration: string): Generator<Uint8Array> {
  const json = text.encode(`${configuration}\0`);
  const file = new Uint8Array(fileHeaderBytes);
  file.set(fileMagic);
  words(file, fileMagic.length, [byteOrder, mandatoryFlags, 0, 4 + json.length, json.length]);
  const libxl = new Uint8Array(headerBytes.libxl);
  libxl.set(libxlMagic);
  const view = new DataView(libxl.buffer);
  view.setUint32(8, libxlVersion);
  const libxc = new Uint8Array(headerBytes.libxc);
  const header = new DataView(libxc.buffer);
  header.setBigUint64(0, 0xffff_ffff_ffff_ffffn);
  header.setUint32(8, xenMarker);
  header.setUint32(12, libxcVersion);
  words(libxc, 24, [pvDomain, pageShift, xenVersion.major, xenVersion.minor]);
  yield* [file, json, libxl, recordOf({ type: libxlTypes.LIBXC_CONTEXT, body: none }), libxc];
}

export const closing = (): Uint8Array => recordOf({ type: libxlTypes.END, body: none });
const none = new Uint8Array();

export function recordOf({ type, body }: SavedRecord): Uint8Array {
  const bytes = new Uint8Array(8 + Math.ceil(body.length / 8) * 8);
  words(bytes, 0, [type, body.length]);
  bytes.set(body, 8);
  return bytes;
}

function words(bytes: Uint8Array, at: number, values: readonly number[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  values.forEach((value, i) => {
    view.setUint32(at + 4 * i, value, true);
  });
}

export interface SavedFile {
  /** libxl's JSON, where the file has some. */
  readonly configuration: string;
  readonly records: readonly SavedRecord[];
}

/** Everything is checked to lie within the file; whatever the file says that is not known here is refused. */
export function readSaved(bytes: Uint8Array, name: string): SavedFile {
  const reader = new Reader(bytes, name);
  const configuration = readFileHeader(reader);
  if (!same(reader.take(8), libxlMagic)) reader.refuse('no stream of libxl’s in it');
  const version = reader.bigEndian();
  const isLittle = reader.bigEndian() === 0;
  if (version !== libxlVersion || !isLittle)
    reader.refuse(`a stream of version ${version}, not ${libxlVersion}`);
  const { type } = reader.record();
  if (type !== libxlTypes.LIBXC_CONTEXT) reader.refuse(`it begins with record ${type}`);
  readDomainHeader(reader);
  const records: SavedRecord[] = [];
  for (let record = reader.record(); record.type !== recordTypes.END; record = reader.record())
    if (record.type < optional) records.push(record);
  return { configuration, records };
}

function readFileHeader(reader: Reader): string {
  if (!same(reader.take(fileMagic.length), fileMagic)) reader.refuse('no saved domain');
  const order = reader.word();
  const flags = reader.word();
  reader.word();
  if (order !== byteOrder || flags !== mandatoryFlags)
    reader.refuse(`saved otherwise than by this Xen's tools (flags 0x${flags.toString(16)})`);
  const rest = new Reader(reader.take(reader.word()), reader.name);
  return new TextDecoder().decode(rest.take(rest.word())).replace(/\0.*$/s, '');
}

function readDomainHeader(reader: Reader): void {
  reader.take(8);
  const marker = reader.bigEndian();
  const version = reader.bigEndian();
  if (marker !== xenMarker || version < 2 || version > libxcVersion)
    reader.refuse(`a stream of version ${version}, not ${libxcVersion}`);
  reader.take(8);
  const type = reader.word();
  const shift = reader.word() & 0xffff;
  reader.take(8);
  if (type !== pvDomain || shift !== pageShift) reader.refuse('no PV domain of x86');
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly name: string;
  #at = 0;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.name = name;
  }

  refuse(what: string): never {
    throw new UserError(`${this.name}: ${what}`);
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) this.refuse('it ends too early');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  word(): number {
    this.take(4);
    return this.#view.getUint32(this.#at - 4, true);
  }

  bigEndian(): number {
    this.take(4);
    return this.#view.getUint32(this.#at - 4);
  }

  record(): SavedRecord {
    const [type, length] = [this.word(), this.word()];
    const body = this.take(length);
    this.take(-length & 7);
    return { type, body };
  }
}
