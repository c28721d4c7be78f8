import type { FormatOptions } from '../formats/format-options.js';
import type { FieldFault, SourceRecord } from '../sources/source-record.js';
import { jsonFault } from './json-fault.js';

/** A cell whose value cannot be used. */
export class FaultyCell {
  readonly fault: FieldFault;

  constructor(fault: FieldFault) {
    this.fault = fault;
  }
}

/**
 * A record of cells, from CSV, Parquet or SQL. These formats have no JSON type: string cells in `jsonColumns` are parsed
 * as JSON, and an id may also be a boolean.
 */
export function cellRecord(
  cells: Record<string, unknown>,
  { jsonColumns, idColumn }: Pick<FormatOptions, 'jsonColumns' | 'idColumn'>,
): SourceRecord {
  const id = idColumn !== undefined && Object.hasOwn(cells, idColumn) ? cells[idColumn] : undefined;
  if (idColumn !== undefined && typeof id === 'boolean') cells[idColumn] = String(id);
  const spelled = new Map<string, string>();
  const faults = new Map<string, FieldFault>();
  for (const field of jsonColumns) {
    const cell = Object.hasOwn(cells, field) ? cells[field] : undefined;
    if (typeof cell !== 'string') continue;
    try {
      cells[field] = JSON.parse(cell);
      spelled.set(field, cell.trim());
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const fault = jsonFault(cell);
      const where = fault === undefined ? '' : ` at character ${fault.at + 1}: ${fault.what}`;
      faults.set(field, { kind: 'json', what: `is not JSON${where.replace('the line', 'it')}` });
    }
  }
  for (const [field, cell] of Object.entries(cells)) {
    if (cell instanceof FaultyCell) faults.set(field, cell.fault);
  }
  return {
    fields: cells,
    json: (field) =>
      spelled.get(field) ?? (Object.hasOwn(cells, field) ? JSON.stringify(cells[field]) : undefined),
    fault: (field) => faults.get(field),
  };
}
