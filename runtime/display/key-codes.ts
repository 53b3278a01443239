/** X11's keysyms (X11/keysymdef.h), as VNC's viewers send them, to the key codes of Linux's input events, by a US keyboard. */

/** Rows of the keyboard as a person sees them, from the code of their first key on: without and with Shift. */
// biome-ignore format: a keyboard
const rows: readonly (readonly [number, string, string])[] = [
  [2,  '1234567890-=', '!@#$%^&*()_+'],
  [16, 'qwertyuiop[]', 'QWERTYUIOP{}'],
  [30, "asdfghjkl;'`", 'ASDFGHJKL:"~'],
  [43, '\\zxcvbnm,./', '|ZXCVBNM<>?'],
  [57, ' ', ' '],
];

/** Keys without a character, by keysym. */
// biome-ignore format: a table
const others: readonly (readonly [number, number])[] = [
  [0xff08, 14], [0xff09, 15], [0xff0d, 28], [0xff1b, 1], [0xfe20, 15], // BackSpace, Tab, Return, Escape, ISO_Left_Tab
  [0xff50, 102], [0xff51, 105], [0xff52, 103], [0xff53, 106], [0xff54, 108], // Home, Left, Up, Right, Down
  [0xff55, 104], [0xff56, 109], [0xff57, 107], [0xff63, 110], [0xffff, 111], // Page_Up, Page_Down, End, Insert, Delete
  [0xff13, 119], [0xff14, 70], [0xff61, 99], [0xff67, 127], // Pause, Scroll_Lock, Print, Menu
  [0xffe1, 42], [0xffe2, 54], [0xffe3, 29], [0xffe4, 97], [0xffe5, 58], // Shift, Shift, Control, Control, Caps_Lock
  [0xffe7, 125], [0xffe8, 126], [0xffe9, 56], [0xffea, 100], [0xffeb, 125], [0xffec, 126], // Meta, Alt, Super
  [0xfe03, 100], [0xff7f, 69], // ISO_Level3_Shift, Num_Lock
  // The keypad: Enter, multiply, add, separator, subtract, decimal, divide.
  [0xff8d, 96], [0xffaa, 55], [0xffab, 78], [0xffac, 121], [0xffad, 74], [0xffae, 83], [0xffaf, 98],
  // Its digits from 0 on, and what they are without Num_Lock.
  [0xffb0, 82], [0xffb1, 79], [0xffb2, 80], [0xffb3, 81], [0xffb4, 75], [0xffb5, 76], [0xffb6, 77], [0xffb7, 71], [0xffb8, 72],
  [0xffb9, 73], [0xff95, 71], [0xff96, 75], [0xff97, 72], [0xff98, 77], [0xff99, 80], [0xff9a, 73], [0xff9b, 81], [0xff9c, 79],
  [0xff9d, 76], [0xff9e, 82], [0xff9f, 83],
  // F1 to F10, F11, F12.
  ...Array.from({ length: 10 }, (_, n) => [0xffbe + n, 59 + n] as const), [0xffc8, 87], [0xffc9, 88],
];

const codes = new Map<number, number>([
  ...rows.flatMap(([first, ...characters]) =>
    characters.flatMap((row) =>
      [...row].map((character, n) => [character.charCodeAt(0), first + n] as const),
    ),
  ),
  ...others,
]);

/** Undefined where the keyboard has no such key. */
export const keyCodeOf = (keysym: number): number | undefined => codes.get(keysym);

/** From the left: the pointer's. */
export const BUTTON = { LEFT: 272, RIGHT: 273, MIDDLE: 274 } as const;
