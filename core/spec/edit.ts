/**
 * From what a service file is to say to its text. Only what differs is changed: the comments, the blank lines and the
 * spelling of everything else stay as somebody wrote them.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { keepLines } from './keep_lines.ts';
import { isMerge, keyOf } from './yaml_survey.ts';

/** As `document.ts` reads it. */
const READING = {
  prettyErrors: false,
  schema: 'core',
  merge: true,
  stringKeys: true,
  uniqueKeys: false,
} as const;

/** How many nodes aliases may stand for; what has more was refused when it was read. */
const MAX_ALIASED = 10_000;

/** Lists of so many characters are written in one line. */
const SHORT_LIST = 60;

/**
 * The text of a service file that says `wanted`.
 *
 * @param text a service file that is right, YAML or JSON. JSON stays JSON.
 * @param wanted what it is to say, the whole of it: plain data, as JSON knows it.
 *
 * @example
 * ```ts
 * editSpecText('# ours\nservices: {} # none yet\n', { services: {}, probes: { quorum: 2 } });
 * // '# ours\nservices: {} # none yet\nprobes:\n  quorum: 2\n'
 * ```
 */
export function editSpecText(text: string, wanted: unknown): string {
  const json = jsonIndent(text);
  if (json !== null) return `${JSON.stringify(wanted, null, json)}\n`;
  return (
    attempt(() => edit(text, wanted, () => {})) ??
    edit(text, wanted, resolveAliases) ??
    fail('Cannot edit the service file as the edited text must say what is wanted')
  );
}

/** Null where the library throws: for an alias whose anchor is gone, say. */
function attempt(work: () => string | null): string | null {
  try {
    return work();
  } catch {
    return null;
  }
}

function fail(message: string): never {
  throw new Error(message);
}

/** What a text says; undefined where it cannot be read. */
function read(text: string): unknown {
  try {
    const document = parseDocument(text, READING);
    return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: MAX_ALIASED });
  } catch {
    return undefined;
  }
}

/** Null where the edited text does not say what is wanted: anchors are used elsewhere in what was edited. */
function edit(text: string, wanted: unknown, prepare: (document: Document) => void): string | null {
  const style = {
    lineWidth: 0,
    indent: indentOf(text),
    indentSeq: !/^( *)[^\s#-].*:[ \t]*\n\1- /m.test(text),
  };
  const document: Document = parseDocument(text, READING);
  const before = document.toString(style);
  prepare(document);
  document.contents = new Editor(document).edit(document.contents, wanted) as typeof document.contents;
  const after = document.toString(style);
  const kept = keepLines(text, before, after);
  return [kept, after].find((result) => isDeepStrictEqual(read(result), wanted)) ?? null;
}

/** Changes the nodes of a document. */
class Editor {
  readonly #document: Document;

  constructor(document: Document) {
    this.#document = document;
  }

  /** The node that says `wanted`: the same one, changed, where it can be. */
  edit(node: unknown, wanted: unknown): unknown {
    if (isNode(node) && isDeepStrictEqual(this.#valueOf(node), wanted)) return node;
    if (isMap(node) && isRecord(wanted)) return this.#editMap(node, wanted);
    if (isSeq(node) && Array.isArray(wanted)) return this.#editSeq(node, wanted);
    return this.#replace(node, wanted);
  }

  #editMap(map: YAMLMap, wanted: Readonly<Record<string, unknown>>): YAMLMap {
    const own = new Set(map.items.filter((pair) => !isMerge(pair)).map(keyOf));
    const isUnwanted = (key: string): boolean => !Object.hasOwn(wanted, key);
    // What is merged in cannot be taken out key by key.
    const merged = Object.keys(this.#valueOf(map) as object).filter((key) => !own.has(key));
    if (merged.some(isUnwanted)) map.items = map.items.filter((pair) => !isMerge(pair));
    map.items = map.items.filter((pair) => isMerge(pair) || !isUnwanted(keyOf(pair)));
    // An empty one can be written in no other way; what comes into it now begins lines of its own.
    if (map.items.length === 0) map.flow = false;
    for (const [key, value] of Object.entries(wanted)) {
      const pair = map.items.find((candidate) => !isMerge(candidate) && keyOf(candidate) === key);
      if (pair !== undefined) pair.value = this.edit(pair.value, value);
      else if (!this.#isMergedIn(map, key, value)) map.items.push(this.#pair(key, value));
    }
    return map;
  }

  #isMergedIn(map: YAMLMap, key: string, value: unknown): boolean {
    if (!map.items.some(isMerge)) return false;
    const effective = this.#valueOf(map) as Record<string, unknown>;
    return Object.hasOwn(effective, key) && isDeepStrictEqual(effective[key], value);
  }

  /** Items at the head and at the tail that stay are left alone; those between are changed one by one. */
  #editSeq(seq: YAMLSeq, wanted: readonly unknown[]): YAMLSeq {
    const values = this.#valueOf(seq) as unknown[];
    const { length } = wanted;
    const least = Math.min(values.length, length);
    let head = 0;
    while (head < least && isDeepStrictEqual(values[head], wanted[head])) head++;
    let tail = 0;
    while (tail < least - head && isDeepStrictEqual(values.at(-1 - tail), wanted.at(-1 - tail))) tail++;
    const old = seq.items.slice(head, seq.items.length - tail);
    const middle = wanted
      .slice(head, length - tail)
      .map((value, index) => (index < old.length ? this.edit(old[index], value) : this.#node(value)));
    if (seq.items.length === 0) seq.flow = false;
    seq.items = [...seq.items.slice(0, head), ...middle, ...seq.items.slice(seq.items.length - tail)];
    return seq;
  }

  #replace(node: unknown, wanted: unknown): Node {
    const fresh = this.#node(wanted);
    if (!isNode(node)) return fresh;
    const { comment, commentBefore, spaceBefore } = node;
    Object.assign(fresh, { comment, commentBefore, spaceBefore });
    const quoted = isScalar(node) && (node as Scalar).type?.startsWith('QUOTE') === true;
    if (quoted && isScalar(fresh) && typeof wanted === 'string') Object.assign(fresh, { type: node.type });
    return fresh;
  }

  #node(value: unknown): Node {
    // Without this a value that stands at several places in the wanted data would be written once, with an anchor.
    const node = this.#document.createNode(value, { aliasDuplicateObjects: false }) as Node;
    visit(node, { Seq: (_, seq) => this.#write(seq) });
    return node;
  }

  /** A list of a few words reads best in one line. */
  #write(seq: YAMLSeq): void {
    const words = seq.items.map((item) => (isScalar(item) ? String(item.value) : null));
    seq.flow = words.every((word) => word !== null) && words.join(', ').length <= SHORT_LIST;
  }

  #pair(key: string, value: unknown): Pair {
    return this.#document.createPair(key, this.#node(value)) as Pair;
  }

  #valueOf(node: Node): unknown {
    return node.toJS(this.#document, { maxAliasCount: MAX_ALIASED });
  }
}

/** Puts in the place of each alias what it stands for: from then on every part can be changed without the others. */
function resolveAliases(document: Document): void {
  visit(document, {
    Alias: (_, alias) => {
      const target = alias.resolve(document);
      return target === undefined ? undefined : document.createNode(target.toJS(document));
    },
  });
  visit(document, {
    Map: (_, map) => {
      if (!map.items.some(isMerge)) return;
      const effective = map.toJS(document) as Record<string, unknown>;
      map.items = map.items.filter((pair) => !isMerge(pair));
      const own = new Set(map.items.map(keyOf));
      for (const [key, value] of Object.entries(effective)) {
        if (!own.has(key)) map.items.push(document.createPair(key, value));
      }
    },
    Node: (_, node) => {
      if (!isAlias(node)) delete (node as { anchor?: string }).anchor;
    },
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How deep the first line that is indented is. */
function indentOf(text: string): number {
  const blanks = /^\S.*:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*( +)\S/m.exec(text)?.[1] ?? '  ';
  return Math.min(8, blanks.length);
}

/** How a text that is JSON is indented, in blanks; null for any other. */
function jsonIndent(text: string): number | null {
  if (!/^\s*\{/.test(text)) return null;
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return /\n( +)"/.exec(text)?.[1]?.length ?? (text.trim().includes('\n') ? 2 : 0);
}
