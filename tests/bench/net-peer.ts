/** The other end of a measured stream, in a process of its own: does what the first line of a connection says, and prints its port. */
import { createServer, type Socket } from 'node:net';

const block = Buffer.alloc(65536);

function give(socket: Socket, count: number): void {
  let left = count;
  const go = (): void => {
    while (left > 0) {
      const part = left < block.length ? block.subarray(0, left) : block;
      left -= part.length;
      if (!socket.write(part)) {
        socket.once('drain', go);
        return;
      }
    }
    socket.end();
  };
  go();
}

/** One byte says that all has come. */
function take(socket: Socket, count: number, first: number): void {
  let left = count - first;
  const answer = (): void => {
    if (left <= 0) socket.end('.');
  };
  socket.on('data', ({ length }: Buffer) => {
    left -= length;
    answer();
  });
  answer();
}

const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.once('data', (bytes: Buffer) => {
    const end = bytes.indexOf(10);
    const [what, count] = bytes.toString('latin1', 0, end).split(' ');
    if (what === 'give') give(socket, Number(count));
    else take(socket, Number(count), bytes.length - end - 1);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
