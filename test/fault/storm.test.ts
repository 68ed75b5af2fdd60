import { expect, it } from 'vitest';
import { storm } from './storm.ts';

it(
  'survives 1000 kills of upkeep',
  async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    const kills = Number(process.env['KILLS'] ?? 1000);
    console.log(`seed ${seed}`);
    const report = await storm(kills, seed);
    console.log(JSON.stringify(report));
    expect(report.kills).toBe(kills);
  },
  2 * 3_600_000,
);
