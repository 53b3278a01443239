/** Shows a domain's screen as the command line asked for. */
import { writeFileSync } from 'node:fs';
import { serveRfb } from '../../../runtime/display/rfb-server.ts';
import { screenshot } from '../../../runtime/display/screenshot.ts';
import type { Display } from '../../../runtime/domain-devices.ts';
import { UserError } from '../../../runtime/errors.ts';
import { nodeSockets } from '../../../runtime/host/node/host-sockets.ts';
import type { DisplaySpecification } from './display-specification.ts';

export interface OpenDisplay {
  /** Who looks sees this domain from now on; viewers of another are gone. */
  show(display: Display): void;
  /** The domain runs no more. */
  ended(): void;
  close(): void;
}

/** Opens what can be refused before any domain runs. */
export async function openDisplay(
  { vnc, screenshot: file }: DisplaySpecification,
  name: string,
  tell: (line: string) => void,
): Promise<OpenDisplay> {
  let shown: Display | undefined;
  const server = vnc && (await serveRfb(nodeSockets, vnc, () => shown && { name, ...shown }));
  if (file !== undefined) write(file, new Uint8Array(0));
  return {
    show: (display) => {
      server?.dismiss();
      shown = display;
    },
    ended: () => {
      const png = file === undefined || shown === undefined ? undefined : screenshot(shown.screen);
      if (file !== undefined && png !== undefined) write(file, png);
      else if (file !== undefined) tell(`${file} is empty: the guest has drawn nothing`);
    },
    close: () => server?.close(),
  };
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (cause) {
    throw new UserError(`${file}: cannot be written`, { cause });
  }
}
