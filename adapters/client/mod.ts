/**
 * `upkeep/client`: talking to a running upkeep from a program.
 *
 * @example
 * ```ts
 * import { createClient } from 'upkeep/client';
 *
 * const client = createClient({ socket: '/srv/shop/.upkeep/upkeep.sock' });
 * const { settled } = await client.service.restart({ name: 'shop', wait: true });
 * ```
 */
export type {
  CallName,
  InputOf,
  OperationName,
  OutputOf,
  SubscriptionName,
} from '../../core/operation/table.ts';
export type { Problem, ProblemCode } from '../http/problem.ts';
export {
  type CallOptions,
  type Client,
  type ClientOptions,
  createClient,
  type SubscribeOptions,
} from './client.ts';
export { AnswerTooLarge, BrokenAnswer, ClientError, NoDaemon } from './errors.ts';
export type { ClientTarget } from './transport.ts';
