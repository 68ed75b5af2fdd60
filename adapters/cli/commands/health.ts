/**
 * `upkeep health`
 */
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { fieldsText } from '../text/fields.ts';

/** Shows how upkeep itself is; fails where its store does not take what happens. */
export async function health(io: Io, options: CommonOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const answer = await client.call('health.get', {});
    const { store, ...fields } = answer;
    const told = { ...fields, store: store === null ? 'works' : `${store.code}: ${store.message}` };
    await io.out(options.json === true ? jsonDocument(answer) : fieldsText(told, io, Date.now()));
    return answer.status === 'ok' ? EXIT.done : EXIT.failed;
  });
}
