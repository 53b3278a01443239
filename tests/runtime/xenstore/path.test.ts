/** Which paths there are, and what lies below what. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  absolute,
  childOf,
  isAtOrBelow,
  isValidPath,
  nameOf,
  parentOf,
} from '../../../runtime/xenstore/path.ts';

const path = suite('runtime/xenstore/path');

path('a path begins with a slash, doubles none, ends with none, and has few characters', () => {
  const good = ['/', '/a', '/a/b-c_d@e/F9', `/${'a'.repeat(2047)}`];
  const bad = ['', 'a', '//', '/a/', '/a//b', '/a b', '/a.b', '/é', '/a\n', `/${'a'.repeat(2048)}`];

  assert.equal(
    good.filter((text) => !isValidPath(text, 2048)),
    [],
  );
  assert.equal(
    bad.filter((text) => isValidPath(text, 2048)),
    [],
  );
});

path('below a domain the length counts from its directory', () => {
  const long = 'a'.repeat(2048);

  assert.ok(isValidPath(`/local/domain/12/${long}`, 2048));
  assert.not(isValidPath(`/local/domain/12/${long}b`, 2048));
  assert.not(isValidPath(`/local/domain/x/${long}`, 2048));
});

path('parents, names and children', () => {
  assert.equal(['/a/b/c', '/a', '/'].map(parentOf), ['/a/b', '/', '/']);
  assert.equal(['/a/b', '/a'].map(nameOf), ['b', 'a']);
  assert.equal([childOf('/', 'a'), childOf('/a', 'b')], ['/a', '/a/b']);
});

path('below means by whole names', () => {
  assert.ok(isAtOrBelow('/a/b', '/a'));
  assert.ok(isAtOrBelow('/a', '/a'));
  assert.ok(isAtOrBelow('/a', '/'));
  assert.not(isAtOrBelow('/ab', '/a'));
  assert.not(isAtOrBelow('/a', '/a/b'));
});

path('what a domain names without a slash lies in its directory', () => {
  assert.equal(
    ['device', '/device', '@releaseDomain', ''].map((text) => absolute(text, 7)),
    ['/local/domain/7/device', '/device', '@releaseDomain', '/local/domain/7/'],
  );
});

path.run();
