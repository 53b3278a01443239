/** The only face of the toolchain for programs: what `stubdom build` and the tests call. */

export { type BuildOptions, type BuildResult, build } from './c/build.ts';
export { cachedSysroot, type Sysroot, type SysrootOptions, sysroot } from './c/sysroot.ts';
export { type Width, widths } from './c/width.ts';
export { cacheDirectory } from './cache.ts';
export { fetchDebianPackage, fetchDebianSource } from './debian/packages.ts';
export { ensureTools, installLine, missingTools, type ToolName, tools } from './debian/tools.ts';
