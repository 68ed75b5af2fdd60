import { describe, expect, it } from 'vitest';
import type { PluginContext } from '../../../core/plugin/context.ts';
import { PermissionDenied } from '../../../core/plugin/permissions.ts';
import { elapsed, failedLook, serviceFault } from '../../../core/plugin/service_fault.ts';

function coded(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}

function context(signal = new AbortController().signal): PluginContext {
  return { signal, now: () => 1500 } as unknown as PluginContext;
}

describe('an error of a look at the network', () => {
  it.each<[string, string]>([
    ['ECONNREFUSED', 'refused the connection'],
    ['ECONNRESET', 'closed the connection without an answer'],
    ['EPIPE', 'closed the connection without an answer'],
    ['ETIMEDOUT', 'did not answer'],
    ['ENOENT', 'has no socket there'],
    ['EAGAIN', 'accepts no connections'],
    ['HPE_HEADER_OVERFLOW', 'answered with headers that have no end'],
    ['HPE_INVALID_CONSTANT', 'answered with what is no HTTP: HPE_INVALID_CONSTANT'],
    ['CERT_HAS_EXPIRED', 'has a certificate that is not trusted: CERT_HAS_EXPIRED'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'has a certificate that is not trusted: DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'has a certificate that is not trusted: ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'has a certificate that is not trusted: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
  ])('%s says of the service that it %s', (code, fault) => {
    expect(serviceFault(coded(code))).toBe(fault);
    expect(failedLook(coded(code), context(), 500, 'answer')).toEqual({
      status: 'fail',
      message: fault,
      data: { response_ms: 1000, code },
    });
  });

  it('says in a few words what OpenSSL says in many', () => {
    const message =
      '00A7:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl/record.c:354:\n';
    expect(serviceFault(coded('EPROTO', message))).toBe('speaks no TLS: wrong version number');
    expect(serviceFault(coded('ERR_SSL_ALERT', 'odd\n'))).toBe('speaks no TLS: odd');
  });

  it.each([
    coded('EMFILE'),
    coded('ENFILE'),
    coded('ENOMEM'),
    coded('EACCES'),
    coded('EPERM'),
    coded('EADDRNOTAVAIL'),
    coded('ENETUNREACH'),
    coded('EHOSTUNREACH'),
    coded('ENOTFOUND'),
    coded('EAI_AGAIN'),
    coded('ENAMETOOLONG'),
    coded('ENOTSUP'),
    coded('EPROTOTYPE'),
    new PermissionDenied('net', 'a:1'),
    new TypeError('a bug'),
    'no error at all',
    undefined,
  ])('%s says nothing of the service: it is thrown on', (error) => {
    expect(serviceFault(error)).toBeNull();
    let thrown: unknown = 'nothing';
    try {
      failedLook(error, context(), 0, 'answer');
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBe(error);
  });

  it('means that nothing came in time, whatever it is, once the look is called off', () => {
    expect(failedLook(coded('EMFILE'), context(AbortSignal.abort()), 0, 'whole answer')).toEqual({
      status: 'fail',
      message: 'no whole answer within 1.5s',
      data: { response_ms: 1500 },
    });
  });

  it('takes no time at all where the clock was set back', () => {
    expect(elapsed(context(), 5000)).toBe(0);
    expect(elapsed(context(), 1200.4)).toBe(300);
  });
});
