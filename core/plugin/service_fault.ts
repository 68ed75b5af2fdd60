/**
 * Telling a service that does not answer from a look that could not be taken.
 */
import { formatDuration } from '../spec/units.ts';
import type { PluginContext } from './context.ts';
import type { HealthResult } from './definition.ts';
import { excerpt } from './excerpt.ts';

/** What the other end did, by the code of the error that it makes here. */
const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'closed the connection without an answer',
  ECONNABORTED: 'closed the connection without an answer',
  EPIPE: 'closed the connection without an answer',
  ERR_STREAM_WRITE_AFTER_END: 'closed the connection without an answer',
  ETIMEDOUT: 'did not answer',
  // Only a Unix socket can be missing, or have no room for one more connection that nobody has accepted.
  ENOENT: 'has no socket there',
  ENOTDIR: 'has no socket there',
  EAGAIN: 'accepts no connections',
};

/** The codes by which OpenSSL refuses a certificate. */
const CERTIFICATE =
  /CERT|CRL|^UNABLE_TO_VERIFY_LEAF_SIGNATURE$|^(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/;

/**
 * What an error says of the service, as the rest of a sentence about it.
 *
 * Whatever may be this machine's doing (no descriptor left, no permission, no route, no name server) is none of it.
 *
 * @returns null where it says that nobody could look.
 */
export function serviceFault(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const known = FAULTS[code];
  if (known !== undefined) return known;
  if (code === 'HPE_HEADER_OVERFLOW') return 'answered with headers that have no end';
  if (code.startsWith('HPE_')) return `answered with what is no HTTP: ${excerpt(message)}`;
  if (CERTIFICATE.test(code)) return `has a certificate that is not trusted: ${excerpt(message)}`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return `speaks no TLS: ${tlsReason(message)}`;
  return null;
}

/**
 * The result of a look at the network that ended with an error.
 *
 * @param begun when the look began, by `ctx.now()`.
 * @param awaited what the service owed: `answer`, `connection`.
 * @throws the error, where it says nothing of the service.
 */
export function failedLook(error: unknown, ctx: PluginContext, begun: number, awaited: string): HealthResult {
  const response_ms = elapsed(ctx, begun);
  if (ctx.signal.aborted) {
    const message = `no ${awaited} within ${formatDuration(response_ms)}`;
    return { status: 'fail', message, data: { response_ms } };
  }
  const message = serviceFault(error);
  if (message === null) throw error;
  return { status: 'fail', message, data: { response_ms, code: (error as NodeJS.ErrnoException).code } };
}

/** Ms since a moment by `ctx.now()`; never negative, though that clock may be set back. */
export function elapsed(ctx: Pick<PluginContext, 'now'>, begun: number): number {
  return Math.max(0, Math.round(ctx.now() - begun));
}

/** OpenSSL's lines read `…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…`. */
function tlsReason(message: string): string {
  return /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? excerpt(message);
}
