import type { ExportQuery, Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { exportAddress } from '../api/runs.js';
import { threshold as thresholdText } from '../format.js';
import { Segments } from '../ui/segments.js';

const FORMATS: readonly { format: NonNullable<ExportQuery['format']>; label: string; about: string }[] = [
  { format: 'jsonl', label: 'JSONL', about: 'One JSON object per line: for programs and tocsin eval.' },
  { format: 'csv', label: 'CSV', about: 'For spreadsheets and databases.' },
  { format: 'tsv', label: 'TSV', about: 'CSV with tabs.' },
  { format: 'parquet', label: 'Parquet', about: 'Columns, compressed: for DuckDB, pandas and Spark.' },
  {
    format: 'openai-batch',
    label: 'OpenAI batch',
    about: 'The output file of an OpenAI moderation batch.',
  },
  {
    format: 'openai-batch-errors',
    label: 'OpenAI errors',
    about: 'The error file of the batch: rows without a score.',
  },
];

/** Downloads of the scores, in every format. */
export function ExportPanel({ run, threshold }: { run: Run; threshold: number }): JSX.Element {
  const [side, setSide] = useState<'all' | 'flagged'>('all');
  const [withText, setWithText] = useState(false);
  return (
    <>
      <div class="row">
        <Segments<'all' | 'flagged'>
          label="Rows"
          options={[
            { value: 'all', label: 'All rows' },
            { value: 'flagged', label: `At or above ${thresholdText(threshold)}` },
          ]}
          value={side}
          onChange={setSide}
        />
        {run.textsKept > 0 && (
          <label class="check">
            <input
              type="checkbox"
              checked={withText}
              onChange={({ currentTarget }) => setWithText(currentTarget.checked)}
            />
            With texts (JSONL)
          </label>
        )}
      </div>
      <ul class="exports">
        {FORMATS.map(({ format, label, about }) => (
          <li key={format}>
            <a
              class="button"
              download
              href={exportAddress(run.id, {
                format,
                threshold,
                ...(side === 'flagged' && { min: threshold }),
                ...(withText && format === 'jsonl' && { withText: true }),
              })}
            >
              {label}
            </a>
            <span class="soft">{about}</span>
          </li>
        ))}
      </ul>
      <p class="small faint">Rows are harmful at or above {thresholdText(threshold)}.</p>
    </>
  );
}
