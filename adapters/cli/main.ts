#!/usr/bin/env -S node --max-semi-space-size=1 --optimize-for-size --no-flush-bytecode
/**
 * The program.
 */
import { processIo } from './io.ts';
import { runCommandLine } from './program.ts';

// Everything that was printed has been taken by now; nothing that is still open may keep the program from ending.
process.exit(await runCommandLine(process.argv.slice(2), processIo()));
