import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { Holder } from '../../../core/reclaim/claim.ts';
import { holdsAsBefore, stillHolds } from '../../../core/reclaim/still_holds.ts';

describe('stillHolds', () => {
  const host = nodeHost();
  let server: Server;
  let holder: Holder;

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const { port } = server.address() as { port: number };
    holder = {
      claim: { kind: 'tcp', address: null, port },
      process: host.processes.identity(process.pid),
      address: '127.0.0.1',
      command: '',
      fd,
      inode: host.processes.descriptor(process.pid, fd)?.replace(/\D/g, '') ?? '',
    };
  });

  afterEach(() => {
    server.close();
  });

  it('is true while the descriptor leads to the socket', () => {
    expect(stillHolds(holder, host)).toBe(true);
    server.close();
    expect(stillHolds(holder, host)).toBe(false);
  });

  it('is false for another socket, and for another process with the pid', () => {
    expect(stillHolds({ ...holder, inode: '1' }, host)).toBe(false);
    const process = holder.process && { ...holder.process, start_time: 1 };
    expect(stillHolds({ ...holder, process }, host)).toBe(false);
    // What this one is not asked.
    expect(holdsAsBefore({ ...holder, process }, host)).toBe(true);
    expect(holdsAsBefore({ ...holder, inode: '1' }, host)).toBe(false);
  });

  it('is false where the holder was not seen', () => {
    expect(stillHolds({ ...holder, process: null }, host)).toBe(false);
    expect(stillHolds({ ...holder, fd: null }, host)).toBe(false);
    expect(stillHolds({ ...holder, inode: null }, host)).toBe(false);
  });
});
