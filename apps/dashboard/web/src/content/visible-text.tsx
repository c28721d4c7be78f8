import type { JSX } from 'preact';
import { visiblePieces } from './visible.js';

/** Untrusted text: text nodes only, with a mark for each character that hides or reorders others. */
export function VisibleText({ text }: { text: string }): JSX.Element {
  return (
    <>
      {visiblePieces(text).map((piece) =>
        'text' in piece ? (
          piece.text
        ) : (
          <span class="hidden-mark" title={piece.what}>
            {piece.mark}
          </span>
        ),
      )}
    </>
  );
}
