/** Everything that is wrong with a file is told at once, in the order of the text, each with its place. */
import { expect, it } from 'vitest';
import { refused } from './support.ts';

const FILE = `services:
  shop:
    actions:
      web:
        proces: true
        process: true
        run: "  "
        colour: red
        env: { PORT: 1.10, UPKEEP_X: a }
        after: [wrk, web]
        tcp_ports: [70000, 8080]
        ready: []
        restart: { policy: allways, delay: 10 }
        run: again
      worker:
        run: [x]
        process: true
        tcp_ports: ["127.0.0.1:8080", localhost]
        cwd: 5
        sockets: [/run/a.sock, relative.sock]
        after: [loop]
      loop: { run: x, after: [worker] }
      Bad: { run: x }
      constructor: { run: x }
  bank:
    actions:
      web: { process: true, sockets: [/run/a.sock], pid_file: /p }
      api: { run: x, pid_file: /p, cpu: 1, mem: 2 }
  empty:
plugins:
  - { path: ./a.ts, allow: { ran: [ss], read: x } }
  - { allow: { net: [''] } }
`;

it('tells all that is wrong, place by place', () => {
  const told = refused(FILE).map(
    ({ line, column, path, rule }) => `${line}:${column} ${path.replace('services.', '')} ${rule}`,
  );
  expect(told).toEqual([
    '5:9 shop.actions.web.proces unknown_key',
    // The later of the two is what is read, and the one that is told.
    '8:9 shop.actions.web.colour unknown_key',
    '9:22 shop.actions.web.env.PORT quotes',
    '9:28 shop.actions.web.env.UPKEEP_X env_name',
    '10:17 shop.actions.web.after[0] known_action',
    '10:22 shop.actions.web.after[1] cycle',
    '11:21 shop.actions.web.tcp_ports[0] port',
    '12:16 shop.actions.web.ready type',
    '13:28 shop.actions.web.restart.policy choice',
    '13:44 shop.actions.web.restart.delay duration',
    '14:9 shop.actions.web.run unique_key',
    // The ports beside a wrong one are compared all the same.
    '18:21 shop.actions.worker.tcp_ports[0] claimed_once',
    '18:39 shop.actions.worker.tcp_ports[1] port',
    '19:14 shop.actions.worker.cwd type',
    '22:31 shop.actions.loop.after[0] cycle',
    '23:7 shop.actions.Bad name',
    '24:7 shop.actions.constructor reserved_key',
    '27:7 bank.actions.web.run required',
    // So is an absolute path where the folder for the relative ones is wrong.
    '27:39 bank.actions.web.sockets[0] claimed_once',
    '28:32 bank.actions.api.pid_file claimed_once',
    '28:36 bank.actions.api.cpu unknown_key',
    '28:44 bank.actions.api.mem unknown_key',
    '29:9 empty type',
    '31:30 plugins[0].allow.ran unknown_key',
    '31:47 plugins[0].allow.read type',
    '32:5 plugins[1].path required',
    '32:22 plugins[1].allow.net[0] grant',
  ]);
});
