/**
 * A plugin's process: loads one plugin and answers upkeep's calls, until the channel ends.
 */
import { pathToFileURL } from 'node:url';
import { inheritedChannel } from '../../../host/channel.ts';
import { confineThisProcess } from '../../../host/confine.ts';
import * as own from '../../mod.ts';
import type { Boot } from '../boot.ts';
import { type Message, Rpc } from '../rpc.ts';
import { Answers } from './answers.ts';
import { checkedPlugin } from './checked.ts';
import { type Exports, Loader } from './loader.ts';
import { typeStrip } from './strip.ts';

const boot = JSON.parse(process.argv[2] ?? '') as Boot;
const channel = inheritedChannel();
confineThisProcess();

const answers = load();
// It is told to whoever asks.
answers.catch(() => {});

const rpc = new Rpc({
  send: (message) => channel.send(`${JSON.stringify(message)}\n`),
  serve: async (incoming) => (await answers).answer(incoming, rpc),
});
const decoder = new TextDecoder();
let pieces: string[] = [];
channel.listen(
  (bytes) => {
    const text = decoder.decode(bytes, { stream: true });
    pieces.push(text);
    if (!text.includes('\n')) return;
    const lines = pieces.join('').split('\n');
    pieces = [lines.pop() ?? ''];
    for (const line of lines) rpc.receive(JSON.parse(line) as Message);
  },
  () => process.exit(0),
);

async function load(): Promise<Answers> {
  const v = (await import(pathToFileURL(boot.valibot).href)) as typeof import('valibot');
  const modules: Record<string, Exports> = { 'upkeep/plugin': own, valibot: v };
  const exports = await new Loader(modules, typeStrip(boot.strip)).load(boot.file);
  return new Answers(checkedPlugin(exports, boot.file, v), v, pathToFileURL(boot.to_json_schema).href);
}
