import { useQuery } from '@tanstack/preact-query';
import type { PolicyChange } from '@tocsin/contract';
import type { JSX } from 'preact';
import { policyChangesAsk } from '../api/policies.js';
import { threshold as thresholdText } from '../format/number.js';
import { Moment } from '../ui/moment.js';
import { WhenAnswered } from '../ui/when-answered.js';

/** Who moved a policy, when, from where to where, and why. */
export function PolicyHistory({ name }: { name: string }): JSX.Element {
  const changes = useQuery(policyChangesAsk(name));
  return (
    <WhenAnswered of={changes} what="the history">
      {({ data }) => (
        <ol class="history">
          {data.map((change) => (
            <li key={change.id}>
              <span class="soft">
                <Moment at={change.at} />
              </span>
              <span>
                {wordsOf(change)} <span class="soft">by {change.who}</span>
                {change.note !== null && change.note !== '' && (
                  <span class="soft wrap" dir="auto">
                    {` \u2014 ${change.note}`}
                  </span>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
    </WhenAnswered>
  );
}

function wordsOf({ what, from, to }: PolicyChange): string {
  if (from !== null && to !== null) return `${thresholdText(from)} \u2192 ${thresholdText(to)}`;
  if (to !== null) return `${what} at ${thresholdText(to)}`;
  return what;
}
