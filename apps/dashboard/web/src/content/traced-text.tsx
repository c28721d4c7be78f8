import { useQuery } from '@tanstack/preact-query';
import type { StoredContent, Trace } from '@tocsin/contract';
import { scaleLinear } from 'd3-scale';
import type { JSX } from 'preact';
import { traceAsk } from '../api/runs.js';
import { counted, score as scoreText, threshold as thresholdText } from '../format.js';
import { useWidth } from '../ui/hooks.js';
import { Problem } from '../ui/when-answered.js';
import { type HeatPiece, heatPieces, piecesBetween, tracedSpans } from './parts.js';
import { StoredText } from './stored-text.js';
import { VisibleText } from './visible-text.js';

interface TracedTextProps {
  run: number;
  seq: number;
  threshold: number;
  /** Shown until the trace has loaded. */
  content: StoredContent;
}

/** A text with the score after each of its tokens. */
export function TracedText({ run, seq, threshold, content }: TracedTextProps): JSX.Element {
  const trace = useQuery({ ...traceAsk(run, seq, threshold), placeholderData: (before) => before });
  if (trace.data !== undefined) return <HeatMap trace={trace.data} threshold={threshold} content={content} />;
  return (
    <>
      <StoredText content={content} />
      {trace.error ? (
        <Problem error={trace.error} title="Cannot show the trace" onRetry={() => void trace.refetch()} />
      ) : (
        <p class="small faint" role="status">
          Tracing{'\u2026'} The first trace after a start loads the model.
        </p>
      )}
    </>
  );
}

/** Most colour at which text stays readable in both themes. */
const HOTTEST = 0.42;

interface HeatMapProps {
  trace: Trace;
  threshold: number;
  /** The traced item, for its parts. */
  content: StoredContent;
}

/** A heat map of the score after each token; the first token that reaches the threshold is underlined. */
function HeatMap({ trace, threshold, content }: HeatMapProps): JSX.Element {
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
          ` The guard did not read ${counted(omittedTokens, 'more token')}: the text is too long.`}
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

const HEIGHT = 40;
const EDGE = 2;

/** A line chart of the score by token, with the threshold. Hidden from screen readers: the text above says the same. */
function TraceLine({ tokens, threshold }: { tokens: Trace['tokens']; threshold: number }): JSX.Element {
  const [frame, width] = useWidth<HTMLDivElement>();
  const x = scaleLinear([0, Math.max(1, tokens.length - 1)], [EDGE, Math.max(EDGE, width - EDGE)]);
  const y = scaleLinear([0, 1], [HEIGHT - EDGE, EDGE]);
  const points = tokens.map(({ score }, at) => `${x(at).toFixed(1)} ${y(score).toFixed(1)}`);
  return (
    <div class="trace-line" ref={frame}>
      <svg width={width} height={HEIGHT} aria-hidden="true">
        <line x1="0" x2={width} y1={y(threshold)} y2={y(threshold)} />
        {points.length > 0 && <path d={`M${points.join('L')}`} />}
      </svg>
    </div>
  );
}
