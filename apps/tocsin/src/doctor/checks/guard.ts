import { messageOf } from '@tocsin/core';
import { type DeviceVerdict, Guard } from '@tocsin/engine';
import type { Check } from '../checkup.js';
import { ok, problem } from '../finding.js';
import { hintOf } from './hint-of.js';

const SUBJECT = 'guard';

/** Only when one is named: opens it, which fetches and prepares what is missing, and loads it. */
export const guardCheck: Check = {
  subject: SUBJECT,
  look: async ({ guard: asked, cacheDir }) => {
    if (asked === undefined) return [];
    const { ref, ...options } = asked;
    try {
      const started = performance.now();
      const guard = await Guard.fromPretrained(ref, { ...options, cacheDir });
      const { task, precision, device, fingerprint, check } = guard.info;
      await guard.close();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      return [
        ok(
          SUBJECT,
          `${ref} loads in ${seconds} s: ${task}, ${precision} on ${device}, fingerprint ${fingerprint.slice(0, 12)}`,
        ),
        ...(check === undefined ? [] : [ok(device, checkText(check))]),
      ];
    } catch (error) {
      return [problem(SUBJECT, `${ref}: ${messageOf(error)}`, hintOf(error, 'See the other findings.'))];
    }
  },
};

/** How a device's check against the CPU came out. */
function checkText({ device, driver, onnxruntime, score, features }: DeviceVerdict): string {
  return `checked against the CPU (${device}, driver ${driver}, onnxruntime ${onnxruntime}): scores differ by ${score.toPrecision(2)} at most, what the head reads by ${(100 * features).toPrecision(2)} %`;
}
