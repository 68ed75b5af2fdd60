/**
 * JSON-RPC.
 */
import { OPERATION_CODES } from '../../../adapters/openrpc/errors.ts';
import type { OperationErrorCode } from '../../../core/operation/error.ts';
import { failed } from '../outcome.ts';
import type { World } from '../world.ts';
import type { Face } from './face.ts';
import { send, textOf, type Way } from './http_face.ts';

/** `POST /rpc` on one of the two listeners. */
export function rpcFace(world: World, way: Way): Face {
  return {
    name: `rpc ${way}`,
    tokens: way === 'tcp',
    async call(method, params, as) {
      const body = { jsonrpc: '2.0', id: 1, method, params };
      const response = await send(world, way, as, { method: 'POST', path: '/rpc', body });
      const { result, error } = JSON.parse(await textOf(response));
      if (error === undefined) return { answer: result };
      const { code, detail } = error.data;
      // The number and the words of the protocol say the same as its data.
      if (error.code !== OPERATION_CODES[code as OperationErrorCode] || error.message !== detail) {
        throw new Error(`an error that does not agree with itself: ${JSON.stringify(error)}`);
      }
      return failed(error.data);
    },
  };
}
