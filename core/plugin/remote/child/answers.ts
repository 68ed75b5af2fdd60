/**
 * What a plugin's process answers to upkeep.
 */
import type * as valibot from 'valibot';
import type { EventRecord } from '../../../store/records.ts';
import type { CheckedJob } from '../../context.ts';
import type { HoldersQuery, OptionsSchema, Plugin } from '../../definition.ts';
import type { LogFacts } from '../../log_rotator.ts';
import { NOTHING } from '../../permissions.ts';
import type { OptionIssue, PluginDescription } from '../boot.ts';
import type { Incoming, Rpc } from '../rpc.ts';
import { remoteContext, remoteHealthContext } from './remote_context.ts';

/** Answers upkeep's calls with a plugin. */
export class Answers {
  readonly #plugin: Plugin;
  readonly #v: typeof valibot;
  /** The module that converts schemas; it is loaded when somebody asks. */
  readonly #toJsonSchema: string;

  constructor(plugin: Plugin, v: typeof valibot, toJsonSchema: string) {
    this.#plugin = plugin;
    this.#v = v;
    this.#toJsonSchema = toJsonSchema;
  }

  /** @throws what the plugin throws. */
  async answer(incoming: Incoming, rpc: Rpc): Promise<unknown> {
    const { method, args } = incoming;
    switch (method) {
      case 'describe':
        return this.#description();
      case 'json_schema':
        return await this.#jsonSchema();
      case 'check_options':
        return this.#optionIssues(args[0]);
      default:
        return await this.#work(incoming, rpc);
    }
  }

  async #work(incoming: Incoming, rpc: Rpc): Promise<unknown> {
    const plugin = this.#plugin;
    const { method, args } = incoming;
    const context = remoteContext(rpc, incoming);
    switch (plugin.kind) {
      case 'probe':
        if (method === 'available') return await plugin.available(context);
        if (method !== 'holders') break;
        return await plugin.holders(args[0] as HoldersQuery, context, this.#options(args[1]));
      case 'health':
        if (method !== 'check') break;
        return await plugin.check(
          this.#options(args[0]),
          remoteHealthContext(rpc, incoming, args[1] as CheckedJob),
        );
      case 'rotate':
        if (method !== 'decide') break;
        return plugin.decide(args[0] as LogFacts, this.#options(args[1]));
      case 'notify':
        if (method !== 'notify') break;
        return await plugin.notify(args[0] as EventRecord, this.#options(args[1]), context);
    }
    throw new TypeError(`a plugin of kind ${plugin.kind} does not answer ${method}`);
  }

  /** With their defaults, which only the schema knows. */
  #options(written: unknown): Record<string, unknown> {
    return this.#v.parse(this.#plugin.options as OptionsSchema, written);
  }

  #description(): PluginDescription {
    const { kind, name, api, summary, permissions, options } = this.#plugin;
    const asked = { ...NOTHING, ...permissions };
    return { kind, name, api, summary, asked, options: Object.keys(options.entries) };
  }

  async #jsonSchema(): Promise<unknown> {
    const { toJsonSchema } = (await import(this.#toJsonSchema)) as typeof import('@valibot/to-json-schema');
    return toJsonSchema(this.#plugin.options, { typeMode: 'input', errorMode: 'ignore' });
  }

  #optionIssues(written: unknown): OptionIssue[] {
    const parsed = this.#v.safeParse(this.#plugin.options as OptionsSchema, written);
    return (parsed.issues ?? []).map((issue) => optionIssue(issue as valibot.BaseIssue<unknown>));
  }
}

function optionIssue(issue: valibot.BaseIssue<unknown>): OptionIssue {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  if (issue.type === 'strict_object' && path.length > 0) {
    return issue.expected === 'never'
      ? { path, rule: 'unknown_key', message: 'is not known here', about_key: true }
      : { path, rule: 'required', message: 'is required', about_key: false };
  }
  // What is there is told beside it.
  const message = /^Invalid type: Expected .* but received /.test(issue.message)
    ? `must be ${issue.expected}`
    : issue.message;
  return { path, rule: issue.kind === 'schema' ? 'type' : issue.type, message, about_key: false };
}
