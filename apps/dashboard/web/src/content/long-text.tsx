import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { count } from '../format/number.js';
import { shorten } from './shorten.js';
import { VisibleText } from './visible-text.js';

const FIRST = 4000;
/** A browser lays out no more than this at once without a pause that is felt. */
const STEP = 100_000;

/** A text of any length, as its writer's direction has it; a very long one in steps. */
export function LongText({ text }: { text: string }): JSX.Element {
  const [limit, setLimit] = useState(FIRST);
  const shown = shorten(text, limit);
  const left = text.length - shown.length;
  return (
    <>
      <div class="content full" dir="auto">
        <VisibleText text={shown} />
        {left > 0 && '\u2026'}
      </div>
      {left > 0 && (
        <button
          type="button"
          class="button small content-more"
          onClick={() => setLimit((now) => (now === FIRST ? STEP : now + STEP))}
        >
          {left <= STEP
            ? `Show all ${count(text.length)} characters`
            : `Show ${count(STEP)} more of ${count(text.length)} characters`}
        </button>
      )}
    </>
  );
}
