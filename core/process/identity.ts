/**
 * Who a process is. A bare pid is never enough: the kernel hands it out again.
 */

/**
 * A process, told apart from every other that ever had its pid.
 *
 * `start_time` is opaque and only compared for equality: clock ticks since boot on Linux (field 22 of
 * /proc/PID/stat), seconds since the epoch on macOS.
 */
export interface Identity {
  readonly boot_id: string;
  readonly pid: number;
  readonly start_time: number;
}

/** True where both name the same process. */
export function sameIdentity(a: Identity | null, b: Identity | null): boolean {
  return (
    a !== null && b !== null && a.pid === b.pid && a.start_time === b.start_time && a.boot_id === b.boot_id
  );
}

/** `pid 4711 (start 123456)`, for messages. */
export function identityText(identity: Identity): string {
  return `pid ${identity.pid} (start ${identity.start_time})`;
}
