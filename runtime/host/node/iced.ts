/** iced-x86 as a plain CommonJS module: for an `import` Node first parses its 900 KB by a parser written in JavaScript. */
import { createRequire } from 'node:module';
import type { iced as imported } from '../../x86/iced.ts';

export const iced = createRequire(import.meta.url)('iced-x86') as typeof imported;
