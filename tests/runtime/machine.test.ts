/** Real images, recompiled and run: what they print, how they end, what a person is told. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../runtime/errors.ts';
import { boot } from '../../runtime/machine.ts';
import { bootGuest, buildGuest, runGuest } from '../support/guest.ts';

const machine = suite('runtime/machine');

for (const width of [64, 32] as const) {
  const it = (name: string, test: () => Promise<void>): void =>
    machine(`x86-${width}: ${name}`, test);

  it('a guest prints its arguments and environment, and ends with its status', async () => {
    const source = `int main(int argc, char **argv, char **envp) {
      for (int i = 0; i < argc; i++) { print(argv[i]); print("\\n"); }
      for (; *envp; envp++) { print(*envp); print("\\n"); }
      return 300;
    }`;

    const outcome = await runGuest(source, width, {
      arguments: ['a', 'b c'],
      environment: { K: 'v' },
    });

    assert.is(outcome.output, 'guest.elf\na\nb c\nK=v\n');
    assert.equal([outcome.status, outcome.reason], [44, 'exit']);
  });

  it('a guest answers what it reads', async () => {
    const source = `int main(void) {
      char c;
      print("? ");
      while (minios_read(0, &c, 1) == 1 && c != '\\n') { if (c >= 'a') c -= 32; minios_write(1, &c, 1); }
      return 0;
    }`;
    const guest = await bootGuest(source, width);

    await guest.console.expect('? ', { timeout: 5000 });
    guest.console.write('abc');
    await guest.console.expect('ABC', { timeout: 5000 });
    guest.console.write('\n');

    assert.is((await guest.exited).status, 0);
  });

  it('globals, 64-bit arithmetic and calls through pointers work', async () => {
    const source = `
      static unsigned long long twice(unsigned long long x) { return x * 2; }
      unsigned long long (*volatile f)(unsigned long long) = twice;
      volatile int counter = 40;
      int main(void) { counter++; return f(0x80000000ull) == 0x100000000ull ? counter : 1; }`;

    assert.is((await runGuest(source, width)).status, 41);
  });

  it('two threads parked at one call site both go on right', async () => {
    const source = `
      static char *names[2] = { "a", "b" };
      __attribute__((noinline)) static int step(char *name, int n) { char digit = '0' + n; print(name); minios_write(1, &digit, 1); schedule(); return n + 1; }
      static void worker(void *name) { int n = 0; while (n < 3) n = step(name, n); }
      int main(void) {
        create_thread("a", worker, names[0]); create_thread("b", worker, names[1]);
        for (int i = 0; i < 5; i++) schedule();
        return 0;
      }`;

    assert.is((await runGuest(source, width)).output, 'a0b0a1b1a2b2');
  });

  it('threads that sleep wake in order', async () => {
    const source = `
      static void worker(void *d) { msleep((unsigned long)d); char c = 'a' + (unsigned long)d / 100; minios_write(1, &c, 1); }
      int main(void) {
        create_thread("t", worker, (void *)300); create_thread("t", worker, (void *)100); create_thread("t", worker, (void *)200);
        msleep(600);
        return 0;
      }`;

    assert.is((await runGuest(source, width)).output, 'bcd');
  });

  const faults: readonly (readonly [name: string, source: string, status: number, what: RegExp])[] =
    [
      [
        'a NULL store',
        'int main(void) { *(volatile int *)8 = 1; return 0; }',
        139,
        /#PF: writing to 0x8: a NULL pointer/,
      ],
      [
        'a wild load',
        'int main(void) { return *(volatile int *)0x70000000; }',
        139,
        /#PF: reading from 0x70000000: no memory/,
      ],
      [
        'a call of NULL',
        'void (*volatile f)(void); int main(void) { f(); return 0; }',
        139,
        /#PF: executing at 0x0: a NULL pointer/,
      ],
      [
        'a store to code',
        'int main(void) { *(volatile char *)main = 0; return 0; }',
        139,
        /#PF: writing to 0x[0-9a-f]+: read-only code of the image \(main\)/,
      ],
      [
        'a store to a constant',
        'static const int c = 1; int main(void) { *(volatile int *)&c = 2; return 0; }',
        139,
        /read-only data of the image/,
      ],
      [
        'recursion without end',
        'int down(volatile int *p) { volatile int a[100]; a[0] = *p; return down(a) + a[0]; } int main(void) { int x = 0; return down(&x); }',
        139,
        /stack overflow: the stack of 8388608 bytes/,
      ],
      [
        'a division by zero',
        'volatile int y = 7, z; int main(void) { return y / z; }',
        136,
        /#DE: division by zero.*idiv/,
      ],
      [
        'an undefined instruction',
        'int main(void) { __builtin_trap(); }',
        132,
        /#UD: .*ud2 \(0f 0b\)/,
      ],
      ['abort', 'int main(void) { minios_abort(); return 0; }', 134, /abort\(\)/],
    ];
  for (const [name, source, status, what] of faults)
    it(`${name} stops the guest with ${status} and one report`, async () => {
      const outcome = await runGuest(source, width);

      assert.is(outcome.status, status);
      assert.is(outcome.reason, 'fault');
      assert.match(outcome.report ?? '', what);
      assert.match(outcome.report ?? '', /\n {2}at {6}0x[0-9a-f]+/);
      assert.match(outcome.report ?? '', /\n {2}thread {2}main, stack/);
      assert.not.match(outcome.report ?? '', /\.[jt]s:\d/);
    });

  it('a fault names its callers', async () => {
    const source = `
      __attribute__((noinline)) int inner(int *p) { return *(volatile int *)p + 1; }
      __attribute__((noinline)) int outer(int *p) { return inner(p) * 2; }
      int main(void) { return outer(0); }`;

    const { report = '' } = await runGuest(source, width);

    assert.match(report, /at {6}0x[0-9a-f]+ \(inner\+0x/);
    assert.match(report, /called from\n {4}0x[0-9a-f]+ \(outer\+0x.*\n {4}0x[0-9a-f]+ \(main\+0x/);
  });

  it('a thread that overflows its stack is named', async () => {
    const source = `
      int down(volatile int *p) { volatile int a[20]; a[0] = *p; return down(a) + a[0]; }
      static void worker(void *d) { int x = 0; down(&x); }
      int main(void) { create_thread("deep one", worker, 0); schedule(); return 0; }`;

    const { status, report = '' } = await runGuest(source, width);

    assert.is(status, 139);
    assert.match(report, /stack overflow: the stack of 65536 bytes/);
    assert.match(report, /thread {2}deep one, stack/);
  });

  it('a busy guest leaves the event loop its turns', async () => {
    const guest = await bootGuest('volatile int n; int main(void) { for (;;) n++; }', width, {
      budget: Number.MAX_SAFE_INTEGER,
    });
    let longest = 0;
    let turns = 0;
    const began = performance.now();
    for (let last = began; last - began < 400; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = performance.now();
      longest = turns < 10 ? 0 : Math.max(longest, now - last);
      last = now;
    }
    guest.stop();

    assert.equal(await guest.exited, { status: 130, reason: 'stopped' });
    // Alone on a machine it is two milliseconds; others may run beside us.
    assert.ok(turns > 15, `${turns} turns in 400 ms`);
    assert.ok(longest < 250, `${longest} ms without a turn`);
  });

  it('a waiting guest uses no time', async () => {
    const guest = await bootGuest(
      'int main(void) { char c; return minios_read(0, &c, 1); }',
      width,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { user, system } = process.cpuUsage(before);
    guest.console.write('x');

    assert.is((await guest.exited).status, 1);
    assert.ok(user + system < 60_000, `${user + system} µs of CPU in 300 ms`);
  });
}

machine('what is no image is refused in one line', async () => {
  const refusal = await boot(new Uint8Array(100), { name: 'x' }).catch((error: unknown) => error);

  assert.instance(refusal, UserError);
});

machine('a guest that needs more memory than it gets is refused before it runs', async () => {
  const image = buildGuest('char big[3 << 20]; int main(void) { return big[0]; }', 64);

  const refusal = await boot(image, { name: 'x', memory: 2 ** 20 }).catch((e: unknown) => e);

  assert.instance(refusal, UserError);
  assert.match(
    (refusal as Error).message,
    /x: it does not fit into 1 MiB of memory; it needs \d MiB/,
  );
});

machine.run();
