/** A VNC server on a port of the host's (RFC 6143). */
import type { HostSockets, StreamEvents } from '../network/host-sockets.ts';
import { type RfbParts, RfbSession } from './rfb-session.ts';

/** Viewers at a time; who comes then is refused. */
const mostViewers = 16;

export interface RfbServer {
  readonly port: number;
  /** All viewers go; others may come. */
  dismiss(): void;
  close(): void;
}

/** What there is to be seen is asked when a viewer comes, who is refused where there is nothing. UserError where the port is another's. */
export async function serveRfb(
  sockets: HostSockets,
  place: { readonly address: string; readonly port: number },
  parts: () => RfbParts | undefined,
): Promise<RfbServer> {
  const sessions = new Set<RfbSession>();
  const dismiss = (): void => {
    for (const session of [...sessions]) session.close();
  };
  const listener = await sockets.listen(place.address, place.port, (attach) => {
    const seen = parts();
    if (seen === undefined || sessions.size >= mostViewers) {
      attach(nobody).destroy();
      return;
    }
    const session: RfbSession = new RfbSession(seen, {
      attach,
      closed: () => sessions.delete(session),
    });
    sessions.add(session);
  });
  return {
    ...{ port: listener.port, dismiss },
    close: () => {
      listener.close();
      dismiss();
    },
  };
}

const nobody: StreamEvents = {
  ...{ opened: () => {}, data: () => {}, ended: () => {}, failed: () => {} },
};
