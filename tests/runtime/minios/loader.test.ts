/** Where an application's parts lie, and what it may do there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ElfImage } from '../../../runtime/elf/image.ts';
import { UserError } from '../../../runtime/errors.ts';
import { GuestMemory } from '../../../runtime/memory/guest-memory.ts';
import { MachineMemory, pageSize } from '../../../runtime/memory/machine-memory.ts';
import { trampolineOf } from '../../../runtime/minios/kernel/host-calls.ts';
import { type LoadedApplication, loadApplication } from '../../../runtime/minios/loader.ts';
import { currentVariable, data, fakeImage, text } from '../../support/application.ts';

const loader = suite('runtime/minios/loader');

const megabyte = 2 ** 20;

function load(image: ElfImage, memory = 32 * megabyte): LoadedApplication & { guest: GuestMemory } {
  const machine = new MachineMemory();
  const loaded = loadApplication(image, machine, { memory, arguments: ['x'], environment: {} });
  return { ...loaded, guest: new GuestMemory(machine, loaded.addressSpace) };
}

const refusal = (image: ElfImage, memory?: number): string => {
  try {
    load(image, memory);
  } catch (error) {
    assert.instance(error, UserError);
    return (error as Error).message;
  }
  throw new Error('it was loaded');
};

loader('the main stack ends a page before the image begins, and below it nothing is mapped', () => {
  const { map, addressSpace } = load(fakeImage(64));

  assert.is(map.mainStack.high, text - BigInt(pageSize));
  assert.is(map.mainStack.high - map.mainStack.low, BigInt(8 * megabyte));
  assert.equal(addressSpace.translate(map.mainStack.low - 1n, 'write'), {
    errorCode: 2,
    address: map.mainStack.low - 1n,
  });
  assert.type(addressSpace.translate(map.mainStack.low, 'write'), 'number');
});

loader(
  'stores to the busiest page of the main stack look once: neither it nor the page above has a flag',
  () => {
    const { map, addressSpace } = load(fakeImage(64));

    for (const page of [map.mainStack.high - BigInt(pageSize), map.mainStack.high])
      assert.type(addressSpace.translate(page, 'write'), 'number');
  },
);

loader('all of it together has the size that was asked for', () => {
  const { map } = load(fakeImage(32), 3 * megabyte);

  assert.is(map.end - map.mainStack.low, BigInt(3 * megabyte));
  assert.is(map.mainStack.high - map.mainStack.low, BigInt((3 * megabyte) / 4));
});

loader('code can be read and run but not written; data can be written but not run', () => {
  const { addressSpace } = load(fakeImage(64));

  assert.type(addressSpace.translate(text, 'execute'), 'number');
  assert.equal(addressSpace.translate(text, 'write'), { errorCode: 3, address: text });
  assert.type(addressSpace.translate(data, 'write'), 'number');
  assert.equal(addressSpace.translate(data, 'execute'), { errorCode: 17, address: data });
});

loader(
  'stacks can be run only where the image asks for it, those of threads on the heap, too',
  () => {
    const stackOf = ({ map }: LoadedApplication): bigint => map.mainStack.high - 16n;
    const plain = load(fakeImage(64));
    const asking = load(fakeImage(64, { executableStack: true }));

    assert.equal(plain.addressSpace.translate(stackOf(plain), 'execute'), {
      errorCode: 17,
      address: stackOf(plain),
    });
    assert.type(asking.addressSpace.translate(stackOf(asking), 'execute'), 'number');
    assert.type(asking.addressSpace.translate(asking.map.heap, 'execute'), 'number');
    assert.equal(asking.addressSpace.translate(data, 'execute'), { errorCode: 17, address: data });
  },
);

loader('a GOT slot holds the trampoline of its import, which is vmcall and ret', () => {
  const slot = { address: data + 0x80n, addend: 0n, weak: false, size: 8 };
  const image = fakeImage(64, {
    imports: [{ name: 'minios_write', kind: 'function', size: 0, weak: false }],
    relocations: [{ ...slot, type: 'R_X86_64_JUMP_SLOT', symbol: 'minios_write' }],
  });

  const { guest, map, addressSpace } = load(image);

  const target = guest.readU64(data + 0x80n);
  assert.is(target, trampolineOf('minios_write', map.trampolines));
  assert.equal([...guest.readBytes(target, 5)], [0x0f, 0x01, 0xc1, 0xc3, 0xcc]);
  assert.type(addressSpace.translate(target, 'execute'), 'number');
  assert.is(addressSpace.translate(target, 'write') instanceof Object, true);
});

loader('exported data is where the copy relocation put it, else in the kernel’s page', () => {
  assert.is(load(fakeImage(64)).data['minios_current'], currentVariable);
  const { data: own, map } = load(fakeImage(64, { relocations: [] }));
  assert.ok((own['minios_current'] ?? 0n) > map.kernelData);
  assert.ok((own['minios_current'] ?? 0n) < map.heap);
});

loader('code in a segment that is both writable and executable may be fetched and written', () => {
  const segments = fakeImage(64).segments.map((segment) => ({ ...segment, writable: true }));

  const { addressSpace } = load(fakeImage(64, { segments }));

  const start = segments[0]?.address ?? 0n;
  assert.type(addressSpace.translate(start, 'execute'), 'number');
  assert.type(addressSpace.translate(start, 'write'), 'number');
});

loader('an import that Mini-OS does not have is named', () => {
  const image = fakeImage(64, {
    imports: [{ name: 'fork', kind: 'function', size: 0, weak: false }],
  });

  assert.is(refusal(image), 'fake.elf: it imports fork, which Mini-OS does not have');
});

loader('an image that does not fit says how much it needs, and that is enough', () => {
  const segments = fakeImage(64).segments.map((segment) =>
    segment.writable ? { ...segment, memorySize: BigInt(40 * megabyte) } : segment,
  );
  const image = fakeImage(64, { segments });

  const message = refusal(image);

  const needed = Number(/it needs (\d+) MiB \(--memory \1M\)$/.exec(message)?.[1]);
  assert.is(needed, 49);
  load(image, needed * megabyte);
});

loader('an image that begins at the bottom of memory has no room for a stack', () => {
  const [first, second] = fakeImage(64).segments;
  const segments = [first, second].flatMap((s) =>
    s === undefined ? [] : [{ ...s, address: s.address - text }],
  );

  assert.match(
    refusal(fakeImage(64, { segments, entry: 0n, relocations: [] })),
    /no room for a stack/,
  );
});

loader('a 32-bit image gets no memory above 4 GiB', () => {
  const message = refusal(fakeImage(32), 4092 * megabyte);

  assert.match(message, /do not fit .* --memory can be at most 4088 MiB/);
});

loader('a copy of the kernel’s data in memory that the image may not write is refused', () => {
  const { segments } = fakeImage(64);
  const readOnly = segments.map((segment) => ({ ...segment, writable: false }));

  assert.is(
    refusal(fakeImage(64, { segments: readOnly })),
    'fake.elf: its copy of minios_current at 0x1001000 lies in memory that it may not write',
  );
});

loader.run();
