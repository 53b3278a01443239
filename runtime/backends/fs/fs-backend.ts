/** The fsif back-end (xen/io/fsif.h): requests from one front-end's ring to a session, and their answers. */
import { fsif_request_head, fsif_response, fsif_stat_response } from '../../abi/io/fsif.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EventPort } from '../../domain/event-port.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { Trace } from '../../trace.ts';
import type { FileStatus } from '../folder/folder.ts';
import { BackRing } from '../ring.ts';
import { Service } from '../service.ts';
import type { FsSession } from './fs-session.ts';
import { answerTo, type FsAnswer, type FsRequest, readRequest, requestBody } from './operations.ts';

export interface FsBackendParts {
  /** In traces: `vfs1.0`. */
  readonly name: string;
  readonly memory: MachineMemory;
  /** Host offsets of the ring's, mapped for as long as this lives. */
  readonly pages: readonly number[];
  readonly port: EventPort;
  readonly session: FsSession;
  readonly clock: Clock;
  readonly trace?: Trace | undefined;
  /** The front-end counts what cannot be: its ring is not looked at any more. */
  onBroken(reason: string): void;
}

const headLayout = fsif_request_head.layout(64);
/** The same at both widths. */
const responseLayout = fsif_response.layout(64);
const answerAt = responseLayout.offsets.u;
const statSize = fsif_stat_response.size(64);
const second = 1_000_000_000n;

export class FsBackend {
  readonly #parts: FsBackendParts;
  readonly #ring: BackRing;
  readonly #service: Service;
  /** What a front-end writes of references beyond its slot is copied, too, as the original's do. */
  readonly #request = new Uint8Array(headLayout.size + requestBody);
  #underWay = new Set<Promise<void>>();

  constructor(parts: FsBackendParts) {
    const { memory, pages } = parts;
    this.#parts = parts;
    this.#ring = new BackRing({ memory, pages, entrySize: responseLayout.size });
    this.#service = new Service({
      clock: parts.clock,
      step: () => this.#step(),
      finish: () => this.#push(),
      onBroken: parts.onBroken,
    });
    parts.port.listen(() => this.serve());
  }

  serve(): void {
    this.#service.serve();
  }

  /** Takes no more requests; resolves when none is under way. */
  async close(): Promise<void> {
    this.#service.close();
    await Promise.all(this.#underWay);
    this.#parts.session.close();
  }

  #step(): boolean {
    if (!this.#ring.take(this.#request)) return this.#ring.finalCheck();
    const { type, id } = headLayout.at(this.#request, 0);
    const request = readRequest(type, this.#request.slice(headLayout.size));
    const answer = answerTo(this.#parts.session, request);
    if (answer instanceof Promise) this.#answerLater(id, request, answer);
    else this.#answer(id, request, answer);
    return true;
  }

  #answerLater(id: number, request: FsRequest, answer: Promise<FsAnswer>): void {
    const done = answer.then((value) => {
      this.#underWay.delete(done);
      if (!this.#service.isOpen) return;
      this.#answer(id, request, value);
      this.#service.finishSoon();
    });
    this.#underWay.add(done);
  }

  #push(): void {
    if (this.#ring.push()) this.#parts.port.notify();
  }

  #answer(id: number, request: FsRequest, answer: FsAnswer): void {
    const bytes = new Uint8Array(responseLayout.size);
    const response = responseLayout.at(bytes, 0);
    response.id = id;
    if (typeof answer !== 'bigint') bytes.set(statBytes(answer), answerAt);
    else if (request.name === 'STAT') response.u.stat_ret = Number(answer);
    else new DataView(bytes.buffer).setBigUint64(answerAt, BigInt.asUintN(64, answer), true);
    this.#ring.put(bytes);
    this.#trace(id, request, answer);
  }

  #trace(id: number, { name, detail }: FsRequest, answer: FsAnswer): void {
    const { trace, name: device } = this.#parts;
    if (trace === undefined) return;
    const shown = typeof answer === 'bigint' ? `${answer}` : `{size:${answer.size}}`;
    trace({ kind: 'fs', text: `${device}: ${name} {id:${id} ${detail}} = ${shown}` });
  }
}

/** Everything is root's. */
function statBytes({ mode, size, atime, mtime, ctime }: FileStatus): Uint8Array {
  const bytes = new Uint8Array(statSize);
  Object.assign(fsif_stat_response.layout(64).at(bytes, 0), {
    ...{ stat_mode: mode, stat_uid: 0, stat_gid: 0, stat_ret: 0, stat_size: size },
    ...{ stat_atime: atime / second, stat_mtime: mtime / second, stat_ctime: ctime / second },
  });
  return bytes;
}
