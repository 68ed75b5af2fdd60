/**
 * The few parts of a host that serving needs, on the real file system and network.
 */
import * as fs from 'node:fs';
import { connect } from 'node:net';
import type { ServeOptions } from '../../../adapters/http/serving.ts';

export const smallHost: ServeOptions['host'] = {
  files: fs,
  clock: {
    mono: () => performance.now(),
    wall: () => Date.now(),
    timer: (delay, callback) => {
      const timer = setTimeout(callback, delay);
      return () => clearTimeout(timer);
    },
  },
  net: {
    tryBind: () => Promise.reject(new Error('not here')),
    connect: () => Promise.reject(new Error('not here')),
    request: () => Promise.reject(new Error('not here')),
    connectUnix: (path) =>
      new Promise((resolve) => {
        const socket = connect(path);
        socket.once('connect', () => {
          socket.destroy();
          resolve('connected');
        });
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'UNKNOWN'));
      }),
  },
};
