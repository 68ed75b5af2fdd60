/**
 * The probes as a user who may not look into the processes of others, in a process of its own.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Claim } from '../../core/reclaim/claim.ts';
import { hasNeed } from '../contract/machine.ts';
import { freePort, tcp, unix } from '../contract/probe_lab.ts';

const ASK = fileURLToPath(new URL('../fixtures/ask_as_nobody.mjs', import.meta.url));
const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
const LISTEN =
  "const server = require('net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));" +
  'process.stdin.resume().once("close", () => process.exit());';

/** What one probe said, a list of pids for each claim. */
interface Said {
  readonly pids: readonly (readonly (number | null)[])[];
  readonly complete: boolean;
}

function ask(...claims: Claim[]): [string, Said][] {
  const ran = spawnSync(process.execPath, [ASK, JSON.stringify(claims)], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return Object.entries(JSON.parse(ran.stdout) as Record<string, Said>);
}

describe.skipIf(!hasNeed('root') || !hasNeed('setpriv') || !hasNeed('Linux'))(
  'an unprivileged user (needs root, setpriv and Linux)',
  () => {
    let dir: string;
    const servers: Server[] = [];

    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'upkeep-nobody-'));
    });

    afterEach(() => {
      for (const server of servers.splice(0)) server.close();
      rmSync(dir, { recursive: true, force: true });
    });

    async function listen(options: object): Promise<number> {
      const server = createServer().listen(options);
      servers.push(server);
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    }

    it("is never told that root's sockets are free", async () => {
      const path = join(dir, 'a.sock');
      const port = await listen({ host: '127.0.0.1', port: 0 });
      await listen({ path });
      const answers = ask(tcp(port), unix(path));
      expect(answers.map(([name]) => name)).toContain('procfs');
      for (const [name, { pids, complete }] of answers) {
        expect(complete, name).toBe(false);
        expect(pids.flat().filter(Number), name).toEqual([]);
        // All but lsof see that somebody is there.
        if (name !== 'lsof') expect(pids, name).toEqual([[null], [null]]);
      }
    });

    it('is told who has what its own processes have, and by most that nobody has what is free', async () => {
      const holder = spawn('setpriv', [...AS_NOBODY, process.execPath, '-e', LISTEN], {
        cwd: '/',
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const ended = once(holder, 'exit');
      try {
        const [said] = (await once(holder.stdout, 'data')) as [Buffer];
        for (const [name, { pids }] of ask(tcp(Number(said)))) expect(pids, name).toEqual([[holder.pid]]);
        for (const [name, answer] of ask(tcp(await freePort()))) {
          expect(answer, name).toEqual({ pids: [[]], complete: name !== 'lsof' });
        }
      } finally {
        holder.stdin.end();
        await ended;
      }
    });
  },
);
