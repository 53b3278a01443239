/** What was saved is there again in other frames; a file that says something else ends in one line, and nobody else’s memory is reached. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Signal } from '../../../../runtime/domain/signal.ts';
import { UserError } from '../../../../runtime/errors.ts';
import type { Width } from '../../../../runtime/memory/layout.ts';
import { RAX } from '../../../../runtime/x86/registers.ts';
import { fromSaved } from '../../../../runtime/xen/domain-source.ts';
import { XenMappings } from '../../../../runtime/xen/mmu/xen-mappings.ts';
import { PvDomain } from '../../../../runtime/xen/pv-domain.ts';
import { readSavedDomain } from '../../../../runtime/xen/save/restore-domain.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { freshSeed, random } from '../../../support/random.ts';
import { savableMachine, whole } from '../../../support/saved-domain.ts';
import type { XenMachine } from '../../../support/xen-machine.ts';

const test = suite('runtime/xen/save/restore-domain');

const seed = Number(process.env['STUBDOM_SEED'] ?? freshSeed());
process.stdout.write(`xen/save: SEED=${seed}\n`);

const ports = { xenstore: 1, console: 2 } as const;

function restore({ frames }: XenMachine, bytes: Uint8Array, id: number): PvDomain {
  const source = fromSaved(readSavedDomain(bytes, 'f'), { id, ports });
  return new PvDomain(source, frames, new XenMappings(frames), {
    ...{ id, name: `d${id}`, commandLine: '', clock: new FakeClock(), changed: new Signal() },
    ...{ timestamp: () => 0n, log: () => {} },
  });
}

const save = ({ attacker }: XenMachine): Uint8Array => whole(attacker.pv.save(5n));

for (const width of [64, 32] as const) {
  test(`${width}: registers, pages and page tables are as they were, in frames of another domain`, () => {
    const machine = savableMachine(width);
    const { pv, built } = machine.attacker;
    pv.cpu.setRegister(RAX, 0x1234_5678n);
    pv.context.guest.writeU32(BigInt(350 * 4096 + 8), 0xfeed);

    const restored = restore(machine, save(machine), 7);

    assert.is(restored.cpu.register(RAX), 0x1234_5678n);
    assert.is(restored.cpu.rip, pv.cpu.rip);
    assert.is(restored.context.guest.readU32(BigInt(350 * 4096 + 8)), 0xfeed);
    assert.is(machine.frames.ownerOf(restored.root), 7);
    assert.is.not(restored.root, pv.root);
    assert.is(restored.laid.pages, built.frames.length);
  });

  test(`${width}: a domain that was restored can be saved again, and that is the same`, () => {
    const machine = savableMachine(width);
    const first = save(machine);
    const { records } = readSavedDomain(first, 'f');

    const again = save(machine);

    assert.equal(readSavedDomain(again, 'f').records, records);
  });
}

/** Bytes beyond which there are the pages, most of which say nothing. */
const headPart = 8192;

function spoil(bytes: Uint8Array, below: (n: number) => number): void {
  for (let n = below(6); n >= 0; n--) {
    const region = below(4);
    const at =
      region === 0
        ? below(headPart)
        : region === 1
          ? bytes.length - 1 - below(headPart * 2)
          : below(bytes.length);
    bytes[at] = below(3) === 0 ? 0xff : below(256);
  }
}

function outcome(machine: XenMachine, bytes: Uint8Array, id: number): 'restored' | 'refused' {
  try {
    restore(machine, bytes, id);
    return 'restored';
  } catch (error) {
    if (error instanceof UserError) return 'refused';
    throw error;
  }
}

function fuzz(width: Width, rounds: number): Record<'restored' | 'refused', number> {
  const machine = savableMachine(width);
  const good = save(machine);
  const victims = whole(
    machine.victim.built.frames.map((frame) => {
      const host = machine.frames.hostOf(frame) ?? 0;
      return machine.frames.memory.bytes().slice(host, host + 4096);
    }),
  );
  const { below } = random(seed + width);
  const seen = { restored: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const bytes = good.slice();
    spoil(bytes, below);
    const id = 10 + round;
    seen[outcome(machine, bytes, id)]++;
    machine.frames.giveUpAll(id);
  }
  const after = whole(
    machine.victim.built.frames.map((frame) => {
      const host = machine.frames.hostOf(frame) ?? 0;
      return machine.frames.memory.bytes().slice(host, host + 4096);
    }),
  );
  assert.ok(
    victims.every((byte, i) => after[i] === byte),
    `SEED=${seed}: the victim's memory has changed`,
  );
  return seen;
}

for (const width of [64, 32] as const)
  test(`${width}: a file with wrong bytes in it is refused, or is a domain like another`, () => {
    const seen = fuzz(width, 150);

    assert.ok(seen.refused > 5, `SEED=${seed}: ${JSON.stringify(seen)}`);
    assert.ok(seen.restored > 5, `SEED=${seed}: ${JSON.stringify(seen)}`);
  });

test.run();
