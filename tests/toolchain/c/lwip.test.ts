/** lwip's source, which the sysroot's library is made from; what it does is proved by tests/guests. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findLwip, lwipContents, lwipFiles } from '../../../toolchain/c/lwip.ts';

const lwip = suite('toolchain/c/lwip');

const notes: string[] = [];
const source = await findLwip(undefined, (line) => notes.push(line));

lwip(
  'the core and its headers are compiled, and nothing that has threads or is an application',
  () => {
    assert.ok(source, notes.join());
    const files = lwipFiles(source);
    const compiled = files.filter((name) => name.endsWith('.c'));

    for (const part of ['core/tcp_in.c', 'core/ipv4/dhcp.c', 'core/ipv6/nd6.c', 'netif/ethernet.c'])
      assert.ok(compiled.includes(`src/${part}`), part);
    assert.ok(files.includes('src/include/lwip/opt.h'));
    assert.not.ok(compiled.some((name) => /src\/(api|apps)\//.test(name)));
  },
);

lwip('what is hashed has each file’s name and text', () => {
  assert.ok(source, notes.join());
  const contents = lwipContents(source);

  assert.is(contents.length, 2 * lwipFiles(source).length);
  assert.match(contents[contents.indexOf('src/core/tcp_out.c') + 1] ?? '', 'tcp_output');
});

lwip.run();
