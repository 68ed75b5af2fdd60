/**
 * A terminal that writes down what it is told.
 */
import type { Io } from '../../../adapters/cli/io.ts';

export class MemoryIo implements Io {
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly colour = false;
  columns: number | null = null;
  /** The width of the terminal that messages go to. */
  live: number | null = null;
  /** What was shown in place, one after another. */
  shown: string[] = [];
  /** What the standard input holds. */
  given = '';
  /** What whoever sits at the terminal answers; null: there is no terminal. */
  answer: string | null = null;
  asked: string[] = [];
  stdout = '';
  stderr = '';

  constructor(cwd: string, env: Record<string, string> = {}) {
    this.cwd = cwd;
    this.env = env;
  }

  async out(text: string | Uint8Array): Promise<void> {
    this.stdout += typeof text === 'string' ? text : Buffer.from(text).toString();
  }

  err(line: string): void {
    this.stderr += `${line}\n`;
  }

  show(line: string): void {
    this.shown.push(line);
  }

  async input(): Promise<string> {
    return this.given;
  }

  async ask(question: string): Promise<string | null> {
    this.asked.push(question);
    return this.answer;
  }
}
