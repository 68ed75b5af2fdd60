/**
 * What a command may touch of the process that it runs in.
 */

/** The terminal, the environment and the folder of a command. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Whether colours are seen and wanted. */
  readonly colour: boolean;
  /** The terminal's width; null where the output is none. */
  readonly columns: number | null;
  /** The output; resolves once it is taken. @throws {@link OutputClosed} */
  out(text: string | Uint8Array): Promise<void>;
  /** Messages for people, a line each. */
  err(line: string): void;
  /** Asks whoever sits at the terminal, and resolves with the line that is answered; null where there is no terminal. */
  ask(question: string): Promise<string | null>;
}

/** Thrown where the reader of the output has left, as `head` does: no failure. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** The process's own. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  let closed = false;
  // Without a listener a reader that leaves would end the process in the middle.
  stdout.on('error', () => {
    closed = true;
  });
  stderr.on('error', () => {});
  return {
    env,
    cwd: process.cwd(),
    colour: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    columns: stdout.isTTY === true ? stdout.columns : null,
    out: (text) =>
      new Promise((resolve, reject) => {
        if (closed) reject(new OutputClosed('the output is closed'));
        else
          stdout.write(text, (error) =>
            error == null ? resolve() : reject(new OutputClosed(error.message)),
          );
      }),
    err: (line) => {
      stderr.write(`${line}\n`);
    },
    ask: async (question) => {
      if (stdin.isTTY !== true || stderr.isTTY !== true) return null;
      const { createInterface } = await import('node:readline/promises');
      const terminal = createInterface({ input: stdin, output: stderr });
      // The end of the input is an answer, too: none.
      const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
      const answer = await Promise.race([terminal.question(question), closed]);
      terminal.close();
      return answer;
    },
  };
}
