import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isRoot } from './server-user.js';

/**
 * Makes a directory and its missing parents. As root the new ones let everyone pass, whatever the umask, so that the
 * server's user reaches what is below; as an ordinary user they are closed to others.
 */
export async function makePassable(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: isRoot() ? 0o755 : 0o700 });
  if (first === undefined || !isRoot()) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await chmod(made, 0o755);
}
