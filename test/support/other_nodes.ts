/**
 * Other versions of Node, to run upkeep and plugins under. They stand apart from the project's own packages, as each of
 * them brings a program called node: `npm ci --prefix test/nodes`.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A version that may be there. */
export interface OtherNode {
  readonly major: number;
  /** The program. */
  readonly path: string;
  readonly installed: boolean;
  /** What a skipped test says that it needs. */
  readonly need: string;
}

/** The versions that upkeep is to run under beside the one that runs the tests. */
export const OTHER_NODES: readonly OtherNode[] = [22, 24, 26].map((major) => {
  const path = fileURLToPath(new URL(`../nodes/node_modules/node${major}/bin/node`, import.meta.url));
  const need = `Node ${major} (npm ci --prefix test/nodes)`;
  return { major, path, installed: existsSync(path), need };
});

/** One of them. */
export function otherNode(major: number): OtherNode {
  const found = OTHER_NODES.find((node) => node.major === major);
  if (found === undefined) throw new Error(`Cannot test with Node ${major} as test/nodes does not have it`);
  return found;
}
