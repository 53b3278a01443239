/** A client of 9P2000.L as simple as there can be: a request in, its answer or its error out. */
import { MessageReader, MessageWriter } from '../../runtime/backends/p9/wire.ts';

/** Answers a whole message. */
export type NinePServer = (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;

export class NinePError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

export class NinePClient {
  readonly #server: NinePServer;
  #tag = 0;

  constructor(server: NinePServer) {
    this.#server = server;
  }

  async ask(type: number, write: (request: MessageWriter) => unknown): Promise<MessageReader> {
    const request = new MessageWriter();
    write(request);
    this.#tag = (this.#tag + 1) & 0x7fff;
    const answer = await this.#server(request.finish(type, this.#tag));
    const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
    if (view.getUint32(0, true) !== answer.length || view.getUint16(5, true) !== this.#tag)
      throw new Error('an answer to something else');
    const reader = new MessageReader(answer);
    if (answer[4] === 7) throw new NinePError(reader.u32());
    if (answer[4] !== type + 1) throw new Error(`request ${type} is answered by ${answer[4]}`);
    return reader;
  }

  /** Version and attach; the root is fid 0. */
  async mount(longest = 8192): Promise<number> {
    const agreed = await this.ask(100, (r) => r.u32(longest).text('9P2000.L'));
    const size = agreed.u32();
    await this.ask(104, (r) => r.u32(0).u32(0xffff_ffff).text('root').text('').u32(0));
    return size;
  }

  async walk(to: number, path: string, from = 0): Promise<number> {
    const names = path.split('/').filter((name) => name !== '');
    const answer = await this.ask(110, (r) => {
      r.u32(from).u32(to).u16(names.length);
      for (const name of names) r.text(name);
    });
    return answer.u16();
  }

  async open(fid: number, flags = 0): Promise<void> {
    await this.ask(12, (r) => r.u32(fid).u32(flags));
  }

  async create(fid: number, name: string, flags: number, mode: number): Promise<void> {
    await this.ask(14, (r) => r.u32(fid).text(name).u32(flags).u32(mode).u32(0));
  }

  async read(fid: number, offset: number, count: number): Promise<Uint8Array> {
    const answer = await this.ask(116, (r) => r.u32(fid).u64(BigInt(offset)).u32(count));
    return answer.bytes(answer.u32());
  }

  async write(fid: number, offset: number, bytes: Uint8Array): Promise<number> {
    const write = (r: MessageWriter): unknown =>
      r.u32(fid).u64(BigInt(offset)).u32(bytes.length).bytes(bytes);
    return (await this.ask(118, write)).u32();
  }

  async clunk(fid: number): Promise<void> {
    await this.ask(120, (r) => r.u32(fid));
  }

  /** Mode and size. */
  async attributes(fid: number): Promise<[number, bigint]> {
    const answer = await this.ask(24, (r) => r.u32(fid).u64(0x7ffn));
    answer.bytes(8 + 13);
    const mode = answer.u32();
    answer.bytes(8 + 16);
    return [mode, answer.u64()];
  }

  /** Names, by as many requests as it takes. */
  async list(fid: number, count: number): Promise<string[]> {
    const names: string[] = [];
    for (let offset = 0n; ; ) {
      const answer = await this.ask(40, (r) => r.u32(fid).u64(offset).u32(count));
      const length = answer.u32();
      if (length === 0) return names;
      for (let left = length; left > 0; ) {
        answer.bytes(13);
        offset = answer.u64();
        answer.u8();
        const name = answer.text();
        names.push(name);
        left -= 13 + 8 + 1 + 2 + name.length;
      }
    }
  }
}
