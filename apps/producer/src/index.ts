export { cutParcels, PARCEL_LIMITS } from './cut-parcels.js';
export { type AttendedRun, reconcile } from './reconcile.js';
export { type SubmitOptions, submitCorpus } from './submit-corpus.js';
