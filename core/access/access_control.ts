/**
 * Who may do what, as the faces see it.
 */
import type { AuditLog } from './audit_log.ts';
import type { Tokens } from './tokens.ts';

/** Tokens, the audit, and whether anything may be changed at all. */
export interface AccessControl {
  /** Commands are refused, whoever gives them; a face does not offer what it would refuse. */
  readonly read_only: boolean;
  readonly tokens: Tokens;
  readonly audit: AuditLog;
  /** A text without what is known to be a secret of a service. */
  readonly redact: (text: string) => string;
}
