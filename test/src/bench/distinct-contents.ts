import { type OpenGuard, Preparation } from '@tocsin/engine';

/** The distinct contents of texts, as token ids, in the order in which they are met. */
export async function distinctContents(guard: OpenGuard, texts: string[]): Promise<Int32Array[]> {
  return [...new Map((await contentsOf(guard, texts)).map(({ key, ids }) => [key, ids])).values()];
}

/** What the guard sees of each text. */
export async function tokenIdsOf(guard: OpenGuard, texts: string[]): Promise<Int32Array[]> {
  return (await contentsOf(guard, texts)).map(({ ids }) => ids);
}

async function contentsOf(guard: OpenGuard, texts: string[]): Promise<{ key: string; ids: Int32Array }[]> {
  const preparation = await Preparation.open(guard);
  return (await preparation.contentsOf(texts)).map((content) => {
    if (content instanceof Error) throw content;
    return { key: content.hash.toString('hex'), ids: content.tokenIds };
  });
}
