const WORDS =
  'tea bread garden letter river music window slow bright paper lamp stone hill morning quiet dog cat boat rain apple chair clock'.split(
    ' ',
  );

/** A seeded generator of integers below `limit` (mulberry32). */
export function randomFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** Unique rows of mild words, with 1 to `longest` words each. */
export function randomRows(count: number, longest: number, seed = 1): { id: string; text: string }[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from({ length: 1 + random(longest) }, () => WORDS[random(WORDS.length)]);
    return { id: `row-${i}`, text: `${i} ${words.join(' ')}` };
  });
}

/** The same in another order. */
export function shuffled<T>(values: readonly T[], seed = 1): T[] {
  const random = randomFrom(seed);
  const all = [...values];
  for (let i = all.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}
