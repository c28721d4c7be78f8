export { type ComparedKey, compareRuns, type RunComparison } from './compare-runs.js';
export {
  eachRanked,
  type Outwards,
  type RankedChunk,
  type RankedPage,
  type RankedRow,
  randomRows,
  rankedRows,
  type ScoreOrder,
  uncertainRows,
} from './ranked-rows.js';
export { type Ranking, rankRun } from './ranking.js';
export { countAtLeast, countByScore, previewThreshold, type ThresholdPreview } from './score-counts.js';
