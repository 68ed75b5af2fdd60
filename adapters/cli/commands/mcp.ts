/**
 * `upkeep mcp [--read-only]`: an MCP server on standard input and output, which is nothing but a client of the daemon.
 */
import { systemClock } from '../../../core/host/clock.ts';
import { createClient } from '../../client/client.ts';
import { remotePort } from '../../mcp/remote_port.ts';
import { serveStdio } from '../../mcp/stdio.ts';
import { upkeepFace } from '../../mcp/upkeep_face.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type PlaceOptions, socketOf, stateDir } from '../place.ts';
import { version } from '../version.ts';

/** The options of `mcp`. */
export interface McpOptions extends PlaceOptions {
  /** Offer nothing that changes anything. */
  readonly readOnly?: boolean;
}

/** Serves until the client leaves. The daemon may come and go meanwhile. */
export async function mcp(io: Io, options: McpOptions): Promise<ExitCode> {
  const dir = stateDir(options, io);
  const port = remotePort({
    connect: (actor) => createClient(socketOf(dir, io.env), { actor }),
    read_only: options.readOnly === true,
    advice: `No upkeep runs on ${dir}. Start it with: upkeep up -d (in the folder of its upkeep.yaml), then call again`,
  });
  await serveStdio(upkeepFace(port), {
    version: version(),
    clock: systemClock(),
    // Standard output is the protocol's alone.
    report: (error) => io.err(`upkeep: a fault: ${error instanceof Error ? error.stack : String(error)}`),
  });
  port.close();
  return EXIT.done;
}
