const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const LANES = 4;
const STRIPE_BYTES = 32;

const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
const high = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));
const P1_LOW = low(P1);
const P1_HIGH = high(P1);
const P2_LOW = low(P2);
const P2_HIGH = high(P2);

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotated = (value: bigint, bits: bigint): bigint => u64((value << bits) | (value >> (64n - bits)));
const round = (lane: bigint, input: bigint): bigint => u64(rotated(u64(lane + input * P2), 31n) * P1);

/** XXH64 (seed 0) of a stream. Stripes avoid BigInt, which would be 20 times slower. */
export class Xxh64 {
  /** Low and high half of each lane. */
  readonly #lanes = new Int32Array(2 * LANES);
  readonly #rest = Buffer.alloc(STRIPE_BYTES);
  #length = 0;

  constructor() {
    for (const [i, start] of [P1 + P2, P2, 0n, -P1].entries()) {
      this.#lanes[2 * i] = low(start);
      this.#lanes[2 * i + 1] = high(start);
    }
  }

  update(bytes: Buffer): void {
    let at = 0;
    const waiting = this.#length % STRIPE_BYTES;
    this.#length += bytes.length;
    if (waiting > 0) {
      at = bytes.copy(this.#rest, waiting);
      if (waiting + at < STRIPE_BYTES) return;
      this.#stripe(this.#rest, 0);
    }
    for (; at + STRIPE_BYTES <= bytes.length; at += STRIPE_BYTES) this.#stripe(bytes, at);
    bytes.copy(this.#rest, 0, at);
  }

  digest(): bigint {
    const lanes = Array.from({ length: LANES }, (_, i) => {
      const [lowHalf = 0, highHalf = 0] = this.#lanes.subarray(2 * i);
      return (BigInt(highHalf >>> 0) << 32n) | BigInt(lowHalf >>> 0);
    });
    let hash = P5;
    if (this.#length >= STRIPE_BYTES) {
      hash = u64(lanes.reduce((sum, lane, i) => sum + rotated(lane, [1n, 7n, 12n, 18n][i] ?? 0n), 0n));
      for (const lane of lanes) hash = u64((hash ^ round(0n, lane)) * P1 + P4);
    }
    hash = u64(hash + BigInt(this.#length));
    const rest = this.#rest.subarray(0, this.#length % STRIPE_BYTES);
    let at = 0;
    for (; at + 8 <= rest.length; at += 8) {
      hash = u64(rotated(hash ^ round(0n, rest.readBigUInt64LE(at)), 27n) * P1 + P4);
    }
    if (at + 4 <= rest.length) {
      hash = u64(rotated(u64(hash ^ (BigInt(rest.readUInt32LE(at)) * P1)), 23n) * P2 + P3);
      at += 4;
    }
    for (; at < rest.length; at += 1) hash = u64(rotated(u64(hash ^ (BigInt(rest[at] ?? 0) * P5)), 11n) * P1);
    hash = u64((hash ^ (hash >> 33n)) * P2);
    hash = u64((hash ^ (hash >> 29n)) * P3);
    return hash ^ (hash >> 32n);
  }

  /** lane = rotated(lane + input * P2, 31) * P1, for four lanes of eight bytes. */
  #stripe(bytes: Buffer, from: number): void {
    for (let i = 0; i < LANES; i += 1) {
      const inputLow = bytes.readInt32LE(from + 8 * i);
      const inputHigh = bytes.readInt32LE(from + 8 * i + 4);
      const before = this.#lanes[2 * i] ?? 0;
      const sumLow = (before + Math.imul(inputLow, P2_LOW)) | 0;
      const carry = sumLow >>> 0 < before >>> 0 ? 1 : 0;
      const sumHigh =
        ((this.#lanes[2 * i + 1] ?? 0) + productHigh(inputLow, inputHigh, P2_LOW, P2_HIGH) + carry) | 0;
      const turnedLow = (sumLow << 31) | (sumHigh >>> 1);
      const turnedHigh = (sumHigh << 31) | (sumLow >>> 1);
      this.#lanes[2 * i] = Math.imul(turnedLow, P1_LOW);
      this.#lanes[2 * i + 1] = productHigh(turnedLow, turnedHigh, P1_LOW, P1_HIGH);
    }
  }
}

/** The upper 32 bits of a product of two 64-bit numbers, modulo 2^64. */
function productHigh(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const other = a0 * b1 + (middle & 0xffff);
  const carried = a1 * b1 + (middle >>> 16) + (other >>> 16);
  return (carried + Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow)) | 0;
}
