/**
 * Errors in JSON-RPC 2.0.
 */
import type { OperationError, OperationErrorCode } from '../../core/operation/error.ts';
import { problemOf } from '../http/problem.ts';

/** A JSON-RPC error. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The codes of the protocol itself. */
export const RPC_ERRORS = {
  parse_error: { code: -32700, message: 'Parse error' },
  invalid_request: { code: -32600, message: 'Invalid Request' },
  method_not_found: { code: -32601, message: 'Method not found' },
  invalid_params: { code: -32602, message: 'Invalid params' },
  internal_error: { code: -32603, message: 'Internal error' },
} as const;

/** The code of every way in which an operation can fail. */
export const OPERATION_CODES = {
  invalid_input: RPC_ERRORS.invalid_params.code,
  internal: RPC_ERRORS.internal_error.code,
  not_found: -32001,
  forbidden: -32002,
  conflict: -32003,
  unavailable: -32004,
} as const satisfies Record<OperationErrorCode, number>;

/** An operation's failure. The data are the problem document that HTTP would answer with. */
export function rpcErrorOf(error: OperationError): RpcError {
  return { code: OPERATION_CODES[error.code], message: error.message, data: problemOf(error) };
}
