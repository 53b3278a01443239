/** A process that opens the disk it is given for writing, and keeps it until its input ends. */
import { openDisk } from '../../runtime/host/node/file-disk.ts';

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

await openDisk(process.argv[2] ?? '', 'rw').then(
  () => say('held'),
  (error: unknown) => say(error instanceof Error ? error.message : String(error)),
);
process.stdin.resume();
