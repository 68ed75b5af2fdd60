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
  /** The width of the terminal that messages are seen on; null where they go elsewhere. */
  readonly live: number | null;
  /** Shows a line in place of the one shown before; an empty one takes it away. Only where there is a terminal. */
  show(line: string): void;
  /** All of the standard input. */
  input(): Promise<string>;
  /** Asks whoever sits at the terminal, and resolves with the line that is answered; null where there is no terminal. */
  ask(question: string): Promise<string | null>;
}

/** Thrown where the reader of the output has left, as `head` does: no failure. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Back to the begin of the line, and nothing on it. */
export const CLEAR_LINE = '\r\u001b[2K';

/**
 * Whether output is coloured: `FORCE_COLOR` decides where it is set, as Node has it, then `NO_COLOR`, else a terminal
 * that is not dumb.
 */
export function wantsColour(env: Io['env'], isTerminal: boolean): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return !['0', 'false'].includes(forced);
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** A terminal that does not know its width says 0. */
function widthOf(stream: NodeJS.WriteStream): number | null {
  if (stream.isTTY !== true) return null;
  return stream.columns > 0 ? stream.columns : 80;
}

/** The process's own. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  let closed = false;
  let shown = '';
  // What is shown in place gives way to what is printed: both may go to the same terminal.
  const show = (line: string): void => {
    if (line === shown) return;
    shown = line;
    stderr.write(`${CLEAR_LINE}${line}`);
  };
  // Without a listener a reader that leaves would end the process in the middle.
  stdout.on('error', () => {
    closed = true;
  });
  stderr.on('error', () => {});
  return {
    env,
    cwd: process.cwd(),
    colour: wantsColour(env, stdout.isTTY === true),
    columns: widthOf(stdout),
    live: env['TERM'] === 'dumb' ? null : widthOf(stderr),
    show,
    out: (text) =>
      new Promise((resolve, reject) => {
        show('');
        if (closed) reject(new OutputClosed('the output is closed'));
        else
          stdout.write(text, (error) =>
            error == null ? resolve() : reject(new OutputClosed(error.message)),
          );
      }),
    err: (line) => {
      show('');
      stderr.write(`${line}\n`);
    },
    input: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(chunk);
      return Buffer.concat(chunks).toString('utf8');
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
