import { randomUUID } from 'node:crypto';

/** An id as OpenAI's look: a prefix that says of what, and 32 hex digits. */
export function newId(prefix: 'file-' | 'batch_' | 'modr-'): string {
  return prefix + randomUUID().replaceAll('-', '');
}
