/** Guests in C whose code is writable: they patch themselves, read into their code, and may execute no stack. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot, type Ending, type Tier } from '../../runtime/index.ts';
import { buildGuest } from '../support/guest.ts';

const test = suite('guests/changing-code');

/** One segment, readable, writable and executable. */
const writable = ['-Wl,-N', '-Wl,-Bdynamic'];
const tiers: readonly Tier[] = ['resumable', 'fast', 'adaptive'];

async function run(
  image: Uint8Array,
  tier: Tier,
  input = '',
): Promise<Ending & { output: string }> {
  const domain = await boot(image, { name: 'guest.elf', budget: 50_000_000, tier });
  if (input !== '') domain.console.write(input);
  domain.console.end();
  const ending = await domain.exited;
  return { ...ending, output: domain.console.text };
}

for (const width of [64, 32] as const) {
  test(`x86-${width}: a function that is patched in a loop is another each time, in every tier`, async () => {
    const image = buildGuest(
      `__attribute__((noinline, section(".text"))) int number(void) { __asm__ volatile(""); return 1; }
       int main(void) {
         volatile unsigned char *code = (volatile unsigned char *)number;
         unsigned long sum = 0;
         while (*code != 0xb8) code++;
         for (int i = 0; i < 200; i++) {
           code[1] = (unsigned char)i;
           sum += number();
         }
         print(sum == 19900 ? "right" : "wrong");
         return 0;
       }`,
      width,
      writable,
    );

    for (const tier of tiers) {
      const { output, report } = await run(image, tier);

      assert.is(report, undefined, tier);
      assert.is(output, 'right', tier);
    }
  });

  test(`x86-${width}: what a guest reads from its console into its code is what it runs`, async () => {
    const image = buildGuest(
      `int number(void);
       extern char place[];
       __asm__(".text\\nnumber: .byte 0xb8\\nplace: .long 1\\nret\\n");
       int main(void) {
         int before = number();
         minios_read(0, place, 1);
         print(before == 1 && number() == '*' ? "right" : "wrong");
         return 0;
       }`,
      width,
      writable,
    );

    for (const tier of tiers) {
      const { output, report } = await run(image, tier, '*');

      assert.is(report, undefined, tier);
      assert.is(output, 'right', tier);
    }
  });

  test(`x86-${width}: a stack that holds code is not executed`, async () => {
    const image = buildGuest(
      `int main(void) {
         volatile unsigned char code[16];
         code[0] = 0xc3;
         ((void (*)(void))code)();
         return 0;
       }`,
      width,
      writable,
    );

    const { status, report = '' } = await run(image, 'adaptive');

    assert.is(status, 139);
    assert.match(report, /executing at/);
  });
}

test.run();
