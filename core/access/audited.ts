/**
 * What of a command's input goes into the audit.
 */

/** The fields that say what a command is aimed at, in this order. */
const TARGETS = ['name', 'id', 'service'] as const;

const LONGEST = 256;

/**
 * What a command is aimed at: a name or an id, and nothing else of its input, which may be secret.
 *
 * @param raw the input as it came; nothing is known of it.
 *
 * @example
 * ```ts
 * auditTarget({ name: 'web', wait: true }); // 'web'
 * ```
 */
export function auditTarget(raw: unknown): string | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const input = raw as Readonly<Record<string, unknown>>;
  for (const field of TARGETS) {
    const value = Object.hasOwn(input, field) ? input[field] : undefined;
    if (typeof value === 'string' && value.length <= LONGEST) return value;
  }
  return null;
}
