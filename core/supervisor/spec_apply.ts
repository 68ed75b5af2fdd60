/**
 * Changes of the service file that are asked of upkeep. The file stays the one truth: it is written first, and what
 * was written is taken over as after a SIGHUP. Should upkeep die in between, the next one reads the new file.
 */
import type { Files } from '../host/host.ts';
import { reason } from '../job/reason.ts';
import type { BuiltInPlugins } from '../plugin/built_in.ts';
import { registryOf } from '../plugin/remote/load.ts';
import { diffSpecs, type SpecDiff } from '../spec/diff.ts';
import { readDocument } from '../spec/document.ts';
import { editSpecText } from '../spec/edit.ts';
import { openServiceFile, type SpecIssue } from '../spec/mod.ts';
import type { Actor } from '../store/records.ts';
import { NotFound } from './control.ts';
import { type PresentFile, readPresent, replacePresent } from './present_file.ts';
import { Conflict, InvalidSpec, Unavailable } from './refusal.ts';
import type { Origin } from './runtime.ts';
import { type CheckedFile, textDigest } from './service_file.ts';
import type { ChangeOptions, SpecChangeView, SpecControl, SpecSource, SpecVerdict } from './spec_control.ts';

/** What applying is connected to. */
export interface SpecApplyPorts {
  readonly files: Files;
  /** The service file, absolute. */
  readonly path: string;
  /** The state folder's own name: no other upkeep has the same. */
  readonly instance: string;
  readonly built_in: BuiltInPlugins;
  /** The service file as it was last taken over. */
  current(): CheckedFile;
  /** Checks a text and loads its plugins, of which each must be there. */
  check(text: string): Promise<CheckedFile | { readonly issues: readonly SpecIssue[] }>;
  takeOver(checked: CheckedFile, origin: Origin): Promise<void>;
  /** One reading of the file after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** upkeep is going down. */
  halting(): boolean;
  /** Records what was done. */
  note(why: ReturnType<typeof reason>, origin: Origin): void;
}

/** What plain data is to become, from what the file says now. */
type Wanted = (present: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** See the top of this file. */
export class SpecApply implements SpecControl {
  readonly #ports: SpecApplyPorts;

  constructor(ports: SpecApplyPorts) {
    this.#ports = ports;
  }

  checkSpec(spec: SpecSource): SpecVerdict {
    const { path, built_in, current } = this.#ports;
    const text = typeof spec === 'string' ? spec : dataText(spec);
    if (typeof text !== 'string') return { valid: false, issues: text.issues, unchecked_plugins: [] };
    const open = openServiceFile(text, path);
    const known = open.plugins.map(({ index, spec: named }) => {
      const same = current().plugins.find(
        (plugin) => plugin.spec.path === named.path && plugin.spec.folder === named.folder,
      );
      const unknown = { located: null, description: null, options_schema: null, error: 'not loaded' };
      return { ...(same ?? unknown), spec: named, index };
    });
    const parsed = open.check(registryOf(known, built_in));
    const issues = 'issues' in parsed ? parsed.issues : [];
    return {
      valid: issues.length === 0,
      issues: typeof spec === 'string' ? issues : issues.map(withoutPlace),
      unchecked_plugins: known.flatMap((plugin) => (plugin.description === null ? [plugin.spec.path] : [])),
    };
  }

  applySpec(spec: SpecSource, options: ChangeOptions, actor: Actor): Promise<SpecChangeView> {
    return this.#change(typeof spec === 'string' ? spec : () => spec, options, actor);
  }

  putService(
    name: string,
    spec: Readonly<Record<string, unknown>>,
    options: ChangeOptions,
    actor: Actor,
  ): Promise<SpecChangeView> {
    return this.#change(
      (present) => ({ ...present, services: { ...servicesIn(present), [name]: spec } }),
      options,
      actor,
    );
  }

  deleteService(name: string, options: ChangeOptions, actor: Actor): Promise<SpecChangeView> {
    const without: Wanted = (present) => {
      const services = { ...servicesIn(present) };
      if (!Object.hasOwn(services, name)) throw new NotFound(`no service '${name}' in the service file`);
      delete services[name];
      return { ...present, services };
    };
    return this.#change(without, options, actor);
  }

  #change(wanted: string | Wanted, options: ChangeOptions, actor: Actor): Promise<SpecChangeView> {
    const { inTurn, check, current, files, instance } = this.#ports;
    return inTurn(async () => {
      this.#refuseHalting();
      const given = typeof wanted === 'string' ? wellFormed(wanted) : null;
      const present = this.#present(given);
      const text = given ?? edited(present.text, wanted as Wanted);
      const checked = await check(text);
      if ('issues' in checked) {
        throw new InvalidSpec(typeof wanted === 'string' ? checked.issues : checked.issues.map(withoutPlace));
      }
      const diff = diffSpecs(current().file, checked.file);
      if (options.dry_run === true) return { ...diff, applied: false };
      // Loading plugins takes its time, in which upkeep may have begun to go down.
      this.#refuseHalting();
      if (text !== present.text) await replacePresent(files, present, text, instance);
      await this.#enact(checked, diff, actor);
      return { ...diff, applied: true };
    });
  }

  async #enact(checked: CheckedFile, diff: SpecDiff, actor: Actor): Promise<void> {
    const { halting, note, takeOver, path } = this.#ports;
    const origin = { actor, cause: null };
    const changed = diff.changed.map(({ service, action }) =>
      service === null ? null : `${service}/${action}`,
    );
    const evidence = {
      added: diff.added,
      removed: diff.removed,
      changed: changed.filter((name) => name !== null),
    };
    note(reason('SPEC_CHANGED', `${path} was changed through upkeep`, evidence), origin);
    // The next upkeep reads the new file.
    if (!halting()) await takeOver(checked, origin);
  }

  #refuseHalting(): void {
    if (this.#ports.halting()) throw new Unavailable('upkeep is going down');
  }

  /** The file on disk, if it is what upkeep last took over, or says already what it is to say. */
  #present(wanted: string | null): PresentFile {
    const { files, path, current } = this.#ports;
    const present = readPresent(files, path);
    const isKnown = textDigest(present.text) === current().digest;
    if (isKnown || present.text === wanted) return present;
    throw new Conflict(
      `${path} is not what upkeep last read: somebody has changed it; have it read again first (SIGHUP)`,
    );
  }
}

function servicesIn(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return data['services'] as Readonly<Record<string, unknown>>;
}

/** The present text with what is wanted in it. */
function edited(present: string, wanted: Wanted): string {
  // It was taken over, so it is a map.
  const data = readDocument(present).data as Readonly<Record<string, unknown>>;
  const text = dataText(wanted(data));
  if (typeof text !== 'string') throw new InvalidSpec(text.issues);
  try {
    return editSpecText(present, JSON.parse(text));
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidSpec(tooDeep.issues);
    throw error;
  }
}

/** Plain data as text. */
function dataText(data: unknown): string | { readonly issues: readonly SpecIssue[] } {
  try {
    return wellFormed(JSON.stringify(data));
  } catch (error) {
    if (error instanceof RangeError) return tooDeep;
    throw error;
  }
}

/** What a stack that overflows says of what was given. */
const tooDeep = {
  issues: [
    {
      path: '',
      rule: 'depth',
      value: '',
      line: null,
      column: null,
      message: 'must not be nested that deeply',
    },
  ],
} satisfies { readonly issues: readonly SpecIssue[] };

/** A half of a surrogate pair cannot be written: what is checked is what will be read. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function withoutPlace(issue: SpecIssue): SpecIssue {
  return { ...issue, line: null, column: null };
}
