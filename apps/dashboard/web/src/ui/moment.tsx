import type { JSX } from 'preact';
import { ago, exactMoment } from '../format.js';

/** A time, relative if near; the exact one in the viewer's zone on hover. */
export function Moment({ at }: { at: string }): JSX.Element {
  return (
    <time dateTime={at} title={exactMoment(at)} class="nowrap">
      {ago(at)}
    </time>
  );
}
