import { describe, expect, it } from 'vitest';
import { dieEverywhere, PAUSE } from './interruption.ts';
import { SHM } from './support.ts';

const collapse = { how: 'collapse', refuses: [], parent: undefined };
const punch = { how: 'punch', refuses: ['-c'], parent: SHM };
const truncate = { how: 'truncate', refuses: ['-c', '-p'], parent: SHM };

const restart = { type: 'restart' };
const size = { type: 'size', max: 8_192 };
const age = { type: 'age', interval: PAUSE, at: [] };

describe('upkeep killed between any two things it does to a log', () => {
  it.each([
    { ...collapse, what: 'by size, gzip', policy: { rotate: [restart, size], compress: 'gzip' } },
    { ...punch, what: 'by size', policy: { rotate: [restart, size], compress: 'none' } },
    { ...truncate, what: 'by size, gzip', policy: { rotate: [restart, size], compress: 'gzip' } },
    { ...collapse, what: 'by age', policy: { rotate: [restart, age], compress: 'none' } },
    { ...punch, what: 'by age, gzip', policy: { rotate: [restart, age], compress: 'gzip' } },
    { ...truncate, what: 'by age', policy: { rotate: [restart, age], compress: 'none' } },
    {
      ...collapse,
      what: 'by size and age, kept for a time',
      policy: { rotate: [restart, size, age], compress: 'gzip', max_age: 3 * PAUSE },
    },
  ] as const)('keeps every byte: $how, $what', { timeout: 600_000 }, async (interrupted) => {
    expect(await dieEverywhere(interrupted)).toBeGreaterThan(40);
  });
});
