/**
 * Every face gives the same answer and the same failure to the same call, against one real upkeep.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OFFERED } from '../../adapters/mcp/tool_table.ts';
import { type CallName, OPERATIONS } from '../../core/operation/table.ts';
import { until } from '../support/until.ts';
import { CALLS, type Case, casesOf, READY } from './cases.ts';
import { cliFace, isThere } from './faces/cli_face.ts';
import { clientFace } from './faces/client_face.ts';
import type { Face } from './faces/face.ts';
import { httpFace } from './faces/http_face.ts';
import { mcpStdioFace, mcpTcpFace } from './faces/mcp_face.ts';
import { rpcFace } from './faces/rpc_face.ts';
import { normalised, type Outcome } from './outcome.ts';
import { beginWorld, type World } from './world.ts';

let world: World;
/** The first one can say everything: the others are compared with it. */
let faces: Face[] = [];
/** Which faces said something of an operation that was answered. */
const answered = new Map<CallName, Set<string>>();

beforeAll(async () => {
  world = await beginWorld();
  faces = [
    rpcFace(world, 'unix'),
    rpcFace(world, 'tcp'),
    httpFace(world, 'unix'),
    httpFace(world, 'tcp'),
    clientFace(world, 'unix'),
    clientFace(world, 'tcp'),
    mcpTcpFace(world),
    await mcpStdioFace(world),
    cliFace(world),
  ];
});

afterAll(async () => {
  for (const face of faces) await face.close?.();
  await world?.end();
});

async function ask({ operation, input, as, expected }: Case): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  if (expected === 'not_found') await READY[operation]?.(world);
  for (const face of faces) {
    if (as !== 'admin' && !face.tokens) continue;
    // What is answered may have changed something.
    if (expected === 'answer') await READY[operation]?.(world);
    outcomes.set(face.name, await face.call(operation, await input(world), as));
  }
  return outcomes;
}

function compare(operation: CallName, outcomes: Map<string, Outcome>, expected: Case['expected']): void {
  const kind = OPERATIONS[operation].kind === 'command' ? 'command' : 'query';
  const [first] = [...outcomes].map(([, outcome]) => normalised(outcome, kind));
  for (const [face, outcome] of outcomes) {
    if ('unsaid' in outcome) continue;
    if ('refused' in outcome) {
      expect([face, outcome.refused]).toEqual([face, expected]);
      continue;
    }
    expect([face, normalised(outcome, kind)]).toEqual([face, first]);
    if ('answer' in outcome) answered.set(operation, (answered.get(operation) ?? new Set()).add(face));
  }
  if (expected === 'answer') expect(first).toHaveProperty('answer');
  else expect(first).toHaveProperty('failure.code', expected);
}

describe.each(CALLS)('%s', (operation) => {
  test.each(casesOf(operation))('$title', async (asked) => {
    compare(operation, await ask(asked), asked.expected);
  });
});

describe('the end of upkeep', () => {
  test('is answered alike with what it waits for', async () => {
    const { owner } = world;
    await until(async () => {
      const { waiting_for } = await owner.daemon.shutdown();
      return waiting_for.length === 1 && waiting_for[0]?.startsWith('stubborn/main is stopping') === true;
    });
    const operation = 'daemon.shutdown';
    const asked: Case = { operation, title: '', input: () => ({}), expected: 'answer', as: 'admin' };
    compare(operation, await ask(asked), 'answer');
  });
});

describe('what was compared', () => {
  test.each(CALLS)('%s was answered through every face that has it', async (operation) => {
    const tools = 'not_offered' in OFFERED[operation] ? [] : ['mcp tcp', 'mcp stdio'];
    const cli = (await isThere(operation)) ? ['cli'] : [];
    const network = ['rpc unix', 'rpc tcp', 'http unix', 'http tcp', 'client unix', 'client tcp'];
    expect([...(answered.get(operation) ?? [])]).toEqual(
      expect.arrayContaining([...network, ...tools, ...cli]),
    );
  });
});
