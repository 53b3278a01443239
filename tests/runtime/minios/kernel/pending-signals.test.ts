/** What waits to be taken: which, how many, and in which order. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allSignals, bits, SIG, SIGRTMIN } from '../../../../runtime/minios/abi/signal.ts';
import {
  mostQueued,
  PendingSignals,
  type SignalInfo,
  siginfoBytes,
} from '../../../../runtime/minios/kernel/pending-signals.ts';
import { errnoOf } from '../../../support/errno-of.ts';

const pending = suite('runtime/minios/kernel/pending-signals');

const sent = (signal: number, value = 0n): SignalInfo => ({
  ...{ signal, code: -1, source: { by: 'call', pid: 1, value } },
});

function taken(signals: PendingSignals, set = allSignals): string[] {
  const all: string[] = [];
  for (let info = signals.take(set); info !== undefined; info = signals.take(set))
    all.push(`${info.signal} ${info.source.by === 'call' ? info.source.value : ''}`);
  return all;
}

pending('one of each is enough, but realtime signals are queued', () => {
  const signals = new PendingSignals();
  const added = [
    ...[sent(SIG.USR1, 1n), sent(SIG.USR1, 2n), sent(SIGRTMIN, 3n), sent(SIGRTMIN, 4n)],
  ].map((info) => signals.add(info));

  assert.equal(added, [true, false, true, true]);
  assert.equal(taken(signals), ['10 1', '34 3', '34 4']);
});

pending('what instructions raise goes first, then the lowest number', () => {
  const signals = new PendingSignals();
  for (const signal of [SIG.USR1, SIG.HUP, SIG.SEGV, SIG.FPE]) signals.add(sent(signal));

  assert.is(signals.set, bits(SIG.HUP, SIG.FPE, SIG.USR1, SIG.SEGV));
  assert.equal(taken(signals, bits(SIG.USR1)), ['10 0']);
  assert.equal(taken(signals), ['8 0', '11 0', '1 0']);
});

pending('a queue has an end, which timers and single signals do not meet', () => {
  const signals = new PendingSignals();
  for (let i = 0; i < mostQueued; i++) signals.add(sent(SIGRTMIN));

  assert.is(
    errnoOf(() => signals.add(sent(SIGRTMIN))),
    'EAGAIN',
  );
  assert.ok(signals.add(sent(SIG.TERM)));
  signals.discard(bits(SIGRTMIN));
  assert.equal(taken(signals), ['15 0']);
});

for (const width of [64, 32] as const)
  pending(`x86-${width}: a timer and a fault are told as Linux tells them`, () => {
    const timer = { by: 'timer', id: 5, overrun: 7, value: 9n } as const;
    const fault = { by: 'fault', address: 0x1234n } as const;
    const words = (source: SignalInfo['source'], code: number): number[] =>
      [...new Int32Array(siginfoBytes({ signal: 11, code, source }, width).buffer)].slice(0, 8);

    const pad = width === 64 ? [0] : [];
    assert.equal(words(timer, -2).slice(0, 6 + pad.length), [11, 0, -2, ...pad, 5, 7, 9]);
    assert.equal(words(fault, 1).slice(0, 4 + pad.length), [11, 0, 1, ...pad, 0x1234]);
  });

pending.run();
