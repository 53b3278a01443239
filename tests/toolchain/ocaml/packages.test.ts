import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runtimePart } from '../../../toolchain/ocaml/package-tree.ts';
import { debianName } from '../../../toolchain/ocaml/packages.ts';

const packages = suite('toolchain/ocaml/packages');

packages('a library’s Debian package is found by the library’s name', () => {
  assert.is(debianName('lwt'), 'liblwt-ocaml-dev');
  assert.is(debianName('ppx_deriving'), 'libppx-deriving-ocaml-dev');
  assert.is(debianName('menhirLib'), 'libmenhir-ocaml-dev');
});

packages('what belongs to a library’s programs comes with it, other libraries do not', () => {
  const depends = 'libev-dev, liblwt-ocaml-py3u4, libreact-ocaml-dev-06r30, ocaml-4.13.1';

  assert.equal(runtimePart('liblwt-ocaml-dev', new Map([['Depends', depends]])), ['liblwt-ocaml']);
  assert.equal(runtimePart('libre-ocaml-dev', new Map([['Depends', 'ocaml-4.13.1']])), []);
});

packages.run();
