/**
 * `client.service.restart({ name })` for `client.call('service.restart', { name })`: plain objects, made from the same
 * table as everything else.
 */
import type {
  CallName,
  InputOf,
  OperationName,
  OutputOf,
  SubscriptionName,
} from '../../core/operation/table.ts';
import { ROUTES, type Route } from '../http/routes.ts';
import type { CallOptions, OperationCalls, SubscribeOptions } from './client.ts';

/** The input may be left out where all of it may. */
type Arguments<Input, Options> =
  Record<string, never> extends Input
    ? [input?: Input, options?: Options]
    : [input: Input, options?: Options];

type Method<N extends OperationName> = N extends SubscriptionName
  ? (...args: Arguments<InputOf<N>, SubscribeOptions<N>>) => AsyncIterable<OutputOf<N>>
  : (...args: Arguments<InputOf<N>, CallOptions>) => Promise<OutputOf<N>>;

type NounOf<N extends OperationName> = N extends `${infer Noun}.${string}` ? Noun : never;

/** Every operation `noun.verb` as a method. */
export type Nouns = {
  readonly [Noun in NounOf<OperationName>]: {
    readonly [N in OperationName as N extends `${Noun}.${infer Verb}` ? Verb : never]: Method<N>;
  };
};

/** Makes the methods. */
export function nounsOf(client: OperationCalls): Nouns {
  const nouns: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(ROUTES) as [OperationName, Route][]) {
    const [noun = '', verb = ''] = name.split('.');
    const methods = nouns[noun] ?? {};
    nouns[noun] = methods;
    methods[verb] =
      route.body === 'json'
        ? (input: never = {} as never, options?: CallOptions) => client.call(name as CallName, input, options)
        : (input: never = {} as never, options?: never) =>
            client.subscribe(name as SubscriptionName, input, options);
  }
  // Its keys are the table's, which the type is made of.
  return nouns as unknown as Nouns;
}
