import { expect, it } from 'vitest';
import { storm } from './storm.ts';

/** The suite's share; `npm run storm` does 1000. */
const KILLS = 80;

it(
  `survives ${KILLS} kills of upkeep at random instants and at fault points`,
  async () => {
    const seed = Date.now() % 1_000_000;
    console.log(`seed ${seed}`);
    const report = await storm(KILLS, seed);
    console.log(JSON.stringify(report));
    expect(report.kills).toBe(KILLS);
    expect(report.at_fault_points).toBeGreaterThan(KILLS / 4);
    expect(report.lives_looked_into).toBeGreaterThan(KILLS / 4);
    expect(report.commands).toBeGreaterThan(KILLS / 4);
  },
  30 * 60_000,
);
