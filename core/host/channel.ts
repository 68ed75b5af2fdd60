/**
 * Channels between two processes: a pair of connected sockets, one end of which a child inherits.
 */
import { Socket } from 'node:net';
import type { Channel } from './host.ts';

/** The descriptor of a child's end. */
const CHILD_END = 3;

/** The end that this process holds of a pair. */
export function socketChannel(socket: Socket): Channel {
  // It is told by `close`; without a listener an error would end the process.
  socket.on('error', () => {});
  return {
    get unsent() {
      return socket.writableLength;
    },
    send(bytes) {
      if (socket.writable) socket.write(bytes);
    },
    listen(received, ended) {
      socket.on('data', received);
      // Half an end is no end: whoever says no more is not listened to either.
      socket.on('end', () => socket.destroy());
      socket.on('close', ended);
      // It has closed before anybody listened, and says so no more.
      if (socket.closed) queueMicrotask(ended);
    },
    close: () => void socket.destroy(),
  };
}

/** The end that this process inherited. */
export function inheritedChannel(): Channel {
  return socketChannel(new Socket({ fd: CHILD_END, readable: true, writable: true }));
}
