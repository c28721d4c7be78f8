export { driftReport } from './drift-report.js';
export { evaluationReport } from './evaluation-report.js';
