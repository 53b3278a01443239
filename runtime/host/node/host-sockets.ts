/** The host's network by Node: what user-mode networking lets guests reach. */
import dgram from 'node:dgram';
import dns from 'node:dns';
import net from 'node:net';
import { UserError } from '../../errors.ts';
import type {
  HostDatagrams,
  HostSockets,
  HostStream,
  Listener,
  ReceiveDatagram,
  StreamEvents,
} from '../../network/host-sockets.ts';

export const nodeSockets: HostSockets = {
  connect(address, port, events) {
    const socket = net.connect({ host: address, port, allowHalfOpen: true });
    socket.once('connect', () => events.opened());
    return attach(socket, events);
  },

  listen(address, port, accept) {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      // Nobody listens yet: what goes wrong until then is found again at the first write.
      socket.on('error', () => {});
      accept((events) => attach(socket, events));
    });
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(portError(address, port, error)));
      server.listen({ host: address, port }, () => {
        // Too many open files, and the like: who came is lost, and may come again.
        server.on('error', () => {});
        resolve(listenerOf(server));
      });
    });
  },

  datagrams(receive) {
    return datagramsOf(dgram.createSocket('udp4'), receive);
  },

  bindDatagrams(address, port, receive) {
    const socket = dgram.createSocket('udp4');
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(portError(address, port, error));
      socket.once('error', failed);
      socket.bind(port, address, () => {
        socket.off('error', failed);
        resolve(datagramsOf(socket, receive));
      });
    });
  },

  nameServer: () => dns.getServers().find((server) => net.isIPv4(server)),
};

function attach(socket: net.Socket, events: StreamEvents): HostStream {
  socket.setNoDelay(true);
  socket.on('data', (bytes) => events.data(bytes));
  socket.on('end', () => events.ended());
  socket.on('error', (error) => events.failed(errnoOf(error)));
  return {
    write: (bytes, taken) => void socket.write(bytes, () => taken()),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

function listenerOf(server: net.Server): Listener {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, close: () => void server.close() };
}

function datagramsOf(socket: dgram.Socket, receive: ReceiveDatagram): HostDatagrams {
  let isClosed = false;
  socket.on('message', (bytes, { address, port }) => receive(bytes, address, port));
  // An ICMP error of a datagram that was lost: UDP says nothing of it, and so do we.
  socket.on('error', () => {});
  return {
    send: (bytes, address, port) => {
      if (!isClosed) socket.send(bytes, port, address, () => {});
    },
    close: () => {
      if (!isClosed) socket.close();
      isClosed = true;
    },
  };
}

const errnoOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : 'EIO';

const portError = (address: string, port: number, cause: Error): UserError =>
  new UserError(`${address}:${port}: cannot be forwarded: ${errnoOf(cause)}`, { cause });
