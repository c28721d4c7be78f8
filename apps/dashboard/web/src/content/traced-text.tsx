import { useQuery } from '@tanstack/preact-query';
import type { StoredContent } from '@tocsin/contract';
import type { JSX } from 'preact';
import { traceAsk } from '../api/runs.js';
import { Problem } from '../ui/problem.js';
import { HeatMap } from './heat-map.js';
import { StoredText } from './stored-text.js';

interface TracedTextProps {
  run: number;
  seq: number;
  threshold: number;
  /** Shown until the trace is there. */
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
        <Problem error={trace.error} title="There is no trace" onRetry={() => void trace.refetch()} />
      ) : (
        <p class="small faint" role="status">
          Tracing{'\u2026'} The first trace after a start loads the model.
        </p>
      )}
    </>
  );
}
