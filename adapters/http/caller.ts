/**
 * Who a request comes from, as the listener that took it has found out.
 */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Scope } from '../../core/access/scope.ts';
import { RequestProblem } from './problem.ts';

/** Somebody who may do something. */
export interface Caller {
  readonly scope: Scope;
  /** The name of a token, or `unix`. */
  readonly principal: string;
}

/** Whoever may open the Unix socket: its mode lets nobody else. */
export const OWNER: Caller = { scope: 'admin', principal: 'unix' };

/** What a listener hands to the app with each request. */
export interface CallerBindings {
  /** Null for somebody without a token, who may see public paths only. */
  readonly caller: Caller | null;
}

/**
 * Who calls.
 *
 * @throws {@link RequestProblem} `unauthorized` for somebody without a token, and where a listener has not said.
 */
export function callerOf(c: Context): Caller {
  const { caller, incoming } = (c.env ?? {}) as Partial<CallerBindings> & { incoming?: IncomingMessage };
  // Without a connection it is this very process that asks.
  if (caller === undefined && incoming === undefined) return OWNER;
  if (caller === undefined || caller === null) {
    throw new RequestProblem('unauthorized', 'a token is needed: Authorization: Bearer …');
  }
  return caller;
}

/** Whether what the caller has open depends on a token, which may end. */
export function hasToken({ principal }: Caller): boolean {
  return principal !== OWNER.principal;
}
