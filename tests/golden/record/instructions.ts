/** `npm run instructions`: writes runtime/x86/INSTRUCTIONS.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/cpu-oracle.ts';
import { countVectors } from '../../support/vector-counts.ts';
import { instructionTable, instructionTablePath } from './instruction-table.ts';

writeFileSync(join(projectRoot(), instructionTablePath), instructionTable(countVectors()));
