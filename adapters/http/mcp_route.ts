/**
 * `/mcp`: loaded with the first request to it, as many daemons never see one.
 */
import type { Control } from '../../core/supervisor/control.ts';
import type { AppOptions } from './app.ts';
import { type Caller, hasToken } from './caller.ts';
import { once } from './once.ts';

/** Answers the requests to `/mcp`. */
export function mcpRoute(
  control: Control,
  options: Pick<AppOptions, 'clock' | 'streams' | 'report'>,
): (request: Request, caller: Caller) => Promise<Response> {
  const load = once(async () => {
    const [{ McpHttp }, { localPort }, { upkeepFace }] = await Promise.all([
      import('../mcp/http.ts'),
      import('../mcp/port.ts'),
      import('../mcp/upkeep_face.ts'),
    ]);
    const { version } = control.health();
    return {
      http: new McpHttp({ ...options, version }),
      faceFor: (caller: Caller) => upkeepFace(localPort(control, caller)),
    };
  });
  return async (request, caller) => {
    const { http, faceFor } = await load();
    const { tokens } = control.access;
    return http.handle(request, {
      face: faceFor(caller),
      key: `${caller.principal}/${caller.scope}`,
      // Sessions, and answers on their way, end with the token that opened them.
      ...(hasToken(caller) ? { onEnd: (callback) => tokens.onEnd(caller.principal, callback) } : {}),
    });
  };
}
