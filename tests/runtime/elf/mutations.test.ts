import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ElfImage, parseImage } from '../../../runtime/elf/image.ts';
import { applyRelocations } from '../../../runtime/elf/relocations.ts';
import { UserError } from '../../../runtime/errors.ts';
import {
  domainFlags,
  domainSource,
  openWorkshop,
  withoutSectionHeaders,
} from '../../support/elf-files.ts';
import { mutator } from '../../support/mutate.ts';
import { random } from '../../support/random.ts';

const mutations = suite('runtime/elf/mutations');

const PER_IMAGE = 600;
const SLOWEST_MS = 1000;
const MOST_MEMORY = 256 << 20;

mutations(
  'a damaged image is read or refused in one line, quickly and in little memory',
  async () => {
    const images = goodImages();
    const seed = Number(process.env['SEED'] ?? 1);
    const before = process.memoryUsage.rss();

    const outcomes = { read: 0, refused: 0 };
    for (const { name, bytes } of images) {
      const next = mutator(bytes);
      const source = random(seed);
      for (let index = 0; index < PER_IMAGE; index++) {
        const { what, bytes: damaged } = next(source);
        const started = performance.now();
        const outcome = await attempt(damaged).catch((error: unknown) => {
          throw new Error(`SEED=${seed}: ${name}, mutation ${index} (${what})`, { cause: error });
        });
        outcomes[outcome]++;
        const taken = performance.now() - started;
        assert.ok(taken < SLOWEST_MS, `SEED=${seed}: ${name}, ${index} (${what}): ${taken} ms`);
      }
      const grown = process.memoryUsage.rss() - before;
      assert.ok(grown < MOST_MEMORY, `SEED=${seed}: ${name}: memory grew by ${grown} bytes`);
    }

    assert.ok(outcomes.read > 100, `SEED=${seed}: only ${outcomes.read} images were read`);
    assert.ok(outcomes.refused > 100, `SEED=${seed}: only ${outcomes.refused} images were refused`);
  },
);

mutations('an image cut anywhere is refused', async () => {
  for (const { name, bytes } of goodImages().filter((image) => image.name.startsWith('whole'))) {
    const step = Math.max(1, Math.floor(bytes.length / 300));
    for (let size = 0; size < bytes.length; size += step)
      assert.is(await attempt(bytes.subarray(0, size)), 'refused', `${name} cut to ${size} bytes`);
  }
});

/** All that a loader asks of an image. */
async function attempt(bytes: Uint8Array): Promise<'read' | 'refused'> {
  try {
    use(await parseImage(bytes, 'damaged.elf'));
    return 'read';
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    assert.is(error.status, 125);
    assert.match(error.message, /^damaged\.elf: [^\n]+$/);
    return 'refused';
  }
}

function use(image: ElfImage): void {
  image.symbols.find(image.entry);
  image.symbols.functions();
  const held = (address: bigint, size: number): boolean =>
    image.segments.some(
      (each) => each.address <= address && address + BigInt(size) <= each.address + each.memorySize,
    );
  applyRelocations(
    image,
    (name) => (name.startsWith('minios_') ? { address: 0x1000n } : undefined),
    (address, size) => assert.ok(held(address, size), 'a write outside the image'),
    (address, _, size) => assert.ok(held(address, size), 'a copy outside the image'),
  );
}

function goodImages(): { name: string; bytes: Uint8Array }[] {
  const workshop = openWorkshop();
  try {
    return ([64, 32] as const).flatMap((width) => {
      const whole = workshop.read(workshop.application(`app-${width}`, width));
      const sysv = workshop.application(`sysv-${width}`, width, ['-s', '-Wl,--hash-style=sysv']);
      const domain = (form: keyof typeof domainSource): Uint8Array =>
        workshop.read(workshop.link(`${form}-${width}`, domainSource[form], width, domainFlags));
      return [
        { name: `whole application ${width}`, bytes: whole },
        { name: `stripped application ${width}`, bytes: workshop.read(sysv) },
        { name: `application ${width} without sections`, bytes: withoutSectionHeaders(whole) },
        { name: `whole domain ${width} with a note segment`, bytes: domain('noteSegment') },
        { name: `whole domain ${width} with a note section`, bytes: domain('noteSection') },
        { name: `whole domain ${width} with __xen_guest`, bytes: domain('guestSection') },
      ];
    });
  } finally {
    workshop.remove();
  }
}

mutations.run();
