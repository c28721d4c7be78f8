const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** Whether lines end at CR alone (classic Mac OS): the first line end outside double quotes says it. */
export function endsWithCr(head: Buffer): boolean {
  let quoted = false;
  for (const [at, byte] of head.entries()) {
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && byte === LF) return false;
    else if (!quoted && byte === CR) return head[at + 1] !== LF;
  }
  return head.includes(CR) && !head.includes(LF);
}

/** The same bytes with CR and CR LF written as LF. */
export async function* toLf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let afterCr = false;
  for await (const chunk of chunks) {
    const out = Buffer.allocUnsafe(chunk.length);
    let length = 0;
    for (const byte of chunk) {
      if (byte !== LF || !afterCr) out[length++] = byte === CR ? LF : byte;
      afterCr = byte === CR;
    }
    if (length > 0) yield out.subarray(0, length);
  }
}
