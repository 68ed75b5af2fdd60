/**
 * Ids of runs and jobs: short, safe as a folder's name and in a marker, and in the order of their making.
 */
import { randomBytes } from 'node:crypto';

/**
 * A new id: the time in base 36, then chance.
 *
 * @param wall ms since the epoch.
 */
export function newId(prefix: 'j' | 'r', wall: number): string {
  const chance = Number.parseInt(randomBytes(5).toString('hex'), 16).toString(36).padStart(8, '0');
  return `${prefix}${wall.toString(36)}${chance}`;
}
