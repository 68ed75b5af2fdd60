/**
 * A service file of which some parts may be wrong: what the rules that span several fields are checked on, so that
 * everything is told at once.
 */
import type { ActionInput } from './action_schema.ts';
import type { Fault, Path } from './issue.ts';
import { kindOf } from './schema_kit.ts';

/** An element of a list or a map, and where it is. */
export interface Item<T> {
  readonly value: T;
  readonly path: Path;
}

type ElementOf<T> = T extends readonly (infer E)[] ? E : T extends Record<string, infer E> ? E : never;

/** An action of which only what is right can be seen. */
export class ActionDraft {
  readonly service: string;
  readonly name: string;
  readonly path: Path;
  readonly #input: Partial<ActionInput>;
  readonly #soundness: Soundness;

  constructor(service: string, name: string, input: Partial<ActionInput>, soundness: Soundness) {
    this.service = service;
    this.name = name;
    this.path = actionPath(service, name);
    this.#input = input;
    this.#soundness = soundness;
  }

  /** A field with its default; undefined where it is wrong, or absent without a default. */
  get<K extends keyof ActionInput>(field: K): ActionInput[K] | undefined {
    return this.#soundness.isSound([...this.path, field]) ? this.#input[field] : undefined;
  }

  /** The elements of a list or a map that are right. */
  items<K extends keyof ActionInput>(field: K): Item<ElementOf<ActionInput[K]>>[] {
    const holder: unknown = this.#input[field];
    if (typeof holder !== 'object' || holder === null) return [];
    return Object.entries(holder)
      .map(([key, value]) => ({
        value,
        path: [...this.path, field, Array.isArray(holder) ? Number(key) : key],
      }))
      .filter(({ path }) => this.#soundness.isSound(path));
  }
}

/** A service, whatever is wrong with it. */
export interface ServiceDraft {
  readonly name: string;
  /** Every action that is named, whatever is wrong with it. */
  readonly actions: readonly ActionDraft[];
}

/**
 * The services of a file of which some parts may be wrong.
 *
 * @param data What is written: every name, right or not.
 * @param output What the schema made of it: right where no fault is.
 */
export function draftsOf(data: unknown, output: unknown, faults: readonly Fault[]): ServiceDraft[] {
  const soundness = new Soundness(faults);
  return Object.entries(below(data, ['services'])).map(([name, service]) => ({
    name,
    actions: Object.keys(below(service, ['actions'])).map(
      (action) => new ActionDraft(name, action, below(output, actionPath(name, action)), soundness),
    ),
  }));
}

function actionPath(service: string, action: string): Path {
  return ['services', service, 'actions', action];
}

/** The map at a path; an empty one where there is none. */
function below(value: unknown, path: Path): Record<string, unknown> {
  let found = value;
  for (const key of path)
    found = kindOf(found) === 'map' ? (found as Record<string, unknown>)[key] : undefined;
  return kindOf(found) === 'map' ? (found as Record<string, unknown>) : {};
}

/** Tells what is wrong, holds something wrong, or is held by something wrong from all else. */
class Soundness {
  readonly #wrong = new Set<string>();
  readonly #holders = new Set<string>();

  constructor(faults: readonly Fault[]) {
    for (const { path } of faults) {
      this.#wrong.add(keyOf(path));
      for (let length = 0; length < path.length; length++) this.#holders.add(keyOf(path.slice(0, length)));
    }
  }

  isSound(path: Path): boolean {
    if (this.#wrong.size === 0) return true;
    if (this.#holders.has(keyOf(path))) return false;
    return !path.some((_, index) => this.#wrong.has(keyOf(path.slice(0, index + 1))));
  }
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}
