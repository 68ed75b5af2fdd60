/**
 * Plugins in processes of their own, run by the compiled program on one Node or another.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeHost } from '../../core/host/node_host.ts';
import { packageFolder } from '../../core/plugin/remote/locate.ts';
import type { PluginRuntime } from '../../core/plugin/remote/runtime.ts';
import { otherNode } from './other_nodes.ts';

const MAIN = fileURLToPath(new URL('../../dist/core/plugin/remote/child/main.js', import.meta.url));

/** The folder of the plugins that are fixtures. */
export const PLUGINS = fileURLToPath(new URL('../fixtures/plugins', import.meta.url));

/** A Node to run plugins on. */
export interface TestedNode {
  readonly name: string;
  readonly runtime: PluginRuntime;
  /** What is missing for it to be tested; null where nothing is. */
  readonly needs: string | null;
}

/** This Node, a newer one that is installed for tests, and those that `UPKEEP_NODES` names (paths, joined by colons). */
export const NODES: readonly TestedNode[] = [
  tested(process.execPath),
  tested(otherNode(24).path, otherNode(24).need),
  ...(process.env['UPKEEP_NODES'] ?? '').split(':').flatMap((path) => (path === '' ? [] : [tested(path)])),
];

/** This Node. */
export const OWN_RUNTIME: PluginRuntime = tested(process.execPath).runtime;

function tested(node: string, name?: string): TestedNode {
  if (!existsSync(node)) {
    return { name: name ?? node, runtime: { node, version: '0', main: MAIN }, needs: name ?? node };
  }
  const version = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
  return { name: `Node ${version}`, runtime: { node, version, main: MAIN }, needs: stripper(version) };
}

/** Node takes types out by itself from 22.13 on. */
function stripper(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return null;
  const library = '@swc/wasm-typescript';
  return packageFolder(library, dirname(MAIN), nodeHost().files) === null ? library : null;
}
