/**
 * `upkeep completion bash|zsh|fish`
 */
import { SCRIPTS, type Shell } from '../completion/scripts.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';

/** Prints what lets a shell complete command lines. */
export async function completion(io: Io, shell: Shell): Promise<ExitCode> {
  await io.out(SCRIPTS[shell]);
  return EXIT.done;
}
