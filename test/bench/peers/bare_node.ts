import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FLOOR, type Peer } from '../peer.ts';
import { launch } from '../support/commands.ts';

/** `child.on('exit')` → spawn, with the output to a file and nothing else: the floor. */
export const bareNode: Peer = {
  name: FLOOR,
  async available() {
    return null;
  },
  async start(services, place) {
    const list = join(place.dir, 'services.json');
    writeFileSync(list, JSON.stringify(services));
    const loop = fileURLToPath(new URL('./bare_node_loop.js', import.meta.url));
    return launch([process.execPath, loop, list], place);
  },
};
