import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspector, needing } from '../support/mcp_clients.ts';
import { Sandbox } from '../support/sandbox.ts';

const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));

describe.skipIf(inspector.needs !== null)(`the inspector${needing(inspector)}`, () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = new Sandbox({ web: { actions: { main: { process: true, run: 'exec sleep 1000' } } } });
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'running');
  });

  afterAll(() => sandbox.remove());

  /** Asks a real `upkeep mcp`, and reads what the inspector prints. */
  async function ask(method: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
    const server = [process.execPath, MAIN, 'mcp', '--state', sandbox.state];
    return inspector.run(...server, '--method', method, ...args, '--connect-timeout', '0');
  }

  test('finds nothing to complain of in the schemas of the tools', async () => {
    const { code, output } = await ask('tools/list', '--strict');
    expect(code, output).toBe(0);
    for (const name of ['list', 'inspect', 'diagnose', 'restart', 'timeline']) {
      expect(output).toContain(`"name": "${name}"`);
    }
  });

  test('calls a tool', async () => {
    const good = await ask('tools/call', '--tool-name', 'inspect', '--tool-arg', 'name=web');
    expect(good.code, good.output).toBe(0);
    expect(good.output).toContain('web: up (wanted up)');
  });

  test('is told of a slip', async () => {
    const bad = await ask('tools/call', '--tool-name', 'inspect', '--tool-arg', 'name=wbe');
    expect(bad.output).toContain("did you mean 'web'?");
  });

  test.each([
    [['resources/list'], 'upkeep://services/web'],
    [['resources/read', '--uri', 'upkeep://services/web'], 'restart_count'],
    [['prompts/get', '--prompt-name', 'heal_service', '--prompt-args', 'service=web'], 'needs attention'],
  ] as const)('%j', async ([method, ...args], part) => {
    const { code, output } = await ask(method, ...args);
    expect(code, output).toBe(0);
    expect(output).toContain(part);
  });
});
