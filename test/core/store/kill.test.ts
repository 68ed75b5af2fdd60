import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { aRun, aService, openStore, tempDir } from './support.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/commit_forever.mjs', import.meta.url));
const ROUNDS = 20;

/** Commits in another process and kills it after so many commits; returns the number of the last one it told of. */
function commitAndKill(path: string, after: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [FIXTURE, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    let killed = false;
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (killed || output.split('\n').length <= after) return;
      killed = true;
      child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`the writer ended by itself: ${signal}`));
      // The last line may be half written.
      resolve(Number(output.split('\n').at(-2)));
    });
  });
}

describe('a store whose process is killed while it writes', () => {
  it('has every commit that was told of, and no half one', async () => {
    const path = join(tempDir(), 'upkeep.db');
    const first = openStore(path).store;
    first.commit({ services: [aService('shop')], runs: [aRun('shop')] });
    first.close();
    for (let round = 0; round < ROUNDS; round += 1) {
      const told = await commitAndKill(path, 1 + ((round * 37) % 200));
      const { store } = openStore(path);
      expect(store.opened).toEqual({ created: false, set_aside: null, lost: null });
      const events = store.events({});
      // Numbers without a gap, and at most the one commit more whose word did not get out.
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      expect(events.length - told).toBeGreaterThanOrEqual(0);
      // A job and its event are one commit.
      const [job] = store.load().jobs;
      expect(job?.restart_count).toBe(events.length);
      store.close();
    }
  });
});
