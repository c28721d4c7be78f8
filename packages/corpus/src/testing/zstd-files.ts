/** Rows as JSONL, 250 KB: more than one block of zstd. */
export const ROWS_JSONL = Array.from({ length: 1000 }, (_, i) =>
  JSON.stringify({ id: i + 1, text: 'A calm line about the weather. '.repeat(8) }),
)
  .map((line) => `${line}\n`)
  .join('');

/** The same, compressed by `zstd -19` with a checksum (Node 20 cannot write zstd). */
export const ROWS_ZST = Buffer.from(
  'KLUv/aRdGgQAlBUAVtIpGYBNqwFEMG4AcAh/NaF4XnZ3905tDmRTSZ0xAC0AFwD/q6oin2tsqTRgopwjcDCIZmEgh0E0p3k0Csth' +
    'GAnFWSgWwyEoA6WJMI0ScKAcEook77333nvPOeecc8651lprrbXWGGOMMcYYW2uttdZaSymllFJKqZRSSimllP4Pqqqqqqqqqqqq' +
    'qqqqqiKRSCQSiUQikS///////////////6qqqqqqqmqA9KhB6A373wEQYySSiNIDElAQ+P//V/AHCRIkSJAgwQQJEiRIMEGCBAkS' +
    'SJAgQYIEEyRIkCCBBAkSJEggQYIECRJIkCCBBAkkSJAg4SItwSIloSI1gSKVMJGeIJFOiEiXAJFOeEhPcEgnNKQnMKQlLKQnKKQT' +
    'EtITENIJB+kSDNIJBekJBOmEgfQEgbSEgPQEgHTCP3qCPzqhH10CPzphHz1BH52Qj56Aj5Zwjy7BHp1Qj55Aj06YR5cgj06IR0+A' +
    'Rye8oye4oyW0oyewoxPW0RPU0Qnp6BLQ0Qnn6Anm6IRy9ARytIRx9ARxdEI4egI4OuEbXYI3OqEbPYEbnbCNnqCNlpCNnoCNTrhG' +
    'T7BGJ1SjS6BGJ0yjJ0ijE6LRE6DRJDyjJzijE5rRE5jRCcvoEpTRCcnoCcjoSzhGXwrGaFAoRjcFYvRSGEYHBWG0KQSjLwVgNCSw' +
    'BV9UV0KhSAiE8o8wKBKCoPwjBIqEACj/CH8iIfjJP0KfSAh8EiECBAgQRIAAAQIEIECAAAECCBAgQIAgAgQIECCAAAECBAggQIAA' +
    'AQIIECBAgAACBAgQIIAAAQIEEECAAAECBBAgQIAAAQQIECBAAAECBAgQQIAAAQIEECBAgACBIeyJCHpyhDwRAU+OcCdCsJMj1IkQ' +
    '6OSHMCe2EB4ePHDQgQMHDhyAz+5wAOqrYgqrrAkAUo8NBPA5soJVVVVVVVVVVVVVVVVVVVVVVVVVVVVV/f//////////////PwAA' +
    'AAAAAAAAAAAAAABAgPVcAQCnhISEhISEhISEhIQJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCRISEhISEhIS' +
    'EhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEiQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkSEhISEhI' +
    'SEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhIkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJAgISEh' +
    'ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISFBQkIhTAoAQs8QCtClAwAAsKUD7QRJkiRJkiRJkiRJkiRVVVVVVVVV' +
    'VVVVVVVVVVVVVVVVVVVVVVVV////////////////DwAAAAAAEYD0WAEAEvj//z9BoH8JCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ' +
    'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJExISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhIS' +
    'EhISEhISEhISEhISEhISEhISEhISEhISEhISEiYkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk' +
    'JCQkJCQkJCQkJCQkJCQkJCRMSEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEgoOyA8CgBS' +
    'jxAH4OkwsUxgIqmqqqqqqqqqqqqqqqqqqqqqqqr6//////////////9/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAiA9FgBABL4' +
    '//9/BP/rhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhIQECQkJCQkJ' +
    'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCRMSEhISEhISEhISEhISEhIS' +
    'EhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhImJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk' +
    'JCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQknAPlAQCyAQMG8DnEcOw8yP//fwEaqBDwB+D3zxD+/xHhf38DGGlCQkJCQkJCQkJCwgkJ' +
    'CQkTEhISEhISEhIikDLUrNHd',
  'base64',
);

/** Window descriptors (RFC 8878, 3.1.1.1.2). */
const WINDOW_2_MB = 0x58;
export const WINDOW_2_GB = 0xa8;

/** A frame without a checksum of blocks that are stored as they are (RFC 8878, 3.1.1). */
export function storedZst(content: Buffer, window: number = WINDOW_2_MB): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window]);
  const blocks: Buffer[] = [];
  for (let at = 0; at < content.length || at === 0; at += BLOCK_BYTES) {
    const block = content.subarray(at, at + BLOCK_BYTES);
    const last = at + BLOCK_BYTES >= content.length ? 1 : 0;
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | last, 0, 3);
    blocks.push(head, block);
  }
  return Buffer.concat([header, ...blocks]);
}

const BLOCK_BYTES = 128 * 1024;
