/** What C stubs of Debian's OCaml packages need beyond their sources and OCaml's headers, by the archive that has them. */
import type { ForeignLibrary } from './foreign-library.ts';

export interface StubRecipe {
  readonly switches?: readonly string[];
  /** Headers that the package's configure would write, by name: lines, each for what needs those functions of the C library. */
  readonly headers?: Readonly<Record<string, readonly FeatureLine[]>>;
  readonly libraries?: readonly ForeignLibrary[];
  /** Functions that it calls without asking; those which the C library has not say ENOSYS. */
  readonly unasked?: readonly string[];
}

export interface FeatureLine {
  readonly line: string;
  readonly functions: readonly string[];
}

const gmp: ForeignLibrary = {
  source: 'gmp',
  archive: '.libs/libgmp.a',
  headers: ['gmp.h'],
  // Debian's source comes without its documentation, whose makefile configure asks for.
  prepare: ['mkdir -p doc', 'touch doc/Makefile.in'],
  commands: [
    './configure CC="$CC" CC_FOR_BUILD=gcc CFLAGS=-O2 --build=x86_64-pc-linux-gnu --host=none-unknown-none --disable-assembly --disable-shared',
    'make -j"$JOBS" SUBDIRS="mpn mpz mpq mpf printf scanf rand"',
  ],
};

/** With poll(): there is no epoll. */
const libev: ForeignLibrary = {
  source: 'libev',
  archive: 'libev.a',
  headers: ['ev.h'],
  prepare: [],
  commands: [
    '"$CC" -O2 -w -DEV_STANDALONE=1 -DEV_USE_MONOTONIC=1 -DEV_USE_POLL=1 -DEV_USE_SELECT=0 -DEV_USE_NANOSLEEP=1 -c ev.c',
    'ar rcsD libev.a ev.o',
  ],
};

const feature = (name: string, ...functions: string[]): FeatureLine => ({
  line: `#define ${name}`,
  functions,
});

export const stubRecipes: Readonly<Record<string, StubRecipe>> = {
  'libzarith.a': { switches: ['-DHAS_GMP'], libraries: [gmp] },
  'liblwt_unix_stubs.a': {
    headers: {
      'lwt_features.h': [
        feature('HAVE_LIBEV'),
        feature('HAVE_PTHREAD'),
        feature('HAVE_ST_MTIM_TV_NSEC'),
        feature('HAVE_ACCEPT4', 'accept4'),
        feature('HAVE_FDATASYNC', 'fdatasync'),
        feature('HAVE_REENTRANT_HOSTENT', 'gethostbyname_r', 'gethostbyaddr_r'),
      ],
    },
    libraries: [libev],
    // madvise()'s, as Linux numbers them.
    switches: ['NORMAL', 'RANDOM', 'SEQUENTIAL', 'WILLNEED', 'DONTNEED'].map(
      (advice, number) => `-DMADV_${advice}=${number}`,
    ),
    unasked: ['madvise', 'mincore', 'wait4'],
  },
};
