/**
 * One walk over the nodes of a YAML document: what the library lets pass or only throws, and what aliases stand for.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
} from 'yaml';
import type { Fault, Path } from './issue.ts';

/** Every object has these already: a service of such a name would be found where there is none. */
export const RESERVED_NAMES: readonly string[] = [
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
];

/** What a walk over a document's nodes found. */
export interface Survey {
  readonly faults: readonly Fault[];
  /** The node that each alias stands for. Asked one by one, the library would search the document again each time. */
  readonly targets: ReadonlyMap<Alias, Node>;
  /** Some number, or true or false, would not be written as it is if it were turned into text again: `1.10`, `0x1F`. */
  readonly has_respelt: boolean;
}

/** Something that makes a text no valid YAML. */
export function yamlFault(problem: string, offset: number | null): Fault {
  const fault = { path: [], rule: 'yaml', message: `must be valid YAML: ${problem}`, value: '' };
  return offset === null ? fault : { ...fault, offset };
}

/** Finds keys that stand twice or that plain objects cannot take, aliases of nothing, and what cannot be merged. */
export function survey(document: Document): Survey {
  const surveyor = new Surveyor();
  surveyor.look(document.contents);
  return surveyor;
}

class Surveyor implements Survey {
  readonly faults: Fault[] = [];
  readonly targets = new Map<Alias, Node>();
  has_respelt = false;
  /** An anchor may be set again: an alias means the last one before it. */
  readonly #anchors = new Map<string, Node>();
  /** Where the walk is. Copied for a fault only: a large file has as many paths as keys, and hardly ever a fault. */
  readonly #trail: (string | number)[] = [];

  look(node: unknown): void {
    if (!isNode(node)) return;
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined)
        this.#refuse(`there is no anchor &${node.source} before *${node.source}`, node);
      else this.targets.set(node, target);
      return;
    }
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) this.has_respelt ||= isRespelt(node);
    else if (isSeq(node)) for (const [index, item] of node.items.entries()) this.#below(index, item);
    else if (isMap(node)) this.#lookIntoMap(node.items);
  }

  #lookIntoMap(pairs: readonly Pair[]): void {
    const seen = new Set<string>();
    for (const pair of pairs) {
      if (isMerge(pair)) {
        this.look(pair.value);
        this.#lookAtMerge(pair.value);
        continue;
      }
      if (isNode(pair.key)) this.look(pair.key);
      const key = keyOf(pair);
      const wrong = wrongKey(key, seen);
      if (wrong !== null) this.faults.push(keyFault(wrong, [...this.#trail, key], pair));
      seen.add(key);
      this.#below(key, pair.value);
    }
  }

  #below(key: string | number, node: unknown): void {
    this.#trail.push(key);
    this.look(node);
    this.#trail.pop();
  }

  #lookAtMerge(value: unknown): void {
    const merged = this.#resolve(value);
    for (const source of isSeq(merged) ? merged.items : [merged]) {
      if (!isMap(this.#resolve(source))) this.#refuse('only maps can be merged with <<', value);
    }
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? this.targets.get(node) : node;
  }

  #refuse(problem: string, node: unknown): void {
    this.faults.push(yamlFault(problem, offsetOf(node)));
  }
}

/** True for a pair that merges maps into the one it stands in. */
export function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

/** The text of a key. The parser has seen to it that each is a scalar. */
export function keyOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

/** Where a node begins in the text. */
export function offsetOf(node: unknown): number | null {
  return isNode(node) ? ((node as Node).range?.[0] ?? null) : null;
}

/** True for a number, or true or false, that is not written as it would be turned into text again. */
export function isRespelt(node: unknown): boolean {
  if (!isScalar(node) || (typeof node.value !== 'number' && typeof node.value !== 'boolean')) return false;
  return node.source !== undefined && node.source !== String(node.value);
}

function wrongKey(key: string, seen: ReadonlySet<string>): Pick<Fault, 'rule' | 'message'> | null {
  if (seen.has(key)) return { rule: 'unique_key', message: 'must stand here only once' };
  if (RESERVED_NAMES.includes(key)) {
    return { rule: 'reserved_key', message: 'must have another name: this one is taken in JavaScript' };
  }
  return null;
}

function keyFault(wrong: Pick<Fault, 'rule' | 'message'>, path: Path, pair: Pair): Fault {
  const offset = offsetOf(pair.key);
  const fault = { ...wrong, path, value: JSON.stringify(keyOf(pair)) };
  return offset === null ? fault : { ...fault, offset };
}
