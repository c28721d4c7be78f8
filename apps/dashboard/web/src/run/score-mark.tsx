import type { JSX } from 'preact';
import { score as scoreText } from '../format.js';

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
