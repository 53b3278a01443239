/**
 * A kept translation as a file of its own: the image's module, and behind it one custom section with all else, so that the
 * file is a valid WebAssembly module (core specification, 5.5.2 and 5.5.3). The section is a SHA-256 of the rest of the file,
 * the recompiler's stamp, the translation's key, the place of the module in the encoding, and the encoding without it.
 */
import { UserError } from '../../errors.ts';
import { ByteWriter } from '../emit/byte-writer.ts';
import { mainModuleOf } from './kept-translation.ts';

export interface TranslationFile {
  /** Of the recompiler that made it. */
  readonly stamp: string;
  readonly key: string;
  /** As kept-translation.ts encodes it. */
  readonly encoded: Uint8Array;
}

const sectionName = 'stubdom';
const customSection = 0;
const hashLength = 32;
/** Magic and version. */
const preamble = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

export async function packTranslation(file: TranslationFile): Promise<Uint8Array<ArrayBuffer>> {
  const place = mainModuleOf(file.encoded);
  if (place === undefined) throw new UserError('the image has no code to translate');
  const module = file.encoded.subarray(place.from, place.to);
  const rest = new ByteWriter();
  rest.text(file.stamp);
  rest.text(file.key);
  rest.unsigned(place.from);
  rest.bytes(file.encoded.subarray(0, place.from));
  rest.bytes(file.encoded.subarray(place.to));
  const content = rest.finished();
  const section = new ByteWriter();
  section.text(sectionName);
  section.bytes(await hashOf(module, content));
  section.bytes(content);
  const tail = new ByteWriter();
  tail.byte(customSection);
  tail.sized(section.finished());
  return joined(module, tail.finished());
}

/** A UserError says why a file is none. */
export async function unpackTranslation(bytes: Uint8Array): Promise<TranslationFile> {
  const { module, section } = split(bytes);
  const hash = section.take(hashLength);
  const content = section.rest();
  const found = await hashOf(module, content);
  if (found.some((byte, i) => byte !== hash[i])) throw new UserError('damaged');
  const reader = new Reader(content);
  const stamp = reader.text();
  const key = reader.text();
  const from = reader.unsigned();
  const head = reader.take(from);
  return { stamp, key, encoded: joined(head, module, reader.rest()) };
}

/** The module, and the content of the last section, behind its name. */
function split(bytes: Uint8Array): { module: Uint8Array; section: Reader } {
  if (preamble.some((byte, i) => bytes[i] !== byte))
    throw new UserError('not a WebAssembly module');
  const reader = new Reader(bytes, preamble.length);
  while (!reader.isDone) {
    const start = reader.at;
    const isCustom = reader.byte() === customSection;
    const section = new Reader(reader.take(reader.unsigned()));
    if (isCustom && reader.isDone && section.text() === sectionName)
      return { module: bytes.subarray(0, start), section };
  }
  throw new UserError('not a translation that stubdom recompile wrote');
}

class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new UserError('damaged or cut off');
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  /** LEB128 of up to 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let place = 0; place < 5; place++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * place);
      if (byte < 0x80) return value;
    }
    throw new UserError('damaged or cut off');
  }

  text(): string {
    return new TextDecoder().decode(this.take(this.unsigned()));
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const hashOf = async (...parts: readonly Uint8Array[]): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', joined(...parts)));
