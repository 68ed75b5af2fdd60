/**
 * Operations on who may do what, and on what was done.
 */
import * as v from 'valibot';
import { SCOPES } from '../access/scope.ts';
import { TOKEN_STATES, type TokenView } from '../access/tokens.ts';
import { type AuditRecord, OUTCOMES } from '../store/audit_rows.ts';
import { described } from './described.ts';
import { actorSchema } from './event_schemas.ts';
import { countField, nameField } from './fields.ts';
import { defineCall } from './operation.ts';
import { cursorField, limitField, page, pageSchema } from './page.ts';

/** How many records a list of the audit has where nothing else is asked for. */
export const DEFAULT_AUDIT = 100;

/** Ten years: longer than that is meant to be for ever. */
const LONGEST_LIFE = 10 * 366 * 24 * 3_600_000;

const time = v.number();

const tokenSchema: v.GenericSchema<TokenView> = v.object({
  name: described('What the token is called; the audit names it by this.', v.string()),
  scope: described('What it may do: read, operate (and read) or admin (all).', v.picklist(SCOPES)),
  created_at: described('When it was made, ms since 1970.', time),
  expires_at: described(
    'When it ends, ms since 1970; null where it does not end by itself.',
    v.nullable(time),
  ),
  last_used_at: described('When it was last used, ms since 1970; null where it never was.', v.nullable(time)),
  revoked_at: described('When it was revoked, ms since 1970; null where it was not.', v.nullable(time)),
  state: described('Whether it opens anything: live, expired or revoked.', v.picklist(TOKEN_STATES)),
});

const auditSchema: v.GenericSchema<AuditRecord> = v.object({
  seq: v.pipe(v.number(), v.integer(), v.description('The number of the record; it rises by one with each.')),
  time: described('When the command came, ms since 1970.', time),
  operation: described('The operation, such as service.restart.', v.string()),
  target: described(
    'The service, job or token that it named; null where it named none.',
    v.nullable(v.string()),
  ),
  actor: described('Who gave it: cli, http, mcp:<client>, core or plugin:<name>.', actorSchema),
  principal: described(
    'By what right: the name of a token, or unix for whoever may open the Unix socket.',
    v.string(),
  ),
  outcome: described(
    'done; refused, where it was not begun; failed, where it went wrong on the way.',
    v.picklist(OUTCOMES),
  ),
  code: described('The code of the error; null where it was done.', v.nullable(v.string())),
  duration: described('Ms until its outcome.', v.nullable(v.number())),
});

const tokenName = v.pipe(
  v.string('must be text'),
  v.regex(
    /^[A-Za-z0-9][\w.-]{0,63}$/,
    'must be a letter or digit, followed by up to 63 letters, digits, dots, hyphens or underscores',
  ),
  v.check((name) => name !== 'unix', "must not be 'unix', which is the Unix socket's"),
  v.description('What the token is called, up to 64 letters, digits, dots, hyphens or underscores.'),
);

const example: TokenView = {
  name: 'deploy',
  scope: 'operate',
  created_at: 1_764_100_000_000,
  expires_at: 1_766_692_000_000,
  last_used_at: null,
  revoked_at: null,
  state: 'live',
};

/** Makes a token. */
export const tokenCreate = defineCall({
  name: 'token.create',
  kind: 'command',
  summary: 'Make a token for access over TCP. The answer holds it, and nothing tells it again.',
  input: v.strictObject({
    name: tokenName,
    scope: described(
      'What the token may do: read, operate (and read) or admin (all).',
      v.picklist(SCOPES, `must be one of ${SCOPES.join(', ')}`),
    ),
    expires_in: v.exactOptional(
      v.pipe(
        v.number('must be a number of milliseconds'),
        v.integer('must be a whole number of milliseconds'),
        v.minValue(1000, 'must be 1000 or more'),
        v.maxValue(LONGEST_LIFE, 'must be ten years or less'),
        v.description('For how long it is good, ms; without it, until it is revoked.'),
      ),
    ),
  }),
  output: v.object({
    token: described('The token as it is listed.', tokenSchema),
    secret: described('What its holder sends as `Authorization: Bearer …`. Told this once only.', v.string()),
  }),
  errors: ['conflict'],
  idempotent: false,
  destructive: false,
  scope: 'admin',
  secret_output: true,
  example: {
    input: { name: 'deploy', scope: 'operate', expires_in: 2_592_000_000 },
    output: { token: example, secret: 'upk_2Vh0q1y1m9c6m1dZ4n0Qk3l9xq8Yb7sJtWc5uRe2oPg' },
  },
  run: (control, input) => control.access.tokens.create(input),
});

/** Every token. */
export const tokenList = defineCall({
  name: 'token.list',
  kind: 'query',
  summary: 'List the tokens: scope, expiry, last use, and whether they are live. No secret is told.',
  input: v.strictObject({
    limit: v.exactOptional(described('How many to list at most, up to 1000.', limitField)),
    cursor: v.exactOptional(
      described('The next_cursor of the page before, to go on from there.', cursorField),
    ),
  }),
  output: pageSchema(tokenSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'admin',
  example: { input: {}, output: { items: [example], next_cursor: null } },
  run: (control, input) => page(control.access.tokens.list(), (token) => token.name, input),
});

/** Takes a token back. */
export const tokenRevoke = defineCall({
  name: 'token.revoke',
  kind: 'command',
  summary: 'Take a token back. It opens nothing from then on, and what it has open is ended.',
  input: v.strictObject({ name: described('The name of the token.', nameField) }),
  output: tokenSchema,
  errors: ['not_found'],
  idempotent: true,
  destructive: true,
  scope: 'admin',
  example: {
    input: { name: 'deploy' },
    output: { ...example, revoked_at: 1_764_200_000_000, state: 'revoked' },
  },
  run: (control, { name }) => control.access.tokens.revoke(name),
});

/** What was done, and by whom. */
export const auditList = defineCall({
  name: 'audit.list',
  kind: 'query',
  summary:
    'List the commands that were given, allowed or not, with who gave them and what came of them: the newest ones, or those that follow `after`; `next_cursor` is the next `after`.',
  input: v.strictObject({
    after: v.exactOptional(described('Only records with a greater seq.', countField)),
    limit: v.exactOptional(described('How many to list at most, up to 1000.', limitField)),
  }),
  output: pageSchema(auditSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'admin',
  example: {
    input: { limit: 1 },
    output: {
      items: [
        {
          seq: 41,
          time: 1_764_100_500_000,
          operation: 'service.restart',
          target: 'shop',
          actor: 'http',
          principal: 'deploy',
          outcome: 'done',
          code: null,
          duration: 0.42,
        },
      ],
      next_cursor: null,
    },
  },
  run: (control, { after, limit = DEFAULT_AUDIT }) => {
    const items = control.access.audit.list(after === undefined ? { limit } : { after, limit });
    const last = items.at(-1);
    const more = after !== undefined && items.length === limit && last !== undefined;
    return { items, next_cursor: more ? String(last.seq) : null };
  },
});
