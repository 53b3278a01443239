/** OCaml is told of what the C library has, and given what its Unix library cannot do without. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingFunctions, systemHeader } from '../../../toolchain/ocaml/system-header.ts';

const test = suite('toolchain/ocaml/system-header');

test('a macro stands where all of its functions are there', () => {
  const header = systemHeader(new Set(['times', 'sigaction']));

  assert.match(header, '#define HAS_TIMES 1\n');
  assert.match(header, '#define HAS_UNISTD 1\n');
  assert.not.match(header, 'POSIX_SIGNALS');
  assert.match(systemHeader(new Set(['sigaction', 'sigprocmask'])), '#define POSIX_SIGNALS 1\n');
});

test('what is missing fails with a reason, and what is there is left alone', () => {
  const source = missingFunctions(new Set(['getservbyport']));

  assert.match(source, 'int chroot() { errno = ENOSYS; return -1; }');
  assert.match(source, 'void *gethostbyaddr() { errno = ENOENT; return 0; }');
  assert.not.match(source, 'getservbyport');
  assert.match(missingFunctions(new Set()), 'void *getservbyport()');
});

test.run();
