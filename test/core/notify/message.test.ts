import { describe, expect, it } from 'vitest';
import { failureMessage } from '../../../core/notify/message.ts';

describe('what is said of a failure', () => {
  it('is the message, without anything of the options', () => {
    const options = {
      url: 'https://hooks.example.com/T0/s3cret',
      headers: { Authorization: 'Bearer t0ken' },
      run: ['curl', 'https://hooks.example.com/T0/s3cret?x'],
      count: 5,
      secret: null,
    };
    const told = (message: string) => failureMessage(new Error(message), options);
    expect(told('connect ECONNREFUSED 127.0.0.1:9')).toBe('connect ECONNREFUSED 127.0.0.1:9');
    expect(told('bad https://hooks.example.com/T0/s3cret?x!')).toBe('bad [hidden]!');
    expect(told('header Bearer t0ken is bad, curl too')).toBe('header [hidden] is bad, [hidden] too');
  });

  it('is bounded, and whatever was thrown is told', () => {
    expect(failureMessage(new Error('x'.repeat(10_000)), {})).toHaveLength(300);
    expect(failureMessage('no', {})).toBe('no');
    expect(failureMessage(undefined, {})).toBe('undefined');
  });
});
