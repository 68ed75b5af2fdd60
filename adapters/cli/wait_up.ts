/**
 * Waiting until every service is up.
 */
import type { ServiceView } from '../../core/supervisor/control.ts';
import type { Client } from '../client/client.ts';
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';
import { everyItem } from './pages.ts';
import { pause } from './pause.ts';
import { serviceSummary, whileTelling } from './progress.ts';
import { formatSpan } from './text/time.ts';
import { whyNot } from './why_not.ts';

/** How often it is looked at first and at last, ms: with many services a look is work for whoever starts them. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 500;

/** How many of the services that are not up are explained. */
const EXPLAINED = 5;

/**
 * Waits until every service that is wanted up is, telling what is waited for.
 *
 * @param timeout ms.
 * @param silent true to tell nothing on the way.
 * @returns how many are up.
 * @throws {@link CliError} which says why, where one has failed, or is not up in time.
 */
export async function waitUp(io: Io, client: Client, timeout: number, silent: boolean): Promise<number> {
  const begun = Date.now();
  let wanted: ServiceView[] = [];
  const missing = (): ServiceView[] => wanted.filter(({ state }) => state !== 'up');

  const describe = async (): Promise<string | null> => {
    const [first, ...others] = missing();
    if (first === undefined) return null;
    const count = `${wanted.length - 1 - others.length} of ${wanted.length} services are up`;
    return `${count}; ${await serviceSummary(client, first.name)()}`;
  };
  await whileTelling(io, silent, describe, async () => {
    for (let rest = FIRST_PAUSE; ; rest = Math.min(rest * 2, LONGEST_PAUSE)) {
      wanted = (await everyItem(client, 'service.list', {})).filter(({ wanted }) => wanted === 'up');
      if (missing().every(({ state }) => state === 'failed') || Date.now() - begun >= timeout) return;
      await pause(rest);
    }
  });

  const ill = missing();
  if (ill.length === 0) return wanted.length;
  const told = await Promise.all(
    ill
      .slice(0, EXPLAINED)
      .map(async (service) => `\n${service.name} is ${service.state}${await whyNot(client, service)}`),
  );
  const more = ill.length > EXPLAINED ? `\n… and ${ill.length - EXPLAINED} more` : '';
  throw new CliError(
    EXIT.failed,
    `${ill.length} of ${wanted.length} services ${ill.length === 1 ? 'is' : 'are'} not up after ${formatSpan(Date.now() - begun)}${told.join('')}${more}`,
  );
}
