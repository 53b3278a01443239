/** What translating takes, loaded when something is to be translated, since a run from the cache never needs it; and what holds it. */
import type { Emitter } from '../recompiler/emit/emitter.ts';
import { CodeStore } from '../recompiler/store/code-store.ts';
import type { Translator, TranslatorOptions } from '../recompiler/translator.ts';
import type { TranslationsOptions } from './translations-options.ts';

export interface Tools {
  readonly translator: Translator;
  readonly emitter: () => Emitter;
}

export async function loadTools(options: TranslatorOptions, maximumPages: number): Promise<Tools> {
  const { ByteEmitter } = await import('../recompiler/emit/byte-emitter.ts');
  const { Translator } = await import('../recompiler/translator.ts');
  return { translator: new Translator(options), emitter: () => new ByteEmitter(maximumPages) };
}

/** The same with binaryen, which checks what it writes. */
export async function withValidation(tools: Tools, maximumPages: number): Promise<Tools> {
  const { BinaryenEmitter, loadBinaryen } = await import('../recompiler/emit/binaryen-emitter.ts');
  const binaryen = await loadBinaryen();
  return { ...tools, emitter: () => new BinaryenEmitter(binaryen, maximumPages) };
}

export const newStore = ({ layout, memory, host }: TranslationsOptions): CodeStore =>
  new CodeStore(layout, memory.memory, host);
