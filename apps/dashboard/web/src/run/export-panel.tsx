import type { ExportQuery, Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { exportAddress } from '../api/runs.js';
import { threshold as thresholdText } from '../format.js';
import { Segments } from '../ui/segments.js';

const FORMATS: readonly { format: NonNullable<ExportQuery['format']>; label: string; about: string }[] = [
  { format: 'jsonl', label: 'JSONL', about: 'A JSON object a line: what programs and tocsin eval read.' },
  { format: 'csv', label: 'CSV', about: 'For spreadsheets and databases.' },
  { format: 'tsv', label: 'TSV', about: 'The same with tabs.' },
  { format: 'parquet', label: 'Parquet', about: 'Columns, compressed: for DuckDB, pandas and Spark.' },
  {
    format: 'openai-batch',
    label: 'OpenAI batch',
    about: 'As the output file of an OpenAI batch of moderations.',
  },
  {
    format: 'openai-batch-errors',
    label: 'OpenAI errors',
    about: 'Its error file: the rows without a score.',
  },
];

/** Takes the scores away, in every format. */
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
            { value: 'flagged', label: `From ${thresholdText(threshold)} on` },
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
      <p class="small faint">Rows are called harmful from {thresholdText(threshold)} on.</p>
    </>
  );
}
