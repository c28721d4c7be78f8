import type { StoredContent, Trace } from '@tocsin/contract';
import type { JSX } from 'preact';
import { counted, score as scoreText, threshold as thresholdText } from '../format/number.js';
import { type HeatPiece, heatPieces, piecesBetween } from './heat-pieces.js';
import { tracedSpans } from './parts.js';
import { TraceLine } from './trace-line.js';
import { VisibleText } from './visible-text.js';

/** Ink stays readable on it, in both themes. */
const HOTTEST = 0.42;

interface HeatMapProps {
  trace: Trace;
  threshold: number;
  /** The item that was traced: who said what. */
  content: StoredContent;
}

/** A text as hot as the score is by then; the token at which the threshold is reached is underlined. */
export function HeatMap({ trace, threshold, content }: HeatMapProps): JSX.Element {
  const { text, tokens, firstHarmful, omittedTokens } = trace;
  const pieces = heatPieces(trace);
  return (
    <div class="stack">
      <div>
        {tracedSpans(content, text).map(({ name, start, end }) => (
          <div class="part" key={start}>
            {name !== undefined && <h3>{name}</h3>}
            <HotText pieces={piecesBetween(pieces, start, end)} />
          </div>
        ))}
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

function HotText({ pieces }: { pieces: readonly HeatPiece[] }): JSX.Element {
  return (
    <div class="content full" dir="auto">
      {pieces.map(({ text, score, first }, at) =>
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
  );
}
