/**
 * Loads a plugin's file: its imports of `upkeep/plugin` and `valibot` lead to upkeep's own, wherever the file lies, and
 * TypeScript is read on every version of Node.
 *
 * It is done by linking modules by hand. Node's own hooks for this are not there before 22.15, but for ones that need a
 * worker thread, and whoever may start a worker is outside of the permission model.
 */
import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as vm from 'node:vm';
import type { Strip } from './strip.ts';

/** A module as it is imported: its exports by name. */
export type Exports = Readonly<Record<string, unknown>>;

/** Files that are linked here; everything else is imported by Node itself. */
const LINKED = new Set(['.ts', '.mts', '.js', '.mjs']);
const TYPED = new Set(['.ts', '.mts']);

/** Loads modules for one plugin. */
export class Loader {
  readonly #own: Readonly<Record<string, Exports>>;
  readonly #strip: Strip;
  readonly #modules = new Map<string, vm.Module>();

  /** @param own what is imported by these names, from wherever. */
  constructor(own: Readonly<Record<string, Exports>>, strip: Strip) {
    this.#own = own;
    this.#strip = strip;
  }

  /**
   * Loads a file and all that it imports.
   *
   * @param file absolute.
   * @throws what is wrong with it, with the place.
   */
  async load(file: string): Promise<Exports> {
    try {
      return (await this.#evaluated(this.#linked(file))).namespace as Exports;
    } catch (error) {
      throw placed(error, file);
    }
  }

  async #evaluated(module: vm.Module): Promise<vm.Module> {
    if (module.status === 'unlinked') {
      await module.link((specifier, { identifier }) => this.#resolve(specifier, identifier));
    }
    await module.evaluate();
    return module;
  }

  /** @param from the importing file, as a URL. */
  async #resolve(specifier: string, from: string): Promise<vm.Module> {
    const own = this.#own[specifier];
    if (own !== undefined) return this.#native(specifier, own);
    if (isBuiltin(specifier)) return this.#native(specifier, (await import(specifier)) as Exports);
    const file = fileOf(specifier, from);
    if (LINKED.has(extname(file)) && !isPackage(specifier)) return this.#linked(file);
    return this.#native(file, (await import(pathToFileURL(file).href)) as Exports);
  }

  #linked(file: string): vm.Module {
    const known = this.#modules.get(file);
    if (known !== undefined) return known;
    const text = readSource(file);
    const source = TYPED.has(extname(file)) ? this.#stripped(text, file) : text;
    const url = pathToFileURL(file).href;
    const module = new vm.SourceTextModule(source, {
      identifier: url,
      initializeImportMeta: (meta) => Object.assign(meta, { url, filename: file, dirname: dirname(file) }),
      importModuleDynamically: async (specifier: string) =>
        this.#evaluated(await this.#resolve(specifier, url)),
    });
    this.#modules.set(file, module);
    return module;
  }

  #native(name: string, exports: Exports): vm.Module {
    const known = this.#modules.get(name);
    if (known !== undefined) return known;
    const names = Object.keys(exports);
    const module = new vm.SyntheticModule(names, () => {
      for (const key of names) module.setExport(key, exports[key]);
    });
    this.#modules.set(name, module);
    return module;
  }

  #stripped(text: string, file: string): string {
    try {
      return this.#strip(text);
    } catch (error) {
      throw new SyntaxError(`${file}: ${(error as Error).message}`);
    }
  }
}

function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ACCESS_DENIED') throw error;
    throw new Error(
      `Cannot import ${file} as a plugin may read no file but its own: name its folder where it is made of several`,
    );
  }
}

function isPackage(specifier: string): boolean {
  return !/^(?:\.{1,2}\/|\/|file:)/.test(specifier);
}

function fileOf(specifier: string, from: string): string {
  const importer = fileURLToPath(from);
  if (specifier.startsWith('file:')) return fileURLToPath(specifier);
  if (!isPackage(specifier)) return resolve(dirname(importer), specifier);
  return createRequire(importer).resolve(specifier);
}

/** With the place of the fault in the plugin's own files, as far as it is known. */
function placed(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || error.message.includes(file)) return error;
  if (error instanceof SyntaxError) error.message = `${file}: ${error.message}`;
  const [, place] = /\bfile:\/\/(\/\S+:\d+:\d+)/.exec(error.stack ?? '') ?? [];
  if (place?.startsWith(dirname(file))) error.message = `${error.message} (${place})`;
  return error;
}
