import type { JSX } from 'preact';
import { ago, exactMoment, score as scoreText } from '../format.js';

/** A number and what it counts. */
export function Figure({ value, name }: { value: string; name: string }): JSX.Element {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** A time, relative if near; the exact one in the viewer's zone on hover. */
export function Moment({ at }: { at: string }): JSX.Element {
  return (
    <time dateTime={at} title={exactMoment(at)} class="nowrap">
      {ago(at)}
    </time>
  );
}

/** A score as a number and a bar. @param score null without one (yet) */
export function ScoreMark({ score, threshold }: { score: number | null; threshold: number }): JSX.Element {
  if (score === null) return <span class="faint">no score</span>;
  return (
    <span class={score >= threshold ? 'score flagged' : 'score'}>
      <span class="score-number">{scoreText(score)}</span>
      <span class="score-bar" aria-hidden="true">
        <span style={{ width: `${score * 100}%` }} />
      </span>
    </span>
  );
}
