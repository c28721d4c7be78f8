import type { JSX } from 'preact';
import type { Trace } from '../../../src/contract/index.js';
import { counted, score as scoreText, threshold as thresholdText } from '../format/number.js';
import { heatPieces } from './heat-pieces.js';
import { TraceLine } from './trace-line.js';
import { VisibleText } from './visible-text.js';

/** Ink stays readable on it, in both themes. */
const HOTTEST = 0.42;

/** A text as hot as the score is by then; the token at which the threshold is reached is underlined. */
export function HeatMap({ trace, threshold }: { trace: Trace; threshold: number }): JSX.Element {
  const { tokens, firstHarmful, omittedTokens } = trace;
  return (
    <div class="stack">
      <div class="content full" dir="auto">
        {heatPieces(trace).map(({ text, score, first }, at) =>
          score === undefined ? (
            <VisibleText text={text} />
          ) : (
            <span
              key={at}
              class={first ? 'heat first' : 'heat'}
              title={scoreText(score)}
              style={{ '--share': String(Math.round(score * HOTTEST * 100) / 100) }}
            >
              <VisibleText text={text} />
            </span>
          ),
        )}
      </div>
      <TraceLine tokens={tokens} threshold={threshold} />
      <p class="small faint">
        {firstHarmful === null
          ? `The score never reaches ${thresholdText(threshold)}.`
          : `The score reaches ${thresholdText(threshold)} at token ${firstHarmful + 1} of ${tokens.length}.`}
        {omittedTokens > 0 &&
          ` ${counted(omittedTokens, 'token')} more are too many for the guard: it did not see them.`}
      </p>
    </div>
  );
}
