/** Against Linux's own header, through gcc. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BUTTON, keyCodeOf } from '../../../runtime/display/key-codes.ts';
import { runProcess } from '../../../toolchain/process.ts';

const test = suite('runtime/display/key-codes');

/** Keysyms and the names of their keys. */
// biome-ignore format: a table
const keys: readonly (readonly [number | string, string])[] = [
  ['a', 'A'], ['A', 'A'], ['z', 'Z'], ['Q', 'Q'], ['m', 'M'], ['l', 'L'], ['1', '1'], ['!', '1'], ['0', '0'], ['-', 'MINUS'], ['+', 'EQUAL'],
  ['[', 'LEFTBRACE'], ['}', 'RIGHTBRACE'], [';', 'SEMICOLON'], ['"', 'APOSTROPHE'], ['~', 'GRAVE'], ['\\', 'BACKSLASH'], [',', 'COMMA'],
  ['?', 'SLASH'], [' ', 'SPACE'], [0xff08, 'BACKSPACE'], [0xff09, 'TAB'], [0xff0d, 'ENTER'], [0xff1b, 'ESC'], [0xff50, 'HOME'],
  [0xff51, 'LEFT'], [0xff52, 'UP'], [0xff53, 'RIGHT'], [0xff54, 'DOWN'], [0xff55, 'PAGEUP'], [0xff56, 'PAGEDOWN'], [0xff57, 'END'],
  [0xff63, 'INSERT'], [0xffff, 'DELETE'], [0xff13, 'PAUSE'], [0xff14, 'SCROLLLOCK'], [0xff61, 'SYSRQ'], [0xff67, 'COMPOSE'],
  [0xffe1, 'LEFTSHIFT'], [0xffe2, 'RIGHTSHIFT'], [0xffe3, 'LEFTCTRL'], [0xffe4, 'RIGHTCTRL'], [0xffe5, 'CAPSLOCK'], [0xffe9, 'LEFTALT'],
  [0xffea, 'RIGHTALT'], [0xffeb, 'LEFTMETA'], [0xffec, 'RIGHTMETA'], [0xff7f, 'NUMLOCK'], [0xff8d, 'KPENTER'], [0xffaa, 'KPASTERISK'],
  [0xffab, 'KPPLUS'], [0xffad, 'KPMINUS'], [0xffae, 'KPDOT'], [0xffaf, 'KPSLASH'], [0xffac, 'KPCOMMA'],
  ...Array.from({ length: 10 }, (_, n) => [0xffb0 + n, `KP${n}`] as const),
  [0xff95, 'KP7'], [0xff96, 'KP4'], [0xff97, 'KP8'], [0xff98, 'KP6'], [0xff99, 'KP2'], [0xff9a, 'KP9'], [0xff9b, 'KP3'], [0xff9c, 'KP1'],
  [0xff9d, 'KP5'], [0xff9e, 'KP0'], [0xff9f, 'KPDOT'],
  ...Array.from({ length: 12 }, (_, n) => [0xffbe + n, `F${n + 1}`] as const),
];

test('keys have the codes of linux/input-event-codes.h', async () => {
  const names = [...keys.map(([, name]) => `KEY_${name}`), 'BTN_LEFT', 'BTN_RIGHT', 'BTN_MIDDLE'];
  const input = `#include <linux/input-event-codes.h>\n${names.map((name) => `= ${name}`).join('\n')}\n`;
  const { status, stdout, stderr } = await runProcess('gcc', ['-E', '-P', '-'], { input });
  assert.is(status, 0, stderr);
  const codes = [...stdout.matchAll(/^\s*= (\w+)/gm)].map(([, number]) => Number(number));

  const ours = keys.map(([keysym]) =>
    keyCodeOf(typeof keysym === 'string' ? keysym.charCodeAt(0) : keysym),
  );
  assert.equal([...ours, BUTTON.LEFT, BUTTON.RIGHT, BUTTON.MIDDLE], codes);
});

test('what the keyboard has no key for has no code', () => {
  assert.is(keyCodeOf(0x20ac), undefined);
});

test.run();
