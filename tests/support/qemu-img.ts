/** qcow2 images as QEMU's own tools make, check and read them. */
import { readFileSync } from 'node:fs';
import { runProcess } from '../../toolchain/process.ts';

/** Its output; what it refuses is an error. */
export async function qemuImg(...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runProcess('qemu-img', words);
  if (status !== 0) throw new Error(`qemu-img ${words.join(' ')}: ${status}: ${stdout}${stderr}`);
  return stdout;
}

/** What is wrong with an image; clusters that are counted and not used are told apart. */
export async function checkQcow2(path: string): Promise<'whole' | 'leaks' | string> {
  const { status, stdout, stderr } = await runProcess('qemu-img', ['check', '-f', 'qcow2', path]);
  return status === 0 ? 'whole' : status === 3 ? 'leaks' : `${stdout}${stderr}`;
}

/** What a guest would see of it. */
export async function rawOf(path: string): Promise<Buffer> {
  const raw = `${path}.raw`;
  await qemuImg('convert', '-f', 'qcow2', '-O', 'raw', path, raw);
  return readFileSync(raw);
}
