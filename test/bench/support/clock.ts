/**
 * CLOCK_MONOTONIC in nanoseconds, which is what workers stamp. A double holds 104 days of uptime exactly, and is two
 * nanoseconds off after that.
 */
export function monotonic(): number {
  return Number(process.hrtime.bigint());
}
