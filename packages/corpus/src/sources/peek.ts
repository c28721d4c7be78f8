/**
 * Look at the first bytes of a stream: `head` holds at least `enough` of them, or as many as satisfy it (all, if there are fewer), and
 * `all` gives every chunk, the head's included.
 */
export async function peek(
  chunks: AsyncIterable<Buffer>,
  enough: number | ((head: Buffer) => boolean),
): Promise<{ head: Buffer; all: AsyncGenerator<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  const isEnough = typeof enough === 'number' ? (): boolean => head.length >= enough : enough;
  while (!isEnough(head)) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head, all: all() };
}
