/** A TFTP server (RFC 1350, options of RFC 2347 to 2349) that lets read the files of one folder. */
import type { Clock } from '../domain/clock.ts';

export const tftpPort = 69;

/** Where files come from; undefined where there is none of that name. */
export interface TftpFiles {
  read(name: string): Promise<Uint8Array | undefined>;
}

export interface TftpParts {
  readonly clock: Clock;
  readonly files: TftpFiles;
  /** To that client, from a port of our own. */
  send(client: TftpClient, sourcePort: number, data: Uint8Array): void;
}

export interface TftpClient {
  readonly address: number;
  readonly port: number;
}

const OPCODE = { RRQ: 1, WRQ: 2, DATA: 3, ACK: 4, ERROR: 5, OACK: 6 } as const;
const ERROR = { NOT_FOUND: 1, ACCESS: 2, ILLEGAL: 4, UNKNOWN_TRANSFER: 5 } as const;

const firstPort = 50_000;
const mostTransfers = 64;
const mostBlock = 65_464;
const patience = 1_000_000_000n;
const mostTries = 8;

interface Transfer {
  readonly client: TftpClient;
  readonly port: number;
  readonly bytes: Uint8Array;
  readonly blockSize: number;
  /** The block that is on its way, from 1 on; 0 is the answer to options. */
  block: number;
  readonly options: readonly (readonly [string, number])[];
  tries: number;
  forget: () => void;
}

export class TftpServer {
  readonly #parts: TftpParts;
  readonly #transfers = new Map<number, Transfer>();
  #lastPort = firstPort;

  constructor(parts: TftpParts) {
    this.#parts = parts;
  }

  /** A request to port 69. */
  async request(client: TftpClient, data: Uint8Array): Promise<void> {
    const port = this.#port();
    if (port === undefined) return;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const opcode = data.length < 2 ? 0 : view.getUint16(0);
    if (opcode !== OPCODE.RRQ) {
      if (opcode === OPCODE.WRQ) this.#refuse(client, port, ERROR.ACCESS, 'files can only be read');
      return;
    }
    const words = new TextDecoder().decode(data.subarray(2)).split('\0');
    const [name = '', mode = '', ...options] = words;
    if (!/^(octet|netascii)$/i.test(mode)) {
      this.#refuse(client, port, ERROR.ILLEGAL, `no mode ${mode}`);
      return;
    }
    const bytes = await this.#parts.files.read(name);
    if (bytes === undefined) this.#refuse(client, port, ERROR.NOT_FOUND, `${name}: no such file`);
    else this.#begin(client, port, bytes, options);
  }

  /** A datagram to a transfer's port; false where there is none. */
  receive(client: TftpClient, port: number, data: Uint8Array): boolean {
    const transfer = this.#transfers.get(port);
    if (transfer === undefined) return false;
    if (transfer.client.address !== client.address || transfer.client.port !== client.port) {
      this.#refuse(client, port, ERROR.UNKNOWN_TRANSFER, 'not your transfer');
      return true;
    }
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const opcode = data.length < 4 ? 0 : view.getUint16(0);
    if (opcode === OPCODE.ERROR) this.#end(transfer);
    if (opcode === OPCODE.ACK && view.getUint16(2) === (transfer.block & 0xffff))
      this.#goOn(transfer);
    return true;
  }

  close(): void {
    for (const transfer of [...this.#transfers.values()]) this.#end(transfer);
  }

  #port(): number | undefined {
    if (this.#transfers.size >= mostTransfers) return undefined;
    do {
      this.#lastPort = this.#lastPort + 1 < 0x1_0000 ? this.#lastPort + 1 : firstPort;
    } while (this.#transfers.has(this.#lastPort));
    return this.#lastPort;
  }

  #begin(client: TftpClient, port: number, bytes: Uint8Array, words: readonly string[]): void {
    const asked = new Map<string, number>();
    for (let n = 0; n + 1 < words.length; n += 2)
      asked.set((words[n] ?? '').toLowerCase(), Number(words[n + 1]));
    const size = asked.get('blksize');
    const blockSize = size !== undefined && size >= 8 ? Math.min(size, mostBlock) : 512;
    const options: (readonly [string, number])[] = [];
    if (size !== undefined && size >= 8) options.push(['blksize', blockSize]);
    if (asked.has('tsize')) options.push(['tsize', bytes.length]);
    const transfer: Transfer = {
      ...{ client, port, bytes, blockSize, options, tries: 0, forget: () => {} },
      block: options.length > 0 ? 0 : 1,
    };
    this.#transfers.set(port, transfer);
    this.#send(transfer);
  }

  #goOn(transfer: Transfer): void {
    const { block, blockSize, bytes } = transfer;
    // A last block is shorter than the others, and may be empty.
    if (block > 0 && block * blockSize > bytes.length) {
      this.#end(transfer);
      return;
    }
    transfer.block++;
    transfer.tries = 0;
    this.#send(transfer);
  }

  #send(transfer: Transfer): void {
    const { client, port, block } = transfer;
    this.#parts.send(client, port, block === 0 ? optionsMessage(transfer) : dataMessage(transfer));
    transfer.forget();
    transfer.forget = this.#parts.clock.after(patience, () => {
      transfer.tries++;
      if (transfer.tries < mostTries) this.#send(transfer);
      else this.#end(transfer);
    });
  }

  #end(transfer: Transfer): void {
    transfer.forget();
    this.#transfers.delete(transfer.port);
  }

  #refuse(client: TftpClient, port: number, code: number, message: string): void {
    this.#parts.send(client, port, bytesOf(OPCODE.ERROR, [code >> 8, code & 0xff], `${message}\0`));
  }
}

const dataMessage = ({ bytes, block, blockSize }: Transfer): Uint8Array => {
  const part = bytes.subarray((block - 1) * blockSize, block * blockSize);
  const message = new Uint8Array(4 + part.length);
  message.set([0, OPCODE.DATA, (block >> 8) & 0xff, block & 0xff]);
  message.set(part, 4);
  return message;
};

const optionsMessage = ({ options }: Transfer): Uint8Array =>
  bytesOf(OPCODE.OACK, [], options.map(([name, value]) => `${name}\0${value}\0`).join(''));

const bytesOf = (opcode: number, numbers: readonly number[], words: string): Uint8Array =>
  Uint8Array.from([0, opcode, ...numbers, ...new TextEncoder().encode(words)]);
