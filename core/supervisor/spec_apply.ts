/**
 * Changes of the service file that are asked of upkeep. The file stays the one truth: it is written first, and what
 * was written is taken over as after a SIGHUP. Should upkeep die in between, the next one reads the new file.
 */
import { reason } from '../job/reason.ts';
import { registryOf } from '../plugin/remote/load.ts';
import { diffSpecs, type SpecDiff } from '../spec/diff.ts';
import { readDocument } from '../spec/document.ts';
import { editSpecText } from '../spec/edit.ts';
import { openServiceFile, type SpecIssue } from '../spec/mod.ts';
import { isTooDeep } from '../spec/nesting.ts';
import type { Actor } from '../store/records.ts';
import { NotFound } from './control.ts';
import type { JobLoop } from './job_loop.ts';
import type { SupervisorOptions } from './options.ts';
import { type PresentFile, readPresent, replacePresent } from './present_file.ts';
import { Conflict, InvalidSpec, Unavailable } from './refusal.ts';
import { type CheckedFile, checkServiceText, textDigest } from './service_file.ts';
import type { ChangeOptions, SpecChangeView, SpecControl, SpecSource, SpecVerdict } from './spec_control.ts';
import type { SpecInForce } from './spec_in_force.ts';

/** What applying is connected to. */
export interface SpecApplyPorts {
  readonly options: SupervisorOptions;
  /** The state folder's own name: no other upkeep has the same. */
  readonly instance: string;
  readonly in_force: SpecInForce;
  readonly loop: JobLoop;
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
    const { options, in_force } = this.#ports;
    const text = typeof spec === 'string' ? spec : dataText(spec);
    if (typeof text !== 'string') return { valid: false, issues: text.issues, unchecked_plugins: [] };
    const open = openServiceFile(text, options.spec_file);
    const known = open.plugins.map(({ index, spec: named }) => {
      const same = in_force.current.plugins.find(
        (plugin) => plugin.spec.path === named.path && plugin.spec.folder === named.folder,
      );
      const unknown = { located: null, description: null, options_schema: null, error: 'not loaded' };
      return { ...(same ?? unknown), spec: named, index };
    });
    const parsed = open.check(registryOf(known, options.plugins));
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

  #change(wanted: string | Wanted, { dry_run }: ChangeOptions, actor: Actor): Promise<SpecChangeView> {
    const { options, in_force, instance } = this.#ports;
    return in_force.inTurn(async () => {
      this.#refuseHalting();
      const given = typeof wanted === 'string' ? wellFormed(wanted) : null;
      const present = this.#present(given);
      const text = given ?? edited(present.text, wanted as Wanted);
      const checked = await checkServiceText(text, options, true);
      if ('issues' in checked) {
        throw new InvalidSpec(typeof wanted === 'string' ? checked.issues : checked.issues.map(withoutPlace));
      }
      const diff = diffSpecs(in_force.current.file, checked.file);
      if (dry_run === true) return { ...diff, applied: false };
      // Loading plugins takes its time, in which upkeep may have begun to go down.
      this.#refuseHalting();
      if (text !== present.text) await replacePresent(options.host.files, present, text, instance);
      await this.#enact(checked, diff, actor);
      return { ...diff, applied: true };
    });
  }

  async #enact(checked: CheckedFile, diff: SpecDiff, actor: Actor): Promise<void> {
    const { options, in_force, loop } = this.#ports;
    const origin = { actor, cause: null };
    const changed = diff.changed.map(({ service, action }) =>
      service === null ? null : `${service}/${action}`,
    );
    const evidence = {
      added: diff.added,
      removed: diff.removed,
      changed: changed.filter((name) => name !== null),
    };
    const why = reason('SPEC_CHANGED', `${options.spec_file} was changed through upkeep`, evidence);
    loop.note(null, why, origin);
    // The next upkeep reads the new file.
    if (!loop.halting) await in_force.takeOver(checked, origin);
  }

  #refuseHalting(): void {
    if (this.#ports.loop.halting) throw new Unavailable('upkeep is going down');
  }

  /** The file on disk, if it is what upkeep last took over, or says already what it is to say. */
  #present(wanted: string | null): PresentFile {
    const { options, in_force } = this.#ports;
    const path = options.spec_file;
    const present = readPresent(options.host.files, path);
    const isKnown = textDigest(present.text) === in_force.current.digest;
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
  return editSpecText(present, JSON.parse(text));
}

/** Plain data as text. */
function dataText(data: unknown): string | { readonly issues: readonly SpecIssue[] } {
  return isTooDeep(data) ? tooDeep : wellFormed(JSON.stringify(data));
}

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
