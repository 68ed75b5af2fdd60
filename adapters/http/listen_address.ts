/**
 * Where upkeep may listen on TCP: the loopback, and nowhere else.
 */

/** An address of the loopback and a port. */
export interface ListenAddress {
  readonly address: '127.0.0.1' | '::1';
  readonly port: number;
}

/** Thrown for what is no address to listen at. */
export class ListenAddressError extends Error {
  override readonly name = 'ListenAddressError';
}

/**
 * Reads `[ADDRESS:]PORT`.
 *
 * @throws {@link ListenAddressError}
 *
 * @example
 * ```ts
 * parseListen('8080'); // { address: '127.0.0.1', port: 8080 }
 * parseListen('[::1]:8080'); // { address: '::1', port: 8080 }
 * ```
 */
export function parseListen(text: string): ListenAddress {
  const [, named = '127.0.0.1', digits = ''] = /^(?:(.*):)?([^:]*)$/s.exec(text) ?? [];
  if (!/^\d{1,5}$/.test(digits) || Number(digits) < 1 || Number(digits) > 65_535) {
    throw new ListenAddressError(
      `Cannot listen at '${text}' as its port must be a number from 1 to 65535: current value is '${digits}'`,
    );
  }
  const port = Number(digits);
  // By name it is the same everywhere: nobody is asked what `localhost` is.
  if (named === '127.0.0.1' || named.toLowerCase() === 'localhost') return { address: '127.0.0.1', port };
  if (named === '[::1]' || named === '::1') return { address: '::1', port };
  throw new ListenAddressError(
    `Cannot listen at '${text}' as its address must be 127.0.0.1, [::1] or localhost: current value is '${named}'`,
  );
}

/** `127.0.0.1:8080`, `[::1]:8080`: as it stands in a URL. */
export function hostOf({ address, port }: ListenAddress): string {
  return `${address === '::1' ? '[::1]' : address}:${port}`;
}

/** Every `Host` that means this address. Browsers leave the port of HTTP out. */
export function hostsOf(listen: ListenAddress): string[] {
  const hosts = [hostOf(listen), `localhost:${listen.port}`];
  return listen.port === 80 ? [...hosts, ...hosts.map((host) => host.replace(/:80$/, ''))] : hosts;
}
