export { type ComparedKey, compareRuns, type RunComparison } from './compare-runs.js';
export { eachRanked, type RankedChunk } from './each-ranked.js';
export { randomRows } from './random-rows.js';
export { type RankedPage, type RankedRow, rankedRows, type ScoreOrder } from './ranked-rows.js';
export { type Ranking, rankRun } from './ranking.js';
export { countAtLeast, countByScore } from './score-counts.js';
export { previewThreshold, type ThresholdPreview } from './threshold-preview.js';
export { type Outwards, uncertainRows } from './uncertain-rows.js';
