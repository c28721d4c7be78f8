export { calibrationReport } from './calibration-report.js';
export { driftReport } from './drift-report.js';
export { evaluationReport } from './evaluation-report.js';
