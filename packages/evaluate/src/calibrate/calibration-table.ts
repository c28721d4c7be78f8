import { intervalText, measureText } from '../measures/format.js';
import type { TextTable } from '../measures/tables.js';
import type { CalibrationFit } from './calibration-fit.js';

/** Measures before a calibration, and on held-out rows after it. Order measures (AUC) hardly change: scaling is monotone. */
export function calibrationTable({ before, after, folds }: CalibrationFit): TextTable {
  const line = (name: string, measure: 'brier' | 'auc' | 'macroF1'): string[] => [
    name,
    measureText(before.measures[measure]),
    measureText(after.measures[measure]),
  ];
  return {
    head: ['measure', 'before', 'after (held out)'],
    rows: [
      [
        'expected calibration error',
        measureText(before.measures.expectedCalibrationError),
        measureText(after.measures.expectedCalibrationError),
      ],
      [
        `lowest to highest of ${folds.count} folds`,
        intervalText(folds.error.before),
        intervalText(folds.error.after),
      ],
      line('Brier score', 'brier'),
      line('AUC', 'auc'),
      line('Macro F1 at the threshold', 'macroF1'),
    ],
  };
}
