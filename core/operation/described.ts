/**
 * Words for schemas. Whatever documents an operation (OpenAPI, OpenRPC, the tools of agents) is made from them.
 */
import * as v from 'valibot';

/**
 * The same schema, with one plain sentence on what it is, units included.
 *
 * @example
 * ```ts
 * described('How long to wait, ms.', v.number());
 * ```
 */
export function described<const S extends v.GenericSchema>(text: string, schema: S) {
  return v.pipe(schema, v.description(text));
}

/**
 * The same schema under a name of its own: generated documents say what it is once, and refer to it by this name. One
 * that is described again where it is used is written out there, so a name describes what it stands for everywhere.
 */
export function named<const S extends v.GenericSchema>(title: string, text: string, schema: S) {
  return v.pipe(schema, v.title(title), v.description(text));
}
