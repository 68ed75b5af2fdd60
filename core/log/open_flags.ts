/**
 * How files in the log folder are opened: never through a link that somebody planted there, and never waiting for
 * the other end of a FIFO.
 */
import { constants } from 'node:fs';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

/** To read what is there. */
export const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** To append to a file of upkeep's own. */
export const APPEND = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/** A new file to append to: what a program gets as its output. */
export const CREATE_LOG = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW;

/** The log that is there, as a program's output. The flags are the program's too, so nothing unusual is among them. */
export const REOPEN_LOG = O_WRONLY | O_APPEND | O_NOFOLLOW;

/** A new file that upkeep fills. */
export const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** A file that upkeep writes anew, whether it is there or not. */
export const REPLACE = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;

/** To write at a position, which the kernel ignores in append mode. */
export const WRITE = O_RDWR | O_NOFOLLOW | O_NONBLOCK;

/** A folder, to flush the names in it. */
export const DIRECTORY = O_RDONLY | constants.O_DIRECTORY | O_NOFOLLOW;

/** Only the user that upkeep runs as may read logs. */
export const MODE = 0o600;
