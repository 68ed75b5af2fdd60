/**
 * JSON-RPC 2.0 over the table of operations: everything that has one answer. It knows nothing of how requests arrive.
 */
import { OperationError } from '../../core/operation/error.ts';
import { type CallName, OPERATIONS } from '../../core/operation/table.ts';
import { nearest } from '../../core/spec/nearest.ts';
import { DEEPEST, isTooDeep } from '../../core/spec/nesting.ts';
import { RPC_ERRORS, type RpcError, rpcErrorOf } from './errors.ts';

/** How many requests a batch has at most. */
export const BATCH_LIMIT = 50;

/** The method that answers with the OpenRPC document. */
export const DISCOVER = 'rpc.discover';

/** What answering needs. */
export interface RpcHandlers {
  /** Calls an operation; throws {@link OperationError}. */
  readonly call: (name: CallName, input: unknown) => Promise<unknown>;
  readonly discover: () => Promise<unknown>;
  /** Told of each fault of upkeep's own. */
  readonly report: (error: unknown) => void;
}

type Id = string | number | null;

interface Response {
  readonly jsonrpc: '2.0';
  readonly id: Id;
  readonly result?: unknown;
  readonly error?: RpcError;
}

const METHODS: readonly string[] = Object.values(OPERATIONS)
  .filter(({ kind }) => kind !== 'subscription')
  .map(({ name }) => name);

/**
 * Answers a message: a request or a batch. The requests of a batch are carried out in order, one after the other.
 *
 * @returns the answer as it is to be sent; null where there were notifications only.
 */
export async function answerRpc(message: string, handlers: RpcHandlers): Promise<string | null> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch {
    return JSON.stringify(failed(null, RPC_ERRORS.parse_error));
  }
  if (isTooDeep(parsed)) {
    const data = `a message must not be nested more than ${DEEPEST} levels deep`;
    return JSON.stringify(failed(null, { ...RPC_ERRORS.invalid_request, data }));
  }
  if (!Array.isArray(parsed)) {
    const response = await answerOne(parsed, handlers);
    return response === null ? null : JSON.stringify(response);
  }
  if (parsed.length === 0 || parsed.length > BATCH_LIMIT) {
    const data = `a batch has 1 to ${BATCH_LIMIT} requests: current value is ${parsed.length}`;
    return JSON.stringify(failed(null, { ...RPC_ERRORS.invalid_request, data }));
  }
  const responses: Response[] = [];
  for (const request of parsed) {
    const response = await answerOne(request, handlers);
    if (response !== null) responses.push(response);
  }
  return responses.length === 0 ? null : JSON.stringify(responses);
}

async function answerOne(request: unknown, handlers: RpcHandlers): Promise<Response | null> {
  if (!isRequest(request)) return failed(null, RPC_ERRORS.invalid_request);
  const { id, method, params } = request;
  const outcome = await carriedOut(method, params, handlers);
  // Whoever sends no id wants no answer, not even to a failure.
  return id === undefined ? null : { jsonrpc: '2.0', id, ...outcome };
}

async function carriedOut(
  method: string,
  params: unknown,
  { call, discover, report }: RpcHandlers,
): Promise<{ readonly result: unknown } | { readonly error: RpcError }> {
  try {
    if (method === DISCOVER) return { result: await discover() };
    if (!METHODS.includes(method)) return { error: notFound(method) };
    // An empty list says the same as no parameters; others have names here.
    const input = params === undefined || (Array.isArray(params) && params.length === 0) ? {} : params;
    if (Array.isArray(input)) {
      return { error: { ...RPC_ERRORS.invalid_params, data: 'parameters are given by name' } };
    }
    return { result: await call(method as CallName, input) };
  } catch (error) {
    if (error instanceof OperationError) {
      if (error.code === 'internal') report(error.cause);
      return { error: rpcErrorOf(error) };
    }
    report(error);
    return { error: RPC_ERRORS.internal_error };
  }
}

function notFound(method: string): RpcError {
  const suggestion = nearest(method, [...METHODS, DISCOVER]);
  return suggestion === null
    ? RPC_ERRORS.method_not_found
    : { ...RPC_ERRORS.method_not_found, data: { suggestion } };
}

function isRequest(
  request: unknown,
): request is { readonly id?: Id; readonly method: string; readonly params?: unknown } {
  if (typeof request !== 'object' || request === null) return false;
  const { jsonrpc, method, params, id } = request as Record<string, unknown>;
  return (
    jsonrpc === '2.0' &&
    typeof method === 'string' &&
    (params === undefined || (typeof params === 'object' && params !== null)) &&
    (id === undefined || id === null || typeof id === 'string' || typeof id === 'number')
  );
}

function failed(id: Id, error: RpcError): Response {
  return { jsonrpc: '2.0', id, error };
}
