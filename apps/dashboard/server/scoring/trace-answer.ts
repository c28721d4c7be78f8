import type { Trace } from '@tocsin/contract';
import type { Trace as EngineTrace } from '@tocsin/engine';

/** A trace, as it is answered. */
export function traceAnswer(
  trace: EngineTrace,
  judged: { guard: string; threshold: number; policy: string | null },
): Trace {
  const { text, score, omittedTokens } = trace;
  const { threshold } = judged;
  const tokens = trace.tokens.map((token) => ({
    text: text.slice(token.start, token.end),
    start: token.start,
    end: token.end,
    score: token.score,
  }));
  const first = tokens.findIndex((token) => token.score >= threshold);
  return {
    ...judged,
    score,
    harmful: score >= threshold,
    text,
    tokens,
    firstHarmful: first === -1 ? null : first,
    omittedTokens,
  };
}
