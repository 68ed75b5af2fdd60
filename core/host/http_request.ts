/**
 * One HTTP request on a connection of its own: by TCP, by TLS or over a Unix socket. Nothing is followed, nothing kept.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { abortError } from './abort_error.ts';
import type { HttpRequest, HttpResponse } from './host.ts';
import { pathError } from './unix_path.ts';

/** See `Net.request`. */
export function requestHttp(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { url, method, headers, body, socket, insecure, max_body } = request;
  const unusable = socket === null ? null : pathError(socket);
  if (unusable !== null) return Promise.reject(unusable);
  const secure = url.protocol === 'https:';
  const options: RequestOptions & { rejectUnauthorized?: boolean } = {
    method,
    headers,
    agent: false,
    ...(socket === null ? {} : { socketPath: socket }),
    ...(secure ? { rejectUnauthorized: !insecure } : {}),
  };
  if (signal.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const done = (answer: HttpResponse): void => {
      signal.removeEventListener('abort', abort);
      resolve(answer);
    };
    // Of an answer that was begun, Node says that it was cut off, whoever did that.
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', abort);
      reject(signal.aborted ? abortError(signal) : error);
    };
    const sent = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
      bodyOf(response, max_body).then((text) => done(answerOf(response, text)), fail);
    });
    // Node's own way with a signal leaves its listener there for a while.
    const abort = (): void => void sent.destroy(abortError(signal));
    signal.addEventListener('abort', abort, { once: true });
    sent.on('error', fail);
    // Nobody asked for another protocol: the answer is over where it would begin.
    sent.on('upgrade', (response, connection) => {
      connection.destroy();
      done(answerOf(response, ''));
    });
    sent.end(body ?? undefined);
  });
}

function answerOf(response: IncomingMessage, body: string): HttpResponse {
  return { status: response.statusCode ?? 0, headers: headersOf(response), body };
}

async function bodyOf(response: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let room = limit;
  // Leaving the loop early hangs up.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const kept = chunk.subarray(0, room);
    chunks.push(kept);
    room -= kept.length;
    if (room === 0) break;
  }
  return Buffer.concat(chunks).toString();
}

function headersOf(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
