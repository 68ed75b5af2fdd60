import { describe, expect, it } from 'vitest';
import { Interrupt } from '../../../core/host/interrupt.ts';

const REASON = new Error('too late');

describe('Interrupt', () => {
  it('tells who is listening, once and in order, and why', () => {
    const interrupt = new Interrupt();
    const told: unknown[] = [];
    const left = (): unknown => told.push('left');
    interrupt.addEventListener('abort', () => told.push(['first', interrupt.aborted, interrupt.reason]));
    interrupt.addEventListener('abort', left);
    interrupt.addEventListener('abort', () => told.push('last'));
    interrupt.removeEventListener('abort', left);
    expect([interrupt.aborted, interrupt.reason]).toEqual([false, undefined]);
    interrupt.abort(REASON);
    interrupt.abort(new Error('again'));
    expect(told).toEqual([['first', true, REASON], 'last']);
    interrupt.addEventListener('abort', () => told.push('late'));
    expect(told).toHaveLength(2);
    expect(interrupt.reason).toBe(REASON);
  });

  it('stops listening to one that was there twice, once', () => {
    const interrupt = new Interrupt();
    let told = 0;
    const listener = (): unknown => (told += 1);
    interrupt.addEventListener('abort', listener);
    interrupt.addEventListener('abort', listener);
    interrupt.removeEventListener('abort', listener);
    interrupt.removeEventListener('abort', () => {});
    interrupt.abort(REASON);
    expect(told).toBe(1);
  });

  it.each([
    ['before', true],
    ['after', false],
  ])('has a signal that says the same, asked for %s', (_when, before) => {
    const interrupt = new Interrupt();
    if (before) expect(interrupt.signal.aborted).toBe(false);
    const signal = before ? interrupt.signal : null;
    interrupt.abort(REASON);
    expect(signal ?? interrupt.signal).toBe(interrupt.signal);
    expect([interrupt.signal.aborted, interrupt.signal.reason]).toEqual([true, REASON]);
  });
});
