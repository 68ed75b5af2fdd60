/**
 * Runs one of the zstd cases, or writes a log for somebody else to read: `node zstd_main.ts case NUMBER`,
 * `node zstd_main.ts write FOLDER`.
 */
import { writeTwoIncarnations, zstdCases } from './zstd_cases.ts';

const [, , what, argument = ''] = process.argv;
if (what === 'write') (await writeTwoIncarnations(argument, 'zstd')).logs.closeAll();
else {
  const wanted = zstdCases[Number(argument)];
  if (wanted === undefined) throw new RangeError(`no case ${argument}`);
  await wanted.run();
}
