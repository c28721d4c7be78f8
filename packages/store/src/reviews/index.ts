export { nextReview, type ReviewedRun, type ReviewQuery } from './next-review.js';
export {
  type LeasedRow,
  leaseFirst,
  REVIEW_LEASE_SECONDS,
  releaseReviews,
} from './review-leases.js';
export {
  giveVerdict,
  type JudgedContent,
  judgedContents,
  type NewVerdict,
  type ReviewerCounts,
  reviewerCounts,
  undoVerdict,
  type VerdictRow,
} from './verdicts.js';
