import { expect, test } from 'vitest';
import { ProgressMeter } from './run-answer.js';

const START = Date.UTC(2030, 0, 1);
const progress = (contentsDone: number, tokensDone: number) => ({
  contents: 100,
  contentsDone,
  tokens: 1_000,
  tokensDone,
  parcelsWaiting: 1,
});
const at = (seconds: number) => START + seconds * 1000;

test('the rate is that of the last seconds, and the time left follows from it', () => {
  const meter = new ProgressMeter();
  expect(meter.look(progress(0, 0), true, at(0))).toMatchObject({ tokensPerSecond: null, secondsLeft: null });
  expect(meter.look(progress(10, 100), true, at(10))).toMatchObject({
    contentsPerSecond: 1,
    tokensPerSecond: 10,
    secondsLeft: 90,
  });
  meter.look(progress(10, 100), true, at(30));
  expect(meter.look(progress(20, 400), true, at(40))).toMatchObject({ tokensPerSecond: 10, secondsLeft: 60 });
});

test('what is left is not known while rows still come, nor while nothing is scored; at the end it is nothing', () => {
  const meter = new ProgressMeter(new Date(at(0)));
  expect(meter.look(progress(10, 100), false, at(10)).secondsLeft).toBeNull();
  const stuck = new ProgressMeter(new Date(at(0)));
  expect(stuck.look(progress(0, 0), true, at(10)).secondsLeft).toBeNull();
  expect(stuck.look(progress(100, 1_000), true, at(11)).secondsLeft).toBe(0);
});

test('a retry takes scored contents back, and no rate is negative', () => {
  const meter = new ProgressMeter();
  meter.look(progress(50, 500), true, at(0));
  expect(meter.look(progress(10, 100), true, at(5))).toMatchObject({
    contentsPerSecond: 0,
    tokensPerSecond: 0,
  });
});
