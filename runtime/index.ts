/** The only face of the package: boot(), consoles, the errors. */

export { MemoryDisk } from './backends/block/memory-disk.ts';
export type { Console } from './backends/console/console.ts';
export type { ConsoleSpecification } from './backends/console/console-device.ts';
export { type ExpectOptions, MemoryConsole } from './backends/console/memory-console.ts';
export { Ext2Folder, type Ext2Options } from './backends/ext2/ext2-folder.ts';
export type { Folder, FolderFile } from './backends/folder/folder.ts';
export { MemoryFolder } from './backends/folder/memory-folder.ts';
export type { Tier } from './cpu/translations-options.ts';
export type { Clock } from './domain/clock.ts';
export type { Ending } from './domain/domain.ts';
export { CpuException, UnsupportedError, UserError, XenError } from './errors.ts';
export {
  type BootedDomain,
  type BootOptions,
  boot,
  type DomainOptions,
  type DomainTools,
  type DomainWithConsole,
  defaultMemory,
  Machine,
  type MachineOptions,
  type RestoreOptions,
  recompile,
  type SuspendedDomain,
} from './machine.ts';
export { mostGuestBytes } from './memory/machine-memory.ts';
export type { MountedFolder } from './minios/posix/posix.ts';
export type { ModuleCache } from './recompiler/store/cache.ts';
export type { Trace, TraceEvent } from './trace.ts';
export type { StoreAccess, StoreClient, StoreTransaction, StoreValue } from './xenstore/client.ts';
export type { AskedShutdown, ShutdownRequest } from './xenstore/control.ts';
