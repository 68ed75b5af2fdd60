/**
 * What every listener needs, and how it fails.
 */
import type { Host } from '../../core/host/host.ts';
import type { Limits } from './node_server.ts';
import type { OpenStreams } from './stream_body.ts';

/** What serving needs of the host. */
export interface ServeOptions {
  readonly host: Pick<Host, 'files' | 'net' | 'clock'>;
  readonly streams: OpenStreams;
  readonly limits?: Limits;
}

/** Thrown where a listener cannot be made, or not safely. */
export class CannotServe extends Error {
  override readonly name = 'CannotServe';
}
