import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { join } from '../../../../runtime/x86/instructions/index.ts';

const test = suite('runtime/x86/instructions/index');

test('two rows of one name are an error that names them', () => {
  const row = (): void => undefined;

  assert.throws(() => join([{ ADD: row, SUB: row }, { SUB: row }]), /two rows for SUB/);
});

test.run();
