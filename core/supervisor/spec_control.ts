/**
 * What the faces may ask about the service file.
 */
import type { SpecDiff } from '../spec/diff.ts';
import type { SpecIssue } from '../spec/mod.ts';
import type { Actor } from '../store/records.ts';

/** A service file as text, or what it says as plain data. */
export type SpecSource = string | Readonly<Record<string, unknown>>;

/** What checking a service file comes to. */
export interface SpecVerdict {
  readonly valid: boolean;
  /** Places in the text are null where plain data was given. */
  readonly issues: readonly SpecIssue[];
  /** Plugins that it names and that upkeep does not know yet: what is written for them was not checked. */
  readonly unchecked_plugins: readonly string[];
}

/** How a change of the service file is asked for. */
export interface ChangeOptions {
  /** True to tell what would change, and change nothing. */
  readonly dry_run?: boolean;
}

/** What a change of the service file came to, or would come to. */
export interface SpecChangeView extends SpecDiff {
  /** False for a dry run. */
  readonly applied: boolean;
}

/** The service file, as the faces see it. */
export interface SpecControl {
  /**
   * Checks a service file without touching anything: no plugin is started for it, no file that it names is read.
   */
  checkSpec(spec: SpecSource): SpecVerdict;
  /**
   * Makes the service file say something else, and takes it over. Text is written as it is; of plain data only what
   * differs is changed in the present text, whose comments stay. A text that is on disk already is taken over as it is.
   *
   * @throws {@link InvalidSpec}, {@link Conflict} where the file on disk is not what upkeep last read or cannot be
   * replaced safely, {@link Unavailable}; then nothing was changed.
   */
  applySpec(spec: SpecSource, options: ChangeOptions, actor: Actor): Promise<SpecChangeView>;
  /** Adds a service, or makes it another one. Throws as {@link applySpec} does. */
  putService(
    name: string,
    spec: Readonly<Record<string, unknown>>,
    options: ChangeOptions,
    actor: Actor,
  ): Promise<SpecChangeView>;
  /**
   * Takes a service out of the file: what it runs is stopped; its events and its log files are kept. Throws as {@link applySpec} does.
   *
   * @throws {@link NotFound}
   */
  deleteService(name: string, options: ChangeOptions, actor: Actor): Promise<SpecChangeView>;
}
