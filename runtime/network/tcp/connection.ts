/**
 * One TCP connection (RFC 9293) with a guest on one side and a stream of the host's on the other. The link between us and the
 * guest is a cable: nothing is reordered on it and hardly anything lost, so what comes out of order is asked for again, and
 * there is no congestion control; loss is found by time alone.
 */
import type { Clock } from '../../domain/clock.ts';
import type { HostStream, StreamEvents } from '../host-sockets.ts';
import { advance, distance, kindOf, type Segment, TCP_FLAG } from './segment.ts';
import { SendQueue } from './send-queue.ts';

const { FIN, SYN, RST, PSH, ACK } = TCP_FLAG;

/** What the host has not taken yet of what the guest sent; beyond it the window is closed. */
const receiveRoom = 512 * 1024;
const ownScale = 4;
/** Of the host's data, what waits here before its stream is paused. */
const sendRoom = 1024 * 1024;
/** What one segment carries at most where the link cuts it. */
const mostTogether = 0xf000;
/** RFC 9293, 3.7.1: where a peer names none. */
const defaultMaximumSize = 536;
const ownMaximumSize = 1460;
const firstTimeout = 1_000_000_000n;
const mostTimeouts = 8;

export interface ConnectionParts {
  readonly clock: Clock;
  /** Sends to the guest; ports and addresses are the caller's to fill in. */
  send(segment: Omit<Segment, 'sourcePort' | 'destinationPort'>, maximumSize: number): void;
  /** Nothing more comes of it, or to it. */
  closed(): void;
  readonly initialSequence: number;
}

type State =
  /** The guest has asked; the host has not answered. */
  | 'connecting'
  /** We have sent SYN. */
  | 'asking'
  /** We have sent SYN and ACK. */
  | 'opening'
  | 'open'
  | 'closed';

export class Connection implements StreamEvents {
  readonly #parts: ConnectionParts;
  readonly #queue = new SendQueue();
  #stream: HostStream | undefined;
  #state: State = 'connecting';
  /** The oldest sequence number that is not acknowledged, and the next to be sent. */
  #unacknowledged: number;
  #next: number;
  /** The highest that was ever sent. */
  #highest: number;
  #expected = 0;
  /** The window that the guest has told last, in bytes. */
  #window = 0;
  #scale: number | undefined;
  #maximumSize = defaultMaximumSize;
  /** Bytes that the host has not taken. */
  #held = 0;
  #advertised = 0;
  #owesAck = false;
  #isPaused = false;
  #hostEnded = false;
  #guestEnded = false;
  /** Behind our FIN, once it was sent. */
  #finEnd: number | undefined;
  #timeouts = 0;
  #awaitsTurn = false;
  #forget: (() => void) | undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#unacknowledged = parts.initialSequence;
    this.#next = parts.initialSequence;
    this.#highest = parts.initialSequence;
  }

  /** The guest's SYN has come, for that stream. */
  accept(syn: Segment, stream: HostStream): void {
    this.#stream = stream;
    this.#learn(syn);
  }

  /** Asks the guest, for a stream that is open. */
  open(stream: HostStream): void {
    this.#stream = stream;
    stream.pause();
    this.#isPaused = true;
    this.#state = 'asking';
    this.#sendSyn();
  }

  opened(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'opening';
    this.#sendSyn();
  }

  data(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#queue.add(bytes);
    if (this.#queue.length >= sendRoom && !this.#isPaused) {
      this.#isPaused = true;
      this.#stream?.pause();
    }
    this.#pumpSoon();
  }

  /** What the host has more of comes in the same turn, and fills segments; the first goes at once. */
  #pumpSoon(): void {
    this.#pump(mostTogether);
    const hasRest = distance(this.#next, this.#unacknowledged) < this.#queue.length;
    if (!hasRest || this.#awaitsTurn) return;
    this.#awaitsTurn = true;
    void this.#parts.clock.turn().then(() => {
      this.#awaitsTurn = false;
      if (this.#state !== 'closed') this.#pump();
    });
  }

  ended(): void {
    this.#hostEnded = true;
    this.#pump();
  }

  failed(_errno: string): void {
    if (this.#state === 'closed') return;
    this.reset();
  }

  /** Tells the guest that it is over. */
  reset(): void {
    this.#transmit(RST | ACK, this.#next, none);
    this.#abort();
  }

  /** A segment from the guest. */
  receive(segment: Segment): void {
    if (this.#state === 'closed') return;
    if ((segment.flags & RST) !== 0) {
      if (this.#isExpectedReset(segment)) this.#abort();
      return;
    }
    if ((segment.flags & SYN) !== 0 && !this.#receiveSyn(segment)) return;
    if ((segment.flags & ACK) === 0 || this.#state === 'connecting' || this.#state === 'asking')
      return;
    this.#acknowledge(segment);
    if (this.#state !== 'open') return;
    this.#take(segment);
    this.#pump();
    this.#finishIfDone();
  }

  #learn({ sequence, maximumSize, windowScale, window }: Segment): void {
    this.#expected = advance(sequence, 1);
    this.#maximumSize = Math.min(maximumSize ?? defaultMaximumSize, ownMaximumSize) || 1;
    this.#scale = windowScale;
    // The window of a SYN is never scaled.
    this.#window = window;
  }

  /** Whether it answers what we have asked. */
  #receiveSyn(segment: Segment): boolean {
    // Said again, since our answer is on its way or lost.
    if (this.#state === 'opening') this.#sendSyn();
    const answers =
      this.#state === 'asking' &&
      kindOf(segment.flags) === (SYN | ACK) &&
      segment.acknowledgment === this.#next;
    if (!answers) return false;
    this.#learn(segment);
    this.#state = 'opening';
    this.#ackSoon();
    return true;
  }

  /** RFC 5961: only the very next number resets, so that no stray one does. */
  #isExpectedReset({ sequence, acknowledgment }: Segment): boolean {
    return this.#state === 'asking' ? acknowledgment === this.#next : sequence === this.#expected;
  }

  #acknowledge({ acknowledgment, window, flags }: Segment): void {
    const count = distance(acknowledgment, this.#unacknowledged);
    if (count < 0 || distance(acknowledgment, this.#highest) > 0) {
      this.#ackSoon();
      return;
    }
    if ((flags & SYN) === 0) this.#window = window << (this.#scale ?? 0);
    if (count === 0) return;
    this.#timeouts = 0;
    this.#unacknowledged = acknowledgment;
    if (distance(this.#next, acknowledgment) < 0) this.#next = acknowledgment;
    let data = count;
    if (this.#state === 'opening') {
      data--;
      this.#state = 'open';
    }
    this.#queue.drop(Math.min(data, this.#queue.length));
    if (this.#isPaused && !this.#hostEnded && this.#queue.length < sendRoom / 2) {
      this.#isPaused = false;
      this.#stream?.resume();
    }
    this.#setTimer();
  }

  #take({ sequence, data, flags }: Segment): void {
    const hasFin = (flags & FIN) !== 0;
    if (data.length === 0 && !hasFin) return;
    this.#ackSoon();
    const known = distance(this.#expected, sequence);
    if (known < 0 || this.#guestEnded) return;
    const fresh = data.subarray(known);
    const room = Math.max(0, receiveRoom - this.#held);
    const taken = fresh.length > room ? fresh.subarray(0, room) : fresh;
    if (taken.length > 0) this.#hand(taken);
    if (!hasFin || taken.length < fresh.length || known > data.length) return;
    this.#expected = advance(this.#expected, 1);
    this.#guestEnded = true;
    this.#stream?.end();
  }

  #hand(bytes: Uint8Array): void {
    this.#expected = advance(this.#expected, bytes.length);
    this.#held += bytes.length;
    this.#stream?.write(bytes, () => {
      this.#held -= bytes.length;
      // A guest that was told of little room waits to hear of more.
      if (this.#advertised < receiveRoom / 2 && receiveRoom - this.#held >= receiveRoom / 2)
        this.#ackSoon();
    });
  }

  #sendSyn(): void {
    this.#next = advance(this.#parts.initialSequence, 1);
    this.#highest = this.#next;
    const flags = this.#state === 'asking' ? SYN : SYN | ACK;
    const offersScale = flags === SYN || this.#scale !== undefined;
    this.#parts.send(
      {
        ...{ sequence: this.#parts.initialSequence, acknowledgment: this.#expected, flags },
        ...{ window: 0xffff, maximumSize: ownMaximumSize, data: none },
        windowScale: offersScale ? ownScale : undefined,
      },
      this.#maximumSize,
    );
    this.#setTimer();
  }

  /** Sends what the guest's window has room for; with `least`, behind what is on its way, nothing shorter. */
  #pump(least = 1): void {
    if (this.#state !== 'open') return;
    for (;;) {
      const offset = distance(this.#next, this.#unacknowledged);
      const room = this.#window - offset;
      const bytes = this.#queue.copy(offset, Math.min(room, mostTogether));
      if (bytes.length === 0 || this.#isSilly(offset, bytes.length)) break;
      if (offset > 0 && bytes.length < least) break;
      this.#transmit(ACK | PSH, this.#next, bytes);
      this.#moveNext(bytes.length);
    }
    if (this.#mayEnd()) {
      this.#transmit(FIN | ACK, this.#next, none);
      this.#moveNext(1);
    }
    this.#setTimer();
  }

  /** Less than a segment, and neither the last of what there is nor the only one on its way (RFC 9293, 3.8.6.2.1). */
  #isSilly(offset: number, length: number): boolean {
    return offset > 0 && length < this.#maximumSize && offset + length < this.#queue.length;
  }

  #mayEnd(): boolean {
    const sent = distance(this.#next, this.#unacknowledged);
    return this.#hostEnded && sent === this.#queue.length && !this.#isFinAcknowledged;
  }

  get #isFinAcknowledged(): boolean {
    return this.#unacknowledged === this.#finEnd;
  }

  #moveNext(count: number): void {
    this.#next = advance(this.#next, count);
    if (distance(this.#next, this.#highest) > 0) this.#highest = this.#next;
  }

  #transmit(flags: number, sequence: number, data: Uint8Array): void {
    if ((flags & FIN) !== 0) this.#finEnd = advance(sequence, 1);
    const room = Math.max(0, receiveRoom - this.#held);
    const scale = this.#scale === undefined ? 0 : ownScale;
    const window = Math.min(room >> scale, 0xffff);
    this.#advertised = window << scale;
    this.#owesAck = false;
    this.#parts.send(
      { sequence, acknowledgment: this.#expected, flags, window, data },
      this.#maximumSize,
    );
  }

  /** One acknowledgment for all that comes in a moment. */
  #ackSoon(): void {
    if (this.#owesAck) return;
    this.#owesAck = true;
    queueMicrotask(() => {
      if (this.#owesAck && this.#state !== 'closed') this.#transmit(ACK, this.#next, none);
    });
  }

  #setTimer(): void {
    this.#forget?.();
    this.#forget = undefined;
    const waits = this.#queue.length > 0 || this.#next !== this.#unacknowledged;
    if (!waits || this.#state === 'closed') return;
    const delay = firstTimeout << BigInt(this.#timeouts);
    this.#forget = this.#parts.clock.after(delay, () => this.#timedOut());
  }

  /** Everything from the oldest on is sent again; into a closed window, a byte of it. */
  #timedOut(): void {
    this.#timeouts++;
    if (this.#timeouts > mostTimeouts) {
      this.reset();
      return;
    }
    if (this.#state === 'opening' || this.#state === 'asking') {
      this.#sendSyn();
      return;
    }
    this.#next = this.#unacknowledged;
    if (this.#window === 0 && this.#queue.length > 0) {
      this.#transmit(ACK | PSH, this.#next, this.#queue.copy(0, 1));
      this.#moveNext(1);
      this.#setTimer();
    } else this.#pump();
  }

  #finishIfDone(): void {
    if (!this.#guestEnded || !this.#isFinAcknowledged) return;
    if (this.#owesAck) this.#transmit(ACK, this.#next, none);
    this.#close();
  }

  #abort(): void {
    this.#stream?.destroy();
    this.#close();
  }

  /** What the host has not taken yet it still takes. */
  #close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#forget?.();
    this.#parts.closed();
  }
}

const none = new Uint8Array(0);
