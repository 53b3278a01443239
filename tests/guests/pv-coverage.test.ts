/** Every hypercall, and every operation of those that have some, is asked for by one of the guests of tests/guests/pv. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EVTCHNOP } from '../../runtime/abi/event-channel.ts';
import { GNTTABOP } from '../../runtime/abi/grant-table.ts';
import { XENMEM } from '../../runtime/abi/memory.ts';
import { SCHEDOP } from '../../runtime/abi/sched.ts';
import { VCPUOP } from '../../runtime/abi/vcpu.ts';
import { XENVER } from '../../runtime/abi/version.ts';
import { HYPERCALLS, MMUEXT } from '../../runtime/abi/xen.ts';
import { projectDirectory } from '../support/source-files.ts';

const coverage = suite('guests/pv-coverage');

/** Those of physdev_op, hvm_op and vm_assist are asked by number, all of them. */
const operations = { EVTCHNOP, GNTTABOP, MMUEXT, SCHEDOP, VCPUOP, XENMEM, XENVER } as const;

/** Why none asks: real Xen answers otherwise, by decision (runtime/README.md, two-level events). */
const notAsked: ReadonlySet<string> = new Set(['EVTCHNOP_init_control', 'EVTCHNOP_expand_array']);

function guestSources(): string {
  const directory = join(projectDirectory, 'tests/guests/pv');
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => /\.[chS]$/.test(file))
    .map((file) => readFileSync(join(directory, file), 'utf8'))
    .join('\n');
}

coverage('each operation is named by a guest', () => {
  const sources = guestSources();
  const names = Object.entries(operations).flatMap(([prefix, table]) =>
    Object.keys(table).map((name) => `${prefix}_${name}`),
  );

  const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(sources));

  assert.equal(new Set(missing), notAsked);
});

coverage('each hypercall is named by a guest', () => {
  const sources = guestSources();

  const missing = Object.keys(HYPERCALLS).filter(
    (name) => !new RegExp(`\\b(__HYPERVISOR_)?${name}\\b`).test(sources),
  );

  assert.equal(missing, []);
});

coverage.run();
