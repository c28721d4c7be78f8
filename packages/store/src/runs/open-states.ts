import { OPEN_RUN_STATES } from '@tocsin/core';

/** The states of runs that go on, in SQL: `where state in ${OPEN_STATES}`. */
export const OPEN_STATES = `(${OPEN_RUN_STATES.map((state) => `'${state}'`).join(', ')})`;
