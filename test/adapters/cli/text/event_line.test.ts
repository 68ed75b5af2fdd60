import { expect, test } from 'vitest';
import { eventLine } from '../../../../adapters/cli/text/event_line.ts';
import { paintFor } from '../../../../adapters/cli/text/paint.ts';
import { fakeEvent } from '../../../core/operation/fake_control.ts';

const paint = paintFor({ colour: false });

function line(changes: Parameters<typeof fakeEvent>[1]): string {
  const event = fakeEvent(1, changes);
  return eventLine(event, event.time, paint).replace(/^\S+ {2}/, '');
}

test('a change of phase', () => {
  expect(line({ from: 'running', to: 'retrying', code: 'EXITED', message: 'exited with code 3' })).toBe(
    'web/main  running → retrying  EXITED  exited with code 3',
  );
});

test('a fact that changes none', () => {
  expect(line({ from: 'running', to: 'running', code: 'ADOPTED', message: 'still alive' })).toBe(
    'web/main  running  ADOPTED  still alive',
  );
});

test('about upkeep itself, and by whom', () => {
  expect(line({ service: null, action: null, from: null, to: null, actor: 'cli', message: 'x' })).toBe(
    'upkeep  REQUESTED  x  (cli)',
  );
});

test('a message cannot draw on the terminal', () => {
  expect(line({ message: 'a\n\u001b[31mb\u0007' })).toBe('web/main  starting → running  REQUESTED  a [31mb ');
});
