import type { ParsedRow } from '../rows/parse-row.js';
import { rejection } from '../rows/reject.js';
import { noRequest, storedFault } from './request-fault.js';
import { readRequestKey, requestKey } from './request-key.js';

/** The ids of a corpus' requests so far: one that comes again cannot be answered under its name. */
export class CustomIds {
  readonly #seen = new Set<string>();

  /** The rows of a request, or one reject when its `custom_id` stands in an earlier request. */
  unrepeated(rows: ParsedRow[]): ParsedRow[] {
    const [first] = rows;
    const { customId } = readRequestKey(first?.key ?? 'line:0');
    if (first === undefined || customId === null) return rows;
    if (!this.#seen.has(customId)) {
      this.#seen.add(customId);
      return rows;
    }
    const fault = noRequest(
      'The "custom_id" stands in an earlier request too.',
      'duplicate_custom_id',
      'custom_id',
    );
    const key = requestKey({ customId, index: undefined, count: 1 });
    const kept = first.kept === undefined ? {} : { kept: first.kept };
    return [{ key, ...rejection('request', storedFault(fault)), fault, ...kept }];
  }
}
