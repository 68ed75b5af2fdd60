/**
 * What a converter makes of somebody else's file: services as they would stand in an upkeep.yaml, and what could not
 * be carried over.
 */
import { Document, isScalar, type Pair, visit, type YAMLMap } from 'yaml';

/** One action, as it is to be written. */
export interface DraftAction {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What could not be carried over, a sentence each. */
  readonly remarks: readonly string[];
}

/** One service, as it is to be written. */
export interface DraftService {
  readonly name: string;
  readonly actions: readonly DraftAction[];
  readonly remarks: readonly string[];
}

/** What came of a file. */
export interface Draft {
  readonly services: readonly DraftService[];
  /** About the file as a whole. */
  readonly remarks: readonly string[];
}

/** Thrown where a file cannot be read as what it should be. */
export class CannotConvert extends Error {
  override readonly name = 'CannotConvert';
}

/** Lists of so many characters are written in one line. */
const SHORT_LIST = 80;

/**
 * A name that a service file takes, as near as possible to the one that is wanted.
 *
 * @param taken names that are used already; the new one is added.
 *
 * @example
 * ```ts
 * safeName('My API', new Set()); // 'my-api'
 * ```
 */
export function safeName(wanted: string, taken: Set<string>): string {
  const plain = wanted
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 60);
  const base = plain === '' ? 'app' : plain;
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base.slice(0, 57)}-${number}`;
  taken.add(name);
  return name;
}

/** A remark about a name that could not stay as it was; none where it could. */
export function renamed(wanted: string, name: string): string[] {
  return wanted === name ? [] : [`it was called ${JSON.stringify(wanted)}`];
}

/**
 * The text of a service file with these services; each remark stands as a comment above what it is about.
 *
 * @param origin what it was made from, for the first line.
 */
export function draftText({ services, remarks }: Draft, origin: string): string {
  const data = Object.fromEntries(
    services.map(({ name, actions }) => [
      name,
      { actions: Object.fromEntries(actions.map((action) => [action.name, action.fields])) },
    ]),
  );
  const document = new Document({ services: data }, { aliasDuplicateObjects: false });
  document.commentBefore = [
    ' yaml-language-server: $schema=./node_modules/upkeep/dist/upkeep.schema.json',
    ` Made by upkeep init from ${origin}. See what is left to be done with: upkeep check`,
    ...remarks.map(comment),
  ].join('\n');
  visit(document, {
    Seq: (_, seq) => {
      const words = seq.items.map((item) => (isScalar(item) ? String(item.value) : null));
      seq.flow = words.every((word) => word !== null) && words.join(', ').length <= SHORT_LIST;
    },
  });
  for (const service of services) {
    note(document, ['services'], service.name, service.remarks);
    for (const action of service.actions) {
      note(document, ['services', service.name, 'actions'], action.name, action.remarks);
    }
  }
  return document.toString({ lineWidth: 0 });
}

function note(document: Document, path: readonly string[], name: string, remarks: readonly string[]): void {
  if (remarks.length === 0) return;
  const map = document.getIn(path) as YAMLMap<{ value: string; commentBefore?: string }>;
  const pair = map.items.find(({ key }) => key.value === name) as
    | Pair<{ commentBefore?: string }>
    | undefined;
  if (pair !== undefined) pair.key.commentBefore = remarks.map(comment).join('\n');
}

/** Of one line: what stands in somebody's file must not become anything else than a comment. */
function comment(remark: string): string {
  return ` ${remark.replaceAll(/\p{Cc}+/gu, ' ')}`;
}
