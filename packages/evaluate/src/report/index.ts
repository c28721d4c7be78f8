export { driftReport } from './drift-report.js';
export { evaluationReport, type Fact } from './evaluation-report.js';
