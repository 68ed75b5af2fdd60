/**
 * The file system of the machine.
 */
import * as fs from 'node:fs';
import type { Files } from './host.ts';

/** `node:fs` as it is. */
export function nodeFiles(): Files {
  return fs;
}
