import { DEFAULT_RETENTION, RETENTIONS, type Retention } from '@tocsin/core';
import { Option } from 'commander';

export interface RetentionFlags {
  retain?: Retention;
}

/** Whose texts stay in the database when the run is over. */
export function retentionOption(): Option {
  return new Option('--retain <whose>', 'texts that stay in the database after the run')
    .choices([...RETENTIONS])
    .default(DEFAULT_RETENTION);
}
