import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instructionTable, instructionTablePath } from '../golden/record/instruction-table.ts';
import { projectRoot } from './cpu-oracle.ts';
import { allForms, handTested, ourForms } from './instruction-set.ts';
import { countVectors } from './vector-counts.ts';

const test = suite('support/instruction-set');

test('INSTRUCTIONS.md is what npm run instructions writes', () => {
  const written = readFileSync(join(projectRoot(), instructionTablePath), 'utf8');

  assert.is(written, instructionTable(countVectors()));
});

test('every test that stands for vectors is there', () => {
  for (const path of new Set(Object.values(handTested)))
    assert.ok(existsSync(join(projectRoot(), path)), path);
});

test('forms of features that are not advertised are not ours', () => {
  const ours = new Set(ourForms().map(({ code }) => code));

  for (const code of ['VEX_Vaddps_xmm_xmm_xmmm128', 'Rdrand_r32', 'Sysenter', 'Monitorq', 'Xgetbv'])
    assert.ok(!ours.has(code) && allForms().some((form) => form.code === code), code);
});

test.run();
