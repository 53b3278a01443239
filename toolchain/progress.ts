/** How far a long job is: a bar that redraws itself on a terminal, a few lines elsewhere. */

export interface Progress {
  /** fraction: 0 to 1. */
  update(fraction: number, doing?: string): void;
  /** A line of its own, such as what is being waited for. */
  note(text: string): void;
  done(text: string): void;
  /** The job failed: leaves the terminal's line free. */
  clear(): void;
}

const BAR = 24;

export function showProgress(stream: NodeJS.WriteStream, title: string): Progress {
  return stream.isTTY ? bar(stream, title) : lines(stream, title);
}

function bar(stream: NodeJS.WriteStream, title: string): Progress {
  const wipe = () => stream.write('\r\x1b[K');
  let shown = '';
  return {
    update(fraction, doing = '') {
      const filled = Math.round(Math.min(1, fraction) * BAR);
      const percent = `${Math.floor(Math.min(1, fraction) * 100)}`.padStart(3);
      const text = `${title} [${'#'.repeat(filled)}${' '.repeat(BAR - filled)}] ${percent}% ${doing}`;
      const fitting = text.slice(0, Math.max(20, (stream.columns || 80) - 1));
      if (fitting === shown) return;
      shown = fitting;
      stream.write(`\r${fitting}\x1b[K`);
    },
    note(text) {
      wipe();
      stream.write(`${text}\n`);
    },
    done(text) {
      wipe();
      stream.write(`${text}\n`);
    },
    clear: wipe,
  };
}

function lines(stream: NodeJS.WriteStream, title: string): Progress {
  let next = 0;
  return {
    update(fraction) {
      if (fraction < next) return;
      stream.write(`${title}: ${Math.floor(fraction * 100)}%\n`);
      next = (Math.floor(fraction * 4) + 1) / 4;
    },
    note: (text) => void stream.write(`${text}\n`),
    done: (text) => void stream.write(`${text}\n`),
    clear: () => {},
  };
}

/** For callers that show nothing. */
export const silentProgress: Progress = {
  update: () => {},
  note: () => {},
  done: () => {},
  clear: () => {},
};
