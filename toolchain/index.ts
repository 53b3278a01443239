/** The only face of the toolchain for programs: what `stubdom build` and the tests call. */

export { type BuildOptions, type BuildResult, build } from './c/build.ts';
export { fetchDebianPackage, fetchDebianSource } from './c/packages.ts';
export { cachedSysroot, type Sysroot, type SysrootOptions, sysroot } from './c/sysroot.ts';
export { ensureTools, installLine, missingTools, type ToolName, tools } from './c/tools.ts';
export { type Width, widths } from './c/width.ts';
export { cacheDirectory } from './cache.ts';
