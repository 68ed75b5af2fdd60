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
 * @param output What the schema made of it: right where no fault is.
 */
export function draftsOf(output: unknown, faults: readonly Fault[]): ServiceDraft[] {
  const soundness = new Soundness(faults);
  return entriesOf(entry(output, 'services')).map(([name, service]) => ({
    name,
    actions: entriesOf(entry(service, 'actions')).map(
      ([action, input]) =>
        new ActionDraft(name, action, kindOf(input) === 'map' ? (input as object) : {}, soundness),
    ),
  }));
}

/** Where an action is. */
export function actionPath(service: string, action: string): Path {
  return ['services', service, 'actions', action];
}

function entry(value: unknown, key: string): unknown {
  return kindOf(value) === 'map' ? (value as Record<string, unknown>)[key] : undefined;
}

function entriesOf(value: unknown): [string, unknown][] {
  return kindOf(value) === 'map' ? Object.entries(value as object) : [];
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
    if (this.#holders.has(keyOf(path))) return false;
    return !path.some((_, index) => this.#wrong.has(keyOf(path.slice(0, index + 1))));
  }
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}
