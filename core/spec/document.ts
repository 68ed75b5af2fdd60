/**
 * The text of a service file as plain data, with the way back from each value to its place in the text.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Fault, Path } from './issue.ts';

/** How many nodes aliases may stand for, which bounds what a "billion laughs" can grow to. */
const MAX_ALIASED = 10_000;

/** Where something is in a text, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A text that was read, however wrong what it says may be. */
export interface SpecDocument {
  /** Undefined where the text is no YAML at all. */
  readonly data: unknown;
  readonly faults: readonly Fault[];
  /** Where the key or the value at a path is, or as much of the path as there is. */
  positionOf(path: Path, at: 'key' | 'value'): Position | null;
  positionAt(offset: number): Position;
  /** True for a number, or a yes or no, that is not written as it would be turned into text again: `1.10`, `0x1F`. */
  isRespelt(path: Path): boolean;
}

/** Reads YAML 1.2, and so JSON. Everything that is wrong with it is told, not thrown. */
export function readDocument(text: string): SpecDocument {
  const lines = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const unread = (faults: readonly Fault[]): SpecDocument => {
    return { data: undefined, faults, positionOf: () => null, positionAt, isRespelt: () => false };
  };
  try {
    // Warnings are about tags that mean nothing here. The version is named, as a directive could change it otherwise.
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      schema: 'core',
      merge: true,
      stringKeys: true,
      uniqueKeys: false,
    });
    const wrong = [...document.errors, ...document.warnings].map((error) =>
      yamlFault(error.message, error.pos[0]),
    );
    if (wrong.length > 0) return unread(wrong);
    const nodes = new Nodes(document);
    const faults = nodes.faults();
    if (faults.some(({ rule }) => rule === 'yaml')) return unread(faults);
    const data: unknown = document.toJS({ maxAliasCount: MAX_ALIASED });
    return {
      data,
      faults,
      positionAt,
      positionOf(path, at) {
        const offset = nodes.offsetOf(path, at);
        return offset === null ? null : positionAt(offset);
      },
      isRespelt: (path) => nodes.isRespelt(path),
    };
  } catch (error) {
    // What the parser throws: a stack that overflows on nesting without end, or more aliases than are allowed.
    if (!(error instanceof RangeError || error instanceof ReferenceError)) throw error;
    return unread([yamlFault('nested too deeply, or too many aliases')]);
  }
}

function yamlFault(problem: string, offset?: number): Fault {
  const fault = { path: [], rule: 'yaml', message: `must be valid YAML: ${problem}`, value: '' };
  return offset === undefined ? fault : { ...fault, offset };
}

/** The nodes of a document: what plain data does not tell any more. */
class Nodes {
  readonly #document: Document;

  constructor(document: Document) {
    this.#document = document;
  }

  /** Keys that stand there twice, keys that plain objects cannot take, and aliases of nothing. */
  faults(): Fault[] {
    const faults: Fault[] = [];
    const look = (node: unknown, path: Path): void => {
      if (isAlias(node) && node.resolve(this.#document) === undefined) {
        faults.push(yamlFault(`no anchor &${node.source} before this alias`, node.range?.[0]));
      }
      if (isSeq(node)) for (const [index, item] of node.items.entries()) look(item, [...path, index]);
      if (!isMap(node)) return;
      const seen = new Set<string>();
      for (const pair of node.items) {
        const key = keyOf(pair);
        const below = isMerge(pair) ? path : [...path, key];
        if (!isMerge(pair)) faults.push(...keyFaults(key, below, seen, offsetIn(pair.key)));
        seen.add(key);
        look(pair.value, below);
      }
    };
    look(this.#document.contents, []);
    return faults;
  }

  offsetOf(path: Path, at: 'key' | 'value'): number | null {
    let node: unknown = this.#document.contents;
    let keyOffset = offsetIn(node);
    for (const key of path) {
      const holder = this.#resolve(node);
      if (isSeq(holder) && typeof key === 'number' && holder.items[key] !== undefined) {
        node = holder.items[key];
        keyOffset = offsetIn(node);
      } else {
        const pair = isMap(holder) ? this.#find(holder, String(key)) : null;
        if (pair === null) return keyOffset;
        keyOffset = offsetIn(pair.key);
        node = pair.value;
      }
    }
    return at === 'key' ? keyOffset : (offsetIn(node) ?? keyOffset);
  }

  isRespelt(path: Path): boolean {
    let node: unknown = this.#document.contents;
    for (const key of path) {
      const holder = this.#resolve(node);
      if (isSeq(holder)) node = holder.items[Number(key)];
      else node = isMap(holder) ? this.#find(holder, String(key))?.value : null;
    }
    const scalar = this.#resolve(node);
    if (!isScalar(scalar) || typeof scalar.value === 'string') return false;
    return scalar.source !== undefined && scalar.source !== String(scalar.value);
  }

  /** A key of a map's own comes before one that is merged in, and of those the first. */
  #find(map: YAMLMap, key: string): Pair | null {
    const own = map.items.find((pair) => !isMerge(pair) && keyOf(pair) === key);
    if (own !== undefined) return own;
    for (const pair of map.items.filter(isMerge)) {
      const merged = this.#resolve(pair.value);
      for (const source of isSeq(merged) ? merged.items : [merged]) {
        const holder = this.#resolve(source);
        const found = isMap(holder) ? this.#find(holder, key) : null;
        if (found !== null) return found;
      }
    }
    return null;
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }
}

function keyFaults(key: string, path: Path, seen: ReadonlySet<string>, offset: number | null): Fault[] {
  const fault = { path, value: JSON.stringify(key), ...(offset === null ? {} : { offset }) };
  if (seen.has(key)) return [{ ...fault, rule: 'unique_key', message: 'must stand here only once' }];
  // Every object has these already: a service of that name would be found where there is none.
  if (key in Object.prototype || key === 'prototype') {
    return [
      { ...fault, rule: 'reserved_key', message: 'must have another name: this one is taken in JavaScript' },
    ];
  }
  return [];
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

function offsetIn(node: unknown): number | null {
  return isNode(node) ? ((node as Node).range?.[0] ?? null) : null;
}
