/**
 * The text of a service file as plain data, with the way back from each value to its place in the text.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isSeq,
  LineCounter,
  type Pair,
  Parser,
  type YAMLMap,
  YAMLParseError,
} from 'yaml';
import type { Fault, Path } from './issue.ts';
import { isTooDeep, isTooDeepYaml } from './nesting.ts';
import { plainJson } from './plain_json.ts';
import {
  isMerge,
  isRespelt,
  keyOf,
  offsetOf,
  RESERVED_NAMES,
  type Survey,
  survey,
  yamlFault,
} from './yaml_survey.ts';

/** How many nodes aliases may stand for, which bounds what a "billion laughs" can grow to. */
const MAX_ALIASED = 10_000;

/** A text in which this is not found has no {@link RESERVED_NAMES} among its keys. */
const RESERVED_KEY = new RegExp(`"(?:${RESERVED_NAMES.join('|')})"`);

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
  /** True for a number, or true or false, that is not written as it would be turned into text again: `1.10`, `0x1F`. */
  isRespelt(path: Path): boolean;
}

/** Reads YAML 1.2, and so JSON. Everything that is wrong with it is told, not thrown. */
export function readDocument(text: string): SpecDocument {
  const data = plainJson(text);
  if (data === undefined || RESERVED_KEY.test(text)) return readYaml(text);
  // Only what is wrong has to be found in the text again.
  let document: SpecDocument | null = null;
  const wayBack = (): SpecDocument => {
    document ??= readYaml(text);
    return document;
  };
  return {
    data,
    faults: [],
    positionOf: (path, at) => wayBack().positionOf(path, at),
    positionAt: (offset) => wayBack().positionAt(offset),
    isRespelt: () => false,
  };
}

function readYaml(text: string): SpecDocument {
  const lines = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const unread = (faults: readonly Fault[]): SpecDocument => {
    return { data: undefined, faults, positionOf: () => null, positionAt, isRespelt: () => false };
  };
  try {
    const document = composed(text, lines, {
      // A %YAML directive could choose another one, in which `no` is false and 1:30 is 90.
      schema: 'core',
      merge: true,
      stringKeys: true,
      // The survey tells the path too.
      uniqueKeys: false,
    });
    // Warnings are about tags that mean nothing here.
    const wrong = [...document.errors, ...document.warnings];
    if (wrong.length > 0) return unread(wrong.map(({ message, pos: [begin] }) => yamlFault(message, begin)));
    const surveyed = survey(document);
    if (surveyed.faults.some(({ rule }) => rule === 'yaml')) return unread(surveyed.faults);
    const data: unknown = document.toJS({ maxAliasCount: MAX_ALIASED });
    // Aliases add up to a depth that is not in the text.
    if (isTooDeep(data)) throw new RangeError('nested too deeply');
    const places = new Places(document, surveyed);
    return {
      data,
      faults: surveyed.faults,
      positionAt,
      positionOf(path, at) {
        const offset = places.offsetOf(path, at);
        return offset === null ? null : positionAt(offset);
      },
      isRespelt: (path) => surveyed.has_respelt && isRespelt(places.find(path).value),
    };
  } catch (error) {
    // What is thrown at nesting without end, and by the library where there are more aliases than are allowed.
    if (!(error instanceof RangeError || error instanceof ReferenceError)) throw error;
    return unread([yamlFault('it is nested too deeply, or has too many aliases', null)]);
  }
}

/**
 * As `parseDocument` does it, but no tree is made of what is nested too deeply. Nor is a line quoted in errors, and with
 * it what may be a secret.
 *
 * @throws a `RangeError` where it is.
 */
function composed(
  text: string,
  lines: LineCounter,
  options: ConstructorParameters<typeof Composer>[0],
): Document.Parsed {
  function* bounded(tokens: Iterable<CST.Token>): Iterable<CST.Token> {
    for (const token of tokens) {
      if (isTooDeepYaml(token)) throw new RangeError('nested too deeply');
      yield token;
    }
  }
  const tokens = bounded(new Parser(lines.addNewLine).parse(text));
  const [document, another] = new Composer(options).compose(tokens, true, text.length);
  // The composer makes one in any case.
  if (document === undefined) throw new Error('no document was made of the text');
  if (another !== undefined) {
    const [begin, end] = another.range;
    const message = 'there is a second document behind the first';
    document.errors.push(new YAMLParseError([begin, end], 'MULTIPLE_DOCS', message));
  }
  return document;
}

/** Finds the nodes of a document by path. */
class Places {
  readonly #document: Document;
  readonly #targets: Survey['targets'];

  constructor(document: Document, { targets }: Survey) {
    this.#document = document;
    this.#targets = targets;
  }

  offsetOf(path: Path, at: 'key' | 'value'): number | null {
    const found = this.find(path);
    const key = offsetOf(found.key);
    return at === 'key' || !found.whole ? key : (offsetOf(found.value) ?? key);
  }

  /** The nodes at a path, its aliases resolved; where it leads nowhere (`whole` false), those it came as far as. */
  find(path: Path): { key: unknown; value: unknown; whole: boolean } {
    let found: { key: unknown; value: unknown } = {
      key: this.#document.contents,
      value: this.#document.contents,
    };
    for (const key of path) {
      const next = this.#step(found.value, key);
      if (next === null) return { ...found, whole: false };
      found = next;
    }
    return { ...found, whole: true };
  }

  #step(holder: unknown, key: string | number): { key: unknown; value: unknown } | null {
    if (isSeq(holder)) {
      const item = holder.items[Number(key)];
      return item === undefined ? null : { key: item, value: this.#resolve(item) };
    }
    const pair = isMap(holder) ? this.#pair(holder, String(key)) : null;
    return pair === null ? null : { key: pair.key, value: this.#resolve(pair.value) };
  }

  /** A key of a map's own comes before one that is merged in, and of those the first. */
  #pair(map: YAMLMap, key: string): Pair | null {
    const own = map.items.find((pair) => !isMerge(pair) && keyOf(pair) === key);
    if (own !== undefined) return own;
    for (const { value } of map.items.filter(isMerge)) {
      const merged = this.#resolve(value);
      for (const source of isSeq(merged) ? merged.items : [merged]) {
        const holder = this.#resolve(source);
        const found = isMap(holder) ? this.#pair(holder, key) : null;
        if (found !== null) return found;
      }
    }
    return null;
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? this.#targets.get(node) : node;
  }
}
