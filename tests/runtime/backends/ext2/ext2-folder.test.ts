/** Folders on ext2: random work leaves what it leaves in memory, and what e2fsprogs find whole, also behind crashes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../../../runtime/backends/block/memory-disk.ts';
import { Ext2Folder } from '../../../../runtime/backends/ext2/ext2-folder.ts';
import type { Folder, FolderFile, FolderPath } from '../../../../runtime/backends/folder/folder.ts';
import { MemoryFolder, UserError, XenError } from '../../../../runtime/index.ts';
import { CrashingDisk } from '../../../support/crashing-disk.ts';
import { debugfs, faultsOf, newExt2, repaired } from '../../../support/ext2-disk.ts';
import { isFull } from '../../../support/program.ts';
import { freshSeed, type Random, random } from '../../../support/random.ts';

const ext2 = suite('runtime/backends/ext2/ext2-folder');

const bytesOf = (characters: string): Uint8Array => Buffer.from(characters, 'latin1');

/** What a call gives, or its errno. */
function outcome(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof XenError) return error.errno;
    throw error;
  }
}

function contents(folder: Folder, path: FolderPath): Uint8Array {
  const file = folder.open(path, { writing: false });
  const bytes = new Uint8Array(Number(file.status().size));
  assert.is(file.read(0, bytes), bytes.length);
  file.close();
  return bytes;
}

/** All names below a directory, and what they lead to. */
function tree(folder: Folder, path: FolderPath = []): string[] {
  return folder
    .list(path)
    .map(({ name, mode }) => ({ inner: [...path, name], mode }))
    .sort((a, b) => (a.inner.join('/') < b.inner.join('/') ? -1 : 1))
    .flatMap(({ inner, mode }) => {
      const status = folder.status(inner);
      assert.is(mode, status.mode & 0o170000);
      const line = `${inner.join('/')} ${status.mode.toString(8)} ${status.nlink}`;
      if (mode === 0o040000) return [line, ...tree(folder, inner)];
      if (mode === 0o120000) return [`${line} ${folder.readLink(inner)}`];
      return [`${line} ${status.size} ${hash(contents(folder, inner))}`];
    });
}

const hash = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 7);

interface Pair {
  readonly path: FolderPath;
  readonly files: readonly [FolderFile, FolderFile];
}

/** The same random work in two folders, each answer compared. */
class Worker {
  readonly #r: Random;
  readonly #folders: readonly [Folder, Folder];
  #open: Pair[] = [];

  constructor(r: Random, folders: readonly [Folder, Folder]) {
    this.#r = r;
    this.#folders = folders;
  }

  step(): void {
    const acts = [
      ...[() => this.#write(), () => this.#write(), () => this.#write(), () => this.#length()],
      ...[() => this.#openOne(), () => this.#openOne(), () => this.#close(), () => this.#read()],
      () => this.#both((f, a) => f.makeDirectory(a, 0o755)),
      () => this.#both((f, a) => f.unlink(a)),
      () => this.#both((f, a) => f.removeDirectory(a)),
      () => this.#both((f, a, b) => f.rename(a, b)),
      () => this.#both((f, a, b) => f.link(a, b)),
      () => this.#both((f, a, _, n) => f.makeLink(a, 'x'.repeat(1 + (n % 90)))),
      () => this.#both((f, a, _, n) => f.setPermissions(a, n % 0o1000)),
    ];
    acts[this.#r.below(acts.length)]?.();
  }

  end(): void {
    for (const { files } of this.#open) for (const file of files) file.close();
    this.#open = [];
  }

  #both(act: (folder: Folder, a: FolderPath, b: FolderPath, n: number) => unknown): void {
    const [a, b, n] = [this.#newPath(), this.#newPath(), this.#r.u32()];
    const [one, other] = this.#folders.map((folder) => outcome(() => act(folder, a, b, n)));
    assert.is(other, one, JSON.stringify([a, b]));
  }

  #newPath(): FolderPath {
    const name = (): string => 'abcdefgh'[this.#r.below(8)] ?? '';
    const long = (): string => `${name().repeat(this.#r.below(12) === 0 ? 180 : 3)}`;
    return Array.from({ length: 1 + this.#r.below(3) }, () =>
      this.#r.below(3) === 0 ? long() : name(),
    );
  }

  #openOne(): void {
    if (this.#open.length > 6) return;
    const path = this.#newPath();
    const wish = {
      ...{ writing: true, create: 0o640, exclusive: this.#r.below(4) === 0 },
      truncate: this.#r.below(6) === 0,
    };
    const [first, second] = this.#folders.map((folder) => outcome(() => folder.open(path, wish)));
    if (typeof first === 'string' || typeof second === 'string') {
      assert.is(second, first, path.join('/'));
      return;
    }
    this.#open.push({ path, files: [first as FolderFile, second as FolderFile] });
  }

  #close(): void {
    const pair = this.#open.shift();
    for (const file of pair?.files ?? []) file.close();
  }

  #some(): Pair | undefined {
    return this.#open[this.#r.below(Math.max(1, this.#open.length))];
  }

  #position(): number {
    const ranges = [100, 5000, 70_000, 400_000];
    return this.#r.below(ranges[this.#r.below(4)] ?? 1);
  }

  #write(): void {
    const [at, bytes] = [this.#position(), this.#r.bytes(this.#r.below(9000))];
    const [one, other] = (this.#some()?.files ?? []).map((file) =>
      outcome(() => file.write(at, bytes)),
    );
    assert.is(other, one);
  }

  #length(): void {
    const length = this.#position();
    for (const file of this.#some()?.files ?? []) file.setLength(length);
  }

  #read(): void {
    const [at, length] = [this.#position(), this.#r.below(20_000)];
    const [one, other] = (this.#some()?.files ?? []).map((file) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, file.read(at, bytes));
    });
    if (one && other) assert.ok(Buffer.from(one).equals(other), `read ${length} at ${at}`);
  }
}

const forms = [
  ['-b', '1024'],
  ['-b', '4096'],
  ['-b', '2048', '-O', '^filetype,^dir_index', '-I', '128'],
  ['-b', '1024', '-g', '1024', '-N', '4096'],
];

for (const form of forms)
  ext2(
    `${form.join(' ')}: random work leaves what it leaves in memory, and a whole file system`,
    async () => {
      const bytes = await newExt2(24_000, ...form);
      if (bytes === undefined) return;
      const seed = freshSeed();
      process.stdout.write(`seed ${seed}\n`);
      const disk = new MemoryDisk(bytes);
      const folder = new Ext2Folder(disk);
      const model = new MemoryFolder(() => 1n);
      folder.removeDirectory(['lost+found']);
      const r = random(seed);
      const worker = new Worker(r, [model, folder]);

      for (let step = 0; step < (isFull ? 20_000 : 1500); step++) {
        worker.step();
        if (r.below(100) === 0) await folder.flush([]);
      }
      assert.equal(tree(folder), tree(model), `seed ${seed}`);
      worker.end();
      await folder.unmount();

      assert.is(await faultsOf(bytes), '', `seed ${seed}`);
      const again = new Ext2Folder(new MemoryDisk(bytes, { isReadOnly: true }));
      assert.equal(tree(again), tree(model), `seed ${seed}`);
    },
  );

ext2('what debugfs has written is read, and what is written debugfs reads', async () => {
  const bytes = await newExt2(2000);
  if (bytes === undefined) return;
  const folder = new Ext2Folder(new MemoryDisk(bytes), { now: () => 1_234_567_890_123_456_789n });
  folder.makeDirectory(['d'], 0o750);
  const file = folder.open(['d', 'file'], { writing: true, create: 0o640 });
  file.write(0, bytesOf('written here\n'));
  file.close();
  folder.makeLink(['short'], 'd/file');
  await folder.unmount();

  const said = await debugfs(bytes, 'cat /d/file');
  const stat = await debugfs(bytes, 'stat /d/file');

  assert.is(said.stdout, 'written here\n');
  assert.match(stat.stdout, /Mode: {2}0640/);
  assert.match(stat.stdout, /mtime: 0x499602d2:1d6f3454/);
  assert.is(folder.status(['d', 'file']).mtime, 1_234_567_890_123_456_789n);
  assert.is(folder.readLink(['short']), 'd/file');
});

ext2(
  'a disk that is full takes what there is room for, and takes more when something goes',
  async () => {
    const bytes = await newExt2(400);
    if (bytes === undefined) return;
    const folder = new Ext2Folder(new MemoryDisk(bytes));
    const file = folder.open(['large'], { writing: true, create: 0o600 });

    const written = file.write(0, new Uint8Array(600_000).fill(7));
    const refused = outcome(() => file.write(written, bytesOf('more')));
    assert.is(
      outcome(() => folder.makeDirectory(['d'], 0o700)),
      'ENOSPC',
    );
    file.setLength(1000);
    const [other] = [folder.open(['other'], { writing: true, create: 0o600 })];
    assert.is(other.write(0, new Uint8Array(100_000)), 100_000);
    await folder.unmount();

    assert.ok(written > 200_000 && written < 400_000);
    assert.is(refused, 'ENOSPC');
    assert.is(await faultsOf(bytes), '');
  },
);

ext2('a file that was unlinked lives while it is open, and then gives all back', async () => {
  const bytes = await newExt2(2000);
  if (bytes === undefined) return;
  const folder = new Ext2Folder(new MemoryDisk(bytes));
  const free = folder.space().freeBlocks;
  const file = folder.open(['f'], { writing: true, create: 0o600 });
  file.write(0, new Uint8Array(500_000).fill(1));

  folder.unlink(['f']);
  const into = new Uint8Array(4);
  assert.is(file.read(499_996, into), 4);
  assert.equal([...into], [1, 1, 1, 1]);
  assert.is(file.status().nlink, 0);
  file.close();

  assert.is(folder.space().freeBlocks, free);
  await folder.unmount();
  assert.is(await faultsOf(bytes), '');
});

ext2('what cannot be mounted is refused, with what to do', async () => {
  const bytes = await newExt2(4000, '-t', 'ext4');
  const ext2Bytes = await newExt2(400);
  if (bytes === undefined || ext2Bytes === undefined) return;
  const refusal = (image: Uint8Array): string => {
    try {
      new Ext2Folder(new MemoryDisk(image), { name: 'a.img' });
      return 'mounted';
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  };

  const folder = new Ext2Folder(new MemoryDisk(ext2Bytes));
  folder.makeDirectory(['d'], 0o700);
  await folder.flush([]);

  assert.match(refusal(new Uint8Array(8192)), /^a\.img: no ext2 file system; .*mke2fs/);
  assert.match(refusal(new Uint8Array(512)), /^a\.img: too small/);
  assert.match(refusal(bytes), /^a\.img: not ext2: it uses extent/);
  assert.match(refusal(ext2Bytes), /^a\.img: it was not unmounted, .*e2fsck -f a\.img/);
});

/** Whatever can be asked; where directories are damaged, one may lie in itself. */
function walk(folder: Folder, path: FolderPath = []): void {
  const entries = path.length > 3 ? [] : outcome(() => folder.list(path));
  if (!Array.isArray(entries)) return;
  for (const { name } of entries) {
    const inner = [...path, name];
    outcome(() => folder.status(inner));
    outcome(() => folder.readLink(inner));
    outcome(() => folder.open(inner, { writing: true }).read(5000, new Uint8Array(9000)));
    walk(folder, inner);
  }
}

ext2('damaged images give errors, and nothing else', async () => {
  const bytes = await newExt2(600, '-b', '1024');
  if (bytes === undefined) return;
  const made = new Ext2Folder(new MemoryDisk(bytes));
  for (const name of ['a', 'b', 'c'])
    made.open([name], { writing: true, create: 0o600 }).write(0, new Uint8Array(20_000).fill(5));
  made.makeDirectory(['d'], 0o700);
  await made.unmount();
  const seed = freshSeed();
  const r = random(seed);

  for (let round = 0; round < (isFull ? 3000 : 200); round++) {
    const damaged = bytes.slice();
    for (let n = 0; n < 30; n++)
      damaged[1024 + r.below(r.below(2) === 0 ? 30_000 : 90_000)] = r.below(256);
    const errors = outcome(() => {
      try {
        const folder = new Ext2Folder(new MemoryDisk(damaged));
        for (let n = 0; n < 5; n++) outcome(() => folder.makeDirectory([`n${n}`], 0o700));
        outcome(() => folder.unlink(['a']));
        walk(folder);
        return 'fine';
      } catch (error) {
        if (error instanceof UserError) return 'refused';
        throw error;
      }
    });
    assert.ok(typeof errors === 'string', `seed ${seed}`);
  }
});

ext2('a crash at any moment keeps what was flushed, and e2fsck mends the rest', async () => {
  const bytes = await newExt2(1500, '-b', '1024');
  if (bytes === undefined) return;
  const seed = freshSeed();
  process.stdout.write(`seed ${seed}\n`);
  const r = random(seed);
  const disk = new CrashingDisk(bytes);
  const folder = new Ext2Folder(disk);
  for (let round = 0; round < 40; round++) {
    // Scratch files come and go unflushed, beside those that stay.
    const scratch = folder.open([`scratch${round % 3}`], { writing: true, create: 0o600 });
    scratch.write(r.below(40_000), r.bytes(r.below(30_000)));
    const file = folder.open([`kept${round}`], { writing: true, create: 0o600 });
    file.write(0, new Uint8Array(1 + ((round * 997) % 20_000)).fill(round));
    await file.flush('all');
    disk.mark(String(round));
    if (r.below(2) === 0) folder.unlink([`scratch${round % 3}`]);
    scratch.close();
    file.close();
  }

  const points = Array.from({ length: isFull ? 500 : 12 }, () => r.below(disk.steps.length + 1));
  points.sort((one, other) => one - other);
  for (let first = 0; first < points.length; first += 50) {
    const crashes = points.slice(first, first + 50).map((at) => ({ at, ...disk.crash(at, r) }));
    const mended = await repaired(crashes.map((crash) => crash.bytes));
    for (const [index, { at, marks }] of crashes.entries()) {
      const found = new Ext2Folder(new MemoryDisk(mended[index] ?? new Uint8Array()));
      for (const mark of marks) {
        const held = contents(found, [`kept${mark}`]);
        const right = new Uint8Array(1 + ((Number(mark) * 997) % 20_000)).fill(Number(mark));
        assert.ok(Buffer.from(held).equals(right), `seed ${seed}, step ${at}: kept${mark}`);
      }
    }
  }
});

ext2.run();
