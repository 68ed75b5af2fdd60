/**
 * Services that the health check `http` looks at.
 */
import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { HealthResult } from '../../core/plugin/definition.ts';
import { httpCheck } from '../../plugins/health_http.ts';
import { lookOnce, Place, type Wishes, type Written } from './health_support.ts';

/** One look of the check. */
export const look = (written: Written, wishes?: Wishes): Promise<HealthResult> =>
  lookOnce(httpCheck, written, wishes);

/** Where they listen. */
export class HttpPlace extends Place {
  /** The URL of a server that answers. */
  async url(answer: RequestListener): Promise<string> {
    return `http://127.0.0.1:${await this.listen(createServer(answer))}/`;
  }

  /** The URL of one that talks as it likes. */
  async raw(talk: (socket: Socket) => void): Promise<string> {
    return `http://127.0.0.1:${await this.serve(talk)}/`;
  }
}
