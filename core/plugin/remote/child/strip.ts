/**
 * TypeScript without its types: by Node where it can, else by the library that Node uses for it.
 */
import * as module from 'node:module';

/** Takes the types out of a source text; what remains has its lines and columns where they were. */
export type Strip = (source: string) => string;

interface NodeStrip {
  stripTypeScriptTypes?(source: string, options: { mode: 'strip' }): string;
}

interface Library {
  transformSync(source: string, options: { mode: 'strip-only' }): { code: string };
}

/** @param library where Node's own is missing: the path of `@swc/wasm-typescript`, which is loaded when it is needed. */
export function typeStrip(library: string | null): Strip {
  const { stripTypeScriptTypes } = module as NodeStrip;
  if (stripTypeScriptTypes !== undefined) return (source) => stripTypeScriptTypes(source, { mode: 'strip' });
  return (source) => {
    if (library === null) {
      throw new Error(
        `Node ${process.versions.node} reads no TypeScript and @swc/wasm-typescript is not installed`,
      );
    }
    const { transformSync } = module.createRequire(library)(library) as Library;
    try {
      return transformSync(source, { mode: 'strip-only' }).code;
    } catch (error) {
      // The library throws what is no Error.
      throw error instanceof Error ? error : new SyntaxError(messageOf(error));
    }
  };
}

function messageOf(thrown: unknown): string {
  const { message } = (thrown ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(thrown);
}
