import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Peer, Service } from '../peer.ts';
import { launch, missing } from '../support/commands.ts';

/** A word that a shell takes as it is. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The usual way: a shell redirects the output to a file and becomes the service. */
function shellScript(service: Service): string {
  return `#!/bin/sh\nexec ${service.argv.map(quoted).join(' ')} >>${quoted(service.output)} 2>&1\n`;
}

/** The quickest way there is, though few services can be started so: the script is the worker, its output unused. */
function noShell(service: Service): string {
  // The first line names the interpreter; strtok gives it to the worker as its own name.
  return `#!${service.argv[0]} @\n${service.argv.slice(1).join('\n')}\n`;
}

/**
 * One of the daemontools family: a folder of services, each with a `run` script, under a scanner that keeps one
 * small supervisor process for each. No logger processes.
 */
function serviceFolders(
  name: string,
  scanner: readonly [string, ...string[]],
  needs: string,
  script: (service: Service) => string = shellScript,
): Peer {
  return {
    name,
    async available() {
      return missing(scanner[0], needs);
    },
    async start(services, place) {
      const folder = join(place.dir, 'services');
      for (const service of services) {
        mkdirSync(join(folder, service.name), { recursive: true });
        writeFileSync(join(folder, service.name, 'run'), script(service), { mode: 0o755 });
      }
      // runsvdir sleeps a second if its folder has changed within the same second of the clock.
      await pause(1100);
      return launch([...scanner, folder], place);
    },
  };
}

/** runit. */
export const runit = serviceFolders('runit', ['runsvdir'], 'runsv');

/** runit, its run script no shell's. */
export const runitNoShell = serviceFolders('runit, no shell', ['runsvdir'], 'runsv', noShell);

/** daemontools. */
export const daemontools = serviceFolders('daemontools', ['svscan'], 'supervise');

/** daemontools, its run script no shell's. */
export const daemontoolsNoShell = serviceFolders('daemontools, no shell', ['svscan'], 'supervise', noShell);

/** s6. It supervises 500 services unless told otherwise. */
export const s6 = serviceFolders('s6', ['s6-svscan', '-c', '2000'], 's6-supervise');
