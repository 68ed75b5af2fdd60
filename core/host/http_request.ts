/**
 * One HTTP request on a connection of its own: by TCP, by TLS or over a Unix socket. Nothing is followed, nothing kept.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { HttpRequest, HttpResponse } from './host.ts';

/** See `Net.request`. */
export function requestHttp(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { url, method, headers, body, socket, insecure, max_body } = request;
  const secure = url.protocol === 'https:';
  const options: RequestOptions & { rejectUnauthorized?: boolean } = {
    method,
    headers,
    signal,
    agent: false,
    ...(socket === null ? {} : { socketPath: socket }),
    ...(secure ? { rejectUnauthorized: !insecure } : {}),
  };
  return new Promise((resolve, reject) => {
    const sent = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
      const status = response.statusCode ?? 0;
      bodyOf(response, max_body).then(
        (text) => resolve({ status, headers: headersOf(response), body: text }),
        reject,
      );
    });
    sent.once('error', reject);
    sent.end(body ?? undefined);
  });
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
