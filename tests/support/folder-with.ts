/** A folder in memory that has one file. */
import { MemoryFolder } from '../../runtime/backends/folder/memory-folder.ts';

export function folderWith(name: string, text: string): MemoryFolder {
  const folder = new MemoryFolder(() => 1_000_000_000_000n);
  const file = folder.open([name], { writing: true, create: 0o644 });
  file.write(0, new TextEncoder().encode(text));
  file.close();
  return folder;
}
