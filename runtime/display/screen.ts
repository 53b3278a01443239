/** A guest's screen and its keyboard and pointer, as whoever shows them needs them. */

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Screen {
  /** Pixels; they change with the picture. 0 where there is none. */
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and 255 for each pixel of a part that lies within. */
  pixels(part: Rectangle): Uint8Array;
  /** Calls with what has changed, from the guest's own event; the whole where the size has. The answer ends it. */
  listen(changed: (part: Rectangle) => void): () => void;
}

/** Codes are those of Linux's input events: KEY_A is 30, BTN_LEFT 272. */
export interface Input {
  key(code: number, isPressed: boolean): void;
  /** Where the pointer is, in pixels of a screen of that size. */
  point(x: number, y: number, screen: { readonly width: number; readonly height: number }): void;
  /** Steps of the wheel, towards the person below 0. */
  wheel(steps: number): void;
}

export const whole = ({ width, height }: Pick<Screen, 'width' | 'height'>): Rectangle => ({
  ...{ x: 0, y: 0, width, height },
});

/** The part of a rectangle that lies within a screen; nothing has no width. */
export function clip(part: Rectangle, screen: Pick<Screen, 'width' | 'height'>): Rectangle {
  const x = Math.min(Math.max(part.x, 0), screen.width);
  const y = Math.min(Math.max(part.y, 0), screen.height);
  return {
    ...{ x, y },
    width: Math.max(0, Math.min(part.x + part.width, screen.width) - x),
    height: Math.max(0, Math.min(part.y + part.height, screen.height) - y),
  };
}

/** The smallest rectangle around both. */
export function around(a: Rectangle, b: Rectangle): Rectangle {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    ...{ x, y },
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
